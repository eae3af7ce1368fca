#ifndef VG_NOTIFIER_H
#define VG_NOTIFIER_H

struct run_options;

/* Runs the notifier role, which sends mails and looks up host names for the engine. For each mail
 * it starts a delivery, a short-lived process that is killed after 60 s. Returns the exit status.
 */
int notifier_run(const struct run_options *options);
/* Runs such a delivery: reads the settings and one mail from descriptor 3, sends the mail, and
 * answers with the outcome. Returns the exit status. */
int notifier_deliver(void);

#endif
