#ifndef VG_NOTIFIER_H
#define VG_NOTIFIER_H

struct run_options;

/* The role that mails: takes rendered texts from the engine and starts one short-lived process a
 * delivery, ended by force after 60 s. Returns the exit status. */
int notifier_run(const struct run_options *options);
/* That process: takes settings and mail from descriptor 3, delivers, answers. */
int notifier_deliver(void);

#endif
