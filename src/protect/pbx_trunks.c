/* The trunks that Asterisk's own configuration names. */
#include "protect/parts.h"

#include <string.h>
#include <syslog.h>

#include "base/alloc.h"
#include "base/findings.h"
#include "base/protected.h"
#include "base/text.h"
#include "decide/guard.h"
#include "pbx/pbx.h"

/* Sets what is wrong with the files ("": nothing), and logs it once. */
static void set_trouble(struct protect *protect, const struct pbx_file *file, const char *follows)
{
	char text[PROTECT_TROUBLE_MAX] = "";
	char shown[100]; /* short, so that the rest is not cut */

	if (file)
		text_format(text, sizeof(text), "asterisk_dir: '%s': %s: %s",
			text_render_string(shown, sizeof(shown), file->path), pbx_file_why(file),
			follows);
	if (strcmp(text, protect->pbx_trouble) == 0)
		return;
	memcpy(protect->pbx_trouble, text, sizeof(text));
	if (text[0])
		guard_note(protect->guard, LOG_ERR, "%s", text);
}

static bool has_trunk(const struct pbx *pbx, const struct ip *ip)
{
	for (size_t i = 0; i < pbx->n_trunks; i++)
		if (ip_equal(&pbx->trunks[i].ip, ip))
			return true;
	return false;
}

/* Protects the addresses and networks of the trunks, and only those. The firewall role hears of
 * each that the former configuration lacks, and then its bans are lifted. former NULL: there is
 * none. */
static void trunks_protect(struct protect *protect, const struct pbx *former)
{
	const struct pbx *pbx = protect->pbx;

	protected_clear(protect->protected, PROTECTED_BY_TRUNK);
	for (size_t i = 0; i < pbx->n_trunks; i++) {
		const struct pbx_trunk *trunk = &pbx->trunks[i];
		char address[IP_TEXT_MAX];

		if (!trunk->ip.family)
			continue; /* a name: see hosts_collect */
		if (!protected_add(protect->protected, &trunk->ip, trunk->because,
			    PROTECTED_BY_TRUNK))
			protect->is_full = true;
		if (former && has_trunk(former, &trunk->ip))
			continue;
		telling_add(protect, &trunk->ip, trunk->because, 0);
		if (former)
			guard_note(protect->guard, LOG_NOTICE, "%s is protected: %s",
				ip_format(&trunk->ip, address), trunk->because);
	}
}

void protect_trunks(struct protect *protect, struct pbx *pbx)
{
	protect->pbx = pbx;
	if (!pbx)
		return;
	set_trouble(protect, pbx_unreadable(pbx, NULL), "trunks in it are not protected");
	trunks_protect(protect, NULL);
	hosts_collect(protect);
}

void protect_trunks_text(const struct protect *protect, char *ret_text, size_t text_bytes)
{
	ret_text[0] = '\0';
	if (protect->pbx && protect->pbx->n_trunks)
		text_format(ret_text, text_bytes, "%zu trunk%s of %s %s protected",
			protect->pbx->n_trunks, protect->pbx->n_trunks == 1 ? "" : "s",
			text_shown_string(protect->pbx->dir).text,
			protect->pbx->n_trunks == 1 ? "is" : "are");
}

static bool was_read(const struct pbx *former, const char *path)
{
	for (size_t i = 0; i < former->n_files; i++)
		if (!former->files[i].error && strcmp(former->files[i].path, path) == 0)
			return true;
	return false;
}

/* A file that named trunks in the former reading, and that this one could not read. */
static const struct pbx_file *file_lost(const struct pbx *pbx, const struct pbx *former)
{
	const struct pbx_file *file = NULL;

	while ((file = pbx_unreadable(pbx, file)))
		if (was_read(former, file->path))
			return file;
	return NULL;
}

static void findings_tell(const struct protect *protect, const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		cleanup_free char *line = finding_format(&findings->list[i]);

		guard_note(protect->guard, LOG_WARNING, "%s", line);
	}
}

void pbx_trunks_read(struct protect *protect)
{
	struct pbx *former = protect->pbx;
	struct findings findings = { 0 };
	const struct pbx_file *lost;
	uint64_t now = former ? pbx_stamp_now(former) : 0;
	uint64_t last = protect->pbx_seen;
	struct pbx *pbx;

	protect->pbx_seen = now;
	if (former && now == pbx_stamp(former)) /* also where a fault has come and gone */
		set_trouble(protect, pbx_unreadable(former, NULL),
			"trunks in it are not protected");
	if (!former || now == pbx_stamp(former) || now == protect->pbx_tried)
		return;
	if (now != last && ++protect->pbx_waits < PROTECT_PBX_WAITS_MAX)
		return; /* it is perhaps still being written: read it once it stays as it is */
	protect->pbx_waits = 0;
	protect->pbx_tried = now;
	pbx = pbx_read(former->dir, &findings);
	findings_tell(protect, &findings);
	findings_done(&findings);
	lost = file_lost(pbx, former);
	if (lost) {
		set_trouble(protect, lost, "the last trunks stay protected");
		pbx_free(pbx);
		return;
	}
	protect->pbx = pbx;
	set_trouble(protect, pbx_unreadable(pbx, NULL), "trunks in it are not protected");
	trunks_protect(protect, former);
	hosts_collect(protect); /* before the texts of the former trunks are freed */
	pbx_free(former);
}

void pbx_trunks_done(struct protect *protect)
{
	pbx_free(protect->pbx);
}
