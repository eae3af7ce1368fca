#!/bin/bash
# Cases from the field that need a running daemon (tests/corpus/reports: 38, 39, 52).
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

D=

both_files() {
	[ "$(json '[.jails[] | select(.name == "pbx") | .files[] | .path | split("/")[-1]] | sort | join(" ")')" = \
		"log_20210913.log log_20210914.log" ]
}

until_of() {
	ban_field "$1" until
}

setup

# 38: a new file every day
D=$T/log
: >"$D/log_20210913.log"
mkdir "$T/etc/filter.d"
cp "$ROOT/tests/corpus/reports/38-a-new-dated-file-every-day/filter.conf" "$T/etc/filter.d/pbx.conf"
sed "s|/var/log/pbx/|$D/|" "$ROOT/tests/corpus/reports/38-a-new-dated-file-every-day/jail.local" \
	>"$T/etc/jails/pbx.conf"
chmod -R a+rX "$T/etc"
daemon_start --dry-run
for i in 1 2 3 4; do
	printf "[%s] NOTICE[906] res_pjsip/pjsip_distributor.c: Request 'REGISTER' from '<sip:1@192.0.2.10>' failed for '203.0.113.162:5060' (callid: d%s) - Failed to authenticate\n" \
		"$(date '+%F %T')" $i
done >"$D/.new"
mv "$D/.new" "$D/log_20210914.log"
check "38: the file of the new day bans within a second" eventually 1 is_banned 203.0.113.162
check "38: both files are followed" both_files
daemon_stop
rm "$T/etc/jails/pbx.conf"
rm -r "$T/state"

# 39: a ban keeps its end
jail asterisk
daemon_start
is "39: a ban for 12 seconds" "$(rc vg ban 203.0.113.163 --jail asterisk --for 12s)" 0
before=$(until_of 203.0.113.163)
since=$(ban_field 203.0.113.163 since)
pause 3
daemon_stop
daemon_start
is "39: the same end after a restart" "$(until_of 203.0.113.163)" "$before"
is "39: the same start" "$(ban_field 203.0.113.163 since)" "$since"
check "39: the kernel's time is what is left" [ "$(kernel 203.0.113.163 expires)" -le 9 ]
daemon_kill
daemon_start
is "39: the same end after kill -9" "$(until_of 203.0.113.163)" "$before"
check "39: in the kernel" in_kernel 203.0.113.163
check "39: until then" eventually 10 not_in_kernel 203.0.113.163
check "39: and the end was not late" [ "$(date +%s)" -le "$(($(epoch "$before") + 1))" ]
daemon_stop

# 52: ranges
defaults "ignoreip = 198.51.100.2"
daemon_start
rc vg ban 192.0.2.52 --jail asterisk >/dev/null
rc vg ban 192.0.2.70 --jail asterisk >/dev/null
is "52: unban of a range" "$(rc vg unban 192.0.2.48/28)" 0
is "52: lifts what lies in it, and no other" \
	"$(json '[.jails[] | .bans[] | .address] | join(" ")')" 192.0.2.70
is "52: a range over an ignored address is refused" \
	"$(rc vg ban 198.51.100.0/24 --jail asterisk)" 1
check "52: with the reason" grep -q "ignoreip" "$T/out"
check "52: the ignored address passes" passes 198.51.100.2
is "52: a range" "$(rc vg ban 203.0.113.0/24 --jail asterisk)" 0
is "52: is in the kernel" "$(ban_field 203.0.113.0/24 in_kernel)" true
check "52: its addresses are dropped" dropped 203.0.113.9
is "52: one of them cannot be taken out" "$(rc vg unban 203.0.113.9)" 1
check "52: and the answer says why" grep -q "203.0.113.0/24" "$T/out"
daemon_stop
finish
