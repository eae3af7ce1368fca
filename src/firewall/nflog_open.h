#ifndef VG_NFLOG_OPEN_H
#define VG_NFLOG_OPEN_H

#include <stdint.h>

struct error;

/* Opens the socket to which the kernel sends the copies of nft_wire(), and makes it the listener of
 * this NFLOG group. It needs CAP_NET_ADMIN; reading the socket does not, and is done by another
 * role (wire/nflog.h): this one sees no packet. Each copy is sent at once and has a number, so that
 * it can be read before the line that the log has about it, and a lost one is noticed.
 *
 * Only one program in a network namespace can listen to a group, and only as long as its socket is
 * open. The caller closes *ret_fd. -1 with a sentence: the group is taken, or the kernel refuses.
 */
int nflog_open(uint16_t group, int *ret_fd, struct error *err);

#endif
