#ifndef VG_LISTENERS_H
#define VG_LISTENERS_H

#include "pbx/pbx.h"

struct conf;

/* Each adds to pbx->listeners the ports that one file makes Asterisk listen on. A file that could
 * not be read adds nothing. False: there was no more room. */
bool listeners_of_pjsip(struct pbx *pbx, const struct conf *conf);
bool listeners_of_sip(struct pbx *pbx, const struct conf *conf);
bool listeners_of_iax(struct pbx *pbx, const struct conf *conf);
bool listeners_of_manager(struct pbx *pbx, const struct conf *conf);
bool listeners_of_http(struct pbx *pbx, const struct conf *conf);
/* Adds the ports that Asterisk and FreePBX have the service on as they are shipped. */
bool listeners_default(struct pbx *pbx, enum pbx_service service);

#endif
