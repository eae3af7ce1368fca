#ifndef VG_LOOKUPS_H
#define VG_LOOKUPS_H

struct error;
struct lookups;
struct message_mail_packet;
struct sd_event;

/* The engine's questions for host names, answered over the pair that they came by. */

/* event is borrowed. */
int lookups_new(struct sd_event *event, struct lookups **ret_lookups, struct error *err);
void lookups_free(struct lookups *lookups);
/* fd is borrowed; -1: no engine. Answers to an earlier one's questions are dropped. */
void lookups_peer(struct lookups *lookups, int fd);
/* A packet of type MESSAGE_MAIL_NAME. What cannot be looked up is answered so. */
void lookups_packet(struct lookups *lookups, const struct message_mail_packet *packet);

#endif
