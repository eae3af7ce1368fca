#include "pbx/pbx.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/siphash.h"
#include "pbx/conf.h"
#include "pbx/listeners.h"
#include "pbx/sources.h"
#include "pbx/trunks.h"

/* The files that Asterisk's modules begin with, and what each of them says. */
static const struct {
	const char *name;
	enum pbx_service service;
	void (*trunks)(struct trunks *trunks, const struct conf *conf); /* NULL: it has none */
	bool (*listeners)(struct pbx *pbx, const struct conf *conf);    /* the same */
} rows[] = {
	{ "pjsip.conf", PBX_SIP, trunks_of_pjsip, listeners_of_pjsip },
	{ "pjsip_wizard.conf", PBX_SIP, trunks_of_pjsip, NULL },
	{ "sip.conf", PBX_SIP, trunks_of_peers, listeners_of_sip },
	{ "iax.conf", PBX_IAX, trunks_of_peers, listeners_of_iax },
	{ "manager.conf", PBX_AMI, NULL, listeners_of_manager },
	{ "http.conf", PBX_HTTP, NULL, listeners_of_http },
};

/* What is known of a service's files after all of them. */
struct service {
	bool is_read;   /* at least one of them */
	bool is_partly; /* a file that exists could not be read */
};

/* Whether one of the files from number `from` on exists and was not read. */
static bool any_unreadable(const struct sources *sources, size_t from)
{
	for (size_t i = from; i < sources->n_files; i++)
		if (sources->files[i].error && sources->files[i].error != ENOENT)
			return true;
	return false;
}

static void add_defaults(struct pbx *pbx, const struct service *services, bool *fits)
{
	bool any_sip = false; /* without a transport there, they are somewhere else */

	for (size_t i = 0; i < pbx->n_listeners; i++)
		any_sip = any_sip || pbx->listeners[i].service == PBX_SIP;
	for (size_t i = 0; i < PBX_SERVICES; i++)
		if (!services[i].is_read || services[i].is_partly || (i == PBX_SIP && !any_sip))
			*fits = listeners_default(pbx, (enum pbx_service)i) && *fits;
}

struct pbx *pbx_read(const char *dir, struct findings *findings)
{
	struct pbx *pbx = alloc_zero(sizeof(*pbx));
	struct sources sources = { .findings = findings };
	struct trunks trunks = { .pbx = pbx, .sources = &sources };
	struct service services[PBX_SERVICES] = { 0 };
	struct position whole;
	bool fits = true;

	pbx->dir = alloc_string(dir);
	sources.dir = pbx->dir;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct service *service = &services[rows[i].service];
		size_t before = sources.n_files;
		struct conf *conf = conf_read(&sources, rows[i].name);

		if (rows[i].trunks)
			rows[i].trunks(&trunks, conf);
		if (rows[i].listeners)
			fits = rows[i].listeners(pbx, conf) && fits;
		service->is_read = service->is_read || (conf->is_read && rows[i].listeners);
		for (size_t k = before; rows[i].trunks && k < sources.n_files; k++)
			sources.files[k].names_trunks = true;
		service->is_partly = service->is_partly || any_unreadable(&sources, before);
		conf_free(conf);
	}
	add_defaults(pbx, services, &fits);
	trunks_warn(&trunks);
	whole = (struct position){ .file = pbx->dir };
	if (!fits)
		sources_warn(&sources, &whole, "more than %d listening ports: the rest is left out",
			PBX_LISTENERS_MAX);
	pbx->files = sources.files;
	pbx->n_files = sources.n_files;
	return pbx;
}

void pbx_free(struct pbx *pbx)
{
	if (!pbx)
		return;
	for (size_t i = 0; i < pbx->n_files; i++)
		free(pbx->files[i].path);
	for (size_t i = 0; i < pbx->n_trunks; i++)
		free(pbx->trunks[i].name);
	free(pbx->files);
	free(pbx->trunks);
	free(pbx->listeners);
	free(pbx->dir);
	free(pbx);
}

/* One number for the states of all files. */
static uint64_t stamp_all(const struct pbx *pbx, bool now)
{
	static const uint64_t key[2];
	uint64_t words[2] = { 0 };

	for (size_t i = 0; i < pbx->n_files; i++) {
		words[1] = now ? sources_stamp(pbx->files[i].path) : pbx->files[i].stamp;
		words[0] = siphash_words(key, words, 2);
	}
	return words[0];
}

uint64_t pbx_stamp(const struct pbx *pbx)
{
	return stamp_all(pbx, false);
}

uint64_t pbx_stamp_now(const struct pbx *pbx)
{
	return stamp_all(pbx, true);
}

const struct pbx_file *pbx_unreadable(const struct pbx *pbx, const struct pbx_file *after)
{
	for (size_t i = after ? (size_t)(after - pbx->files) + 1 : 0; i < pbx->n_files; i++)
		if (pbx->files[i].names_trunks && pbx->files[i].error &&
			pbx->files[i].error != ENOENT)
			return &pbx->files[i];
	return NULL;
}

const char *pbx_file_why(const struct pbx_file *file)
{
	return sources_why(file->error);
}

const char *pbx_service_name(enum pbx_service service)
{
	switch (service) {
	case PBX_SIP:
		return "SIP";
	case PBX_IAX:
		return "IAX";
	case PBX_AMI:
		return "AMI";
	case PBX_HTTP:
		return "HTTP";
	}
	return "";
}
