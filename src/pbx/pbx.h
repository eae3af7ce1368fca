#ifndef VG_PBX_H
#define VG_PBX_H

#include "base/findings.h"
#include "base/ip.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What Asterisk's own configuration says about the network: the trunks, which are the peers that it
 * names by address, network or host name, and the ports on which Asterisk listens. Nothing is asked
 * of Asterisk, and nothing is run.
 *
 * Read are pjsip.conf, pjsip_wizard.conf, sip.conf, iax.conf, manager.conf and http.conf of one
 * directory (/etc/asterisk), with what they include. What a database or a program (#exec) adds to
 * them is not seen. The language is described in conf.h; the keys are those of
 * docs.asterisk.org/Latest_API/API_Documentation/Module_Configuration (res_pjsip,
 * res_pjsip_endpoint_identifier_ip, res_pjsip_outbound_registration, res_pjsip_config_wizard) and
 * of configs/samples in Asterisk's sources (sip.conf up to version 20, iax.conf, manager.conf,
 * http.conf). */

enum {
	PBX_FILES_MAX = 1000, /* more are left out; a finding says so */
	/* A larger file is not read. FreePBX writes about 1 KiB for an extension. */
	PBX_FILE_BYTES_MAX = 24 * 1024 * 1024,
	PBX_BYTES_MAX = 96 * 1024 * 1024, /* of all; beyond, files are not read */
	PBX_TRUNKS_MAX = 1024,            /* further ones are left out; a finding says so */
	PBX_HOSTS_MAX = 65536,            /* settings that name one; the same */
	PBX_LISTENERS_MAX = 64,           /* the same */
	PBX_WARNINGS_MAX = 50,            /* the same */
	PBX_BECAUSE_MAX = 96,
	/* A shorter prefix is no trunk: it is "from anywhere", or a whole provider's customers. */
	PBX_TRUNK_BITS4_MIN = 16,
	PBX_TRUNK_BITS6_MIN = 32,
};

/* A file that was read or looked for, or a directory whose names were matched by an #include. */
struct pbx_file {
	char *path;        /* owned */
	int error;         /* why it could not be read, as errno; 0: it was read */
	uint64_t stamp;    /* of the state in which it was read */
	bool names_trunks; /* its kind of file may name trunks */
};

/* Which setting names the peer. */
enum pbx_trunk_kind {
	PBX_MATCH,        /* pjsip: match= of an identify */
	PBX_CONTACT,      /* pjsip: contact= of an aor */
	PBX_SERVER,       /* pjsip: server_uri= of a registration */
	PBX_PROXY,        /* outbound_proxy=, outboundproxy= */
	PBX_REMOTE_HOSTS, /* pjsip_wizard: remote_hosts= */
	PBX_HOST,         /* sip, iax: host= */
	PBX_PERMIT,       /* sip, iax: permit= of a section that has a deny=, too */
	PBX_REGISTER,     /* sip, iax: register => */
};

/* Either ip or name is set. No two trunks have the same one: the first that was found stays. */
struct pbx_trunk {
	enum pbx_trunk_kind kind;
	struct ip ip;       /* family 0: it is a name */
	char *name;         /* owned; a host name in lower case; NULL: it is an address */
	struct position at; /* of the setting, in a path of files[] */
	char because[PBX_BECAUSE_MAX]; /* "trunk 'provider' in pjsip.conf:31", rendered */
};

enum pbx_service { PBX_SIP, PBX_IAX, PBX_AMI, PBX_HTTP };
enum { PBX_SERVICES = PBX_HTTP + 1 };

/* A port on which Asterisk listens. RTP is never among them. */
struct pbx_listener {
	enum pbx_service service; /* PBX_HTTP carries WebSocket, too */
	uint8_t protocol;         /* IPPROTO_UDP or IPPROTO_TCP; TLS is TCP */
	uint16_t port;
	struct ip address;  /* family 0: any */
	struct position at; /* file NULL: a default, since no file says it */
};

struct pbx {
	char *dir;              /* owned */
	struct pbx_file *files; /* owned */
	size_t n_files;
	struct pbx_trunk *trunks; /* owned, in the order of the files */
	size_t n_trunks;
	struct pbx_listener *listeners; /* owned */
	size_t n_listeners;
};

/* Reads the directory, which need not exist. What is odd becomes a warning in findings; passwords
 * are never part of one. Of a service none of whose files can be read, and of one that a file which
 * exists and cannot be read may add to, the listeners are Asterisk's and FreePBX's defaults. */
struct pbx *pbx_read(const char *dir, struct findings *findings);
void pbx_free(struct pbx *pbx);

/* The state of all files as they were read, and as they are now. Two equal numbers: nothing has
 * changed, also not which files exist. */
uint64_t pbx_stamp(const struct pbx *pbx);
uint64_t pbx_stamp_now(const struct pbx *pbx);
/* The first file behind `after` (NULL: of all) that may name trunks, exists and could not be read;
 * NULL: there is none. */
const struct pbx_file *pbx_unreadable(const struct pbx *pbx, const struct pbx_file *after);
/* Why a file with an error was not read, in words. */
const char *pbx_file_why(const struct pbx_file *file);

const char *pbx_service_name(enum pbx_service service);

#endif
