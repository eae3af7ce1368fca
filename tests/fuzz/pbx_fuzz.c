/* Asterisk's own configuration. Input: files, one behind the other, a byte 1 between them, for the
 * names below; an empty one is left out. No #include leaves the directory. */
#include "fuzz.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/findings.h"
#include "base/host_name.h"
#include "pbx/pbx.h"

static const char *const names[] = { "pjsip.conf", "a.conf", "sip.conf", "b.conf", "iax.conf",
	"manager.conf", "http.conf", "pjsip_wizard.conf" };

/* Paths of the machine's own would make runs differ. */
static void stay_inside(char *text, size_t length)
{
	bool is_command = false;

	for (size_t i = 0; i < length; i++) {
		if (text[i] == '\n')
			is_command = false;
		else if (text[i] == '#')
			is_command = true;
		else if (is_command && text[i] == '/')
			text[i] = '_';
	}
}

static void trunk_check(const struct pbx *pbx, const struct pbx_trunk *trunk)
{
	bool is_mine = false;

	for (size_t i = 0; i < pbx->n_files; i++)
		is_mine = is_mine || pbx->files[i].path == trunk->at.file;
	fuzz_need(is_mine && trunk->at.line, "a place in a file that was read");
	fuzz_need_shown(trunk->because);
	if (trunk->name)
		fuzz_need(host_name_is_valid(trunk->name, strlen(trunk->name)), "a host name");
	fuzz_need(!trunk->name == (trunk->ip.family != 0), "either name or address");
	fuzz_need(ip_is_canonical(&trunk->ip), "a canonical address");
	if (trunk->ip.family)
		fuzz_need(trunk->ip.bits >= (trunk->ip.family == 4 ? PBX_TRUNK_BITS4_MIN
								   : PBX_TRUNK_BITS6_MIN),
			"not everybody");
}

static void pbx_check(const struct pbx *pbx)
{
	fuzz_need(pbx->n_files <= PBX_FILES_MAX && pbx->n_trunks <= PBX_TRUNKS_MAX &&
			  pbx->n_listeners <= PBX_LISTENERS_MAX,
		"bounded lists");
	for (size_t i = 0; i < pbx->n_trunks; i++)
		trunk_check(pbx, &pbx->trunks[i]);
	for (size_t i = 0; i < pbx->n_listeners; i++) {
		const struct pbx_listener *listener = &pbx->listeners[i];

		fuzz_need(listener->port, "a port");
		fuzz_need(listener->protocol == IPPROTO_UDP || listener->protocol == IPPROTO_TCP,
			"a protocol");
		fuzz_need(ip_is_canonical(&listener->address), "a canonical address");
	}
	fuzz_need(pbx_stamp(pbx) == pbx_stamp_now(pbx), "unchanged");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
	struct fuzz_input input = { bytes, length };
	struct findings findings = { 0 };
	char directory[64];
	struct pbx *pbx;
	int fd = fuzz_free_fd();

	fuzz_directory_new(directory);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names) && !fuzz_is_at_end(&input); i++) {
		size_t size;
		char *piece = fuzz_piece(&input, '\1', &size);

		stay_inside(piece, size);
		if (size)
			fuzz_file_write(directory, names[i], piece, size);
		free(piece);
	}
	pbx = pbx_read(directory, &findings);
	pbx_check(pbx);
	pbx_free(pbx);
	fuzz_need(findings.count <= PBX_WARNINGS_MAX + 1 && !findings.errors, "few warnings");
	for (size_t i = 0; i < findings.count; i++) {
		char *text = finding_format(&findings.list[i]);

		fuzz_need_shown(text);
		free(text);
	}
	findings_done(&findings);
	fuzz_directory_remove(directory);
	fuzz_need(fuzz_free_fd() == fd, "nothing left open");
	return 0;
}
