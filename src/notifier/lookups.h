#ifndef VG_LOOKUPS_H
#define VG_LOOKUPS_H

struct error;
struct lookups;
struct message_mail_packet;
struct sd_event;

/* Answers the engine's questions for the addresses of host names (struct message_name), over the
 * socket that they came by. */

/* event is borrowed; *ret_lookups is owned by the caller. -1 with a sentence. */
int lookups_new(struct sd_event *event, struct lookups **ret_lookups, struct error *err);
void lookups_free(struct lookups *lookups);
/* Names the socket of the engine (borrowed), or -1 while there is none. What an earlier engine
 * asked for is not answered any more. */
void lookups_peer(struct lookups *lookups, int fd);
/* Takes a packet of type MESSAGE_MAIL_NAME. A name that cannot be looked up now is answered at
 * once, by MESSAGE_NAME_NO_ANSWER. */
void lookups_packet(struct lookups *lookups, const struct message_mail_packet *packet);

#endif
