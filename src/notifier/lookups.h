#ifndef VG_LOOKUPS_H
#define VG_LOOKUPS_H

struct error;
struct names;
struct proto_mail_packet;
struct sd_event;

/* The engine's questions for host names, answered over the pair that they came by. */

/* event is borrowed. */
int notifier_names_new(struct sd_event *event, struct names **ret_names, struct error *err);
void notifier_names_free(struct names *names);
/* fd is borrowed; -1: no engine. Answers to an earlier one's questions are dropped. */
void notifier_names_peer(struct names *names, int fd);
/* A packet of type PROTO_MAIL_NAME. What cannot be looked up is answered so. */
void notifier_names_packet(struct names *names, const struct proto_mail_packet *packet);

#endif
