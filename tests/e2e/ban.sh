#!/bin/bash
# A ban from the written line to the dropped packet, by hand, of a network, of ports; its end; what
# the status says of it and how the commands exit.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

A=198.51.100.7
B=203.0.113.9
SHORT=203.0.113.20
PORTS=198.51.100.30
TCP=198.51.100.40
WIDER=198.51.100.41
SIX=2001:db8:bad::9
SIX_NEAR=2001:db8:bad::77
SIX_FAR=2001:db8:bad:1::9

write_config() {
	defaults 'ignoreip = 203.0.113.200 198.51.100.192/28'
	jail asterisk
	jail short "logpath = $T/log/short.log" 'bantime = 3s'
	jail ports "logpath = $T/log/ports.log" 'action = nftables-multiport' 'port = 5060,5061' \
		'protocol = udp'
	jail forever "logpath = $T/log/forever.log" 'bantime = -1'
	: >"$T/log/short.log"
	: >"$T/log/ports.log"
	: >"$T/log/forever.log"
}

# into NAME ARGUMENT...: lines into another log.
into() {
	local name=$1
	shift
	"$PYTHON" "$E2E/lines.py" --append "$T/log/$name.log" "$@"
}

# status_has FILTER: true for the status as JSON.
status_has() {
	vg status --json >"$T/status.json" 2>/dev/null || true
	jq -e "$1" "$T/status.json" >/dev/null
}

test_ban_by_lines() {
	check "before: the attacker's datagram is answered" passes $A
	lines --event ChallengeSent $PHONE
	lines --event SuccessfulAuth $PHONE
	lines --count 3 $A
	check "three failures are counted" eventually 5 total_is asterisk 3
	check_not "three failures make no ban" is_banned $A
	lines $A
	check "the fourth puts the address into the kernel" eventually 5 in_kernel $A
	check "the attacker's datagrams are dropped" dropped $A
	check "its address may be forged: its pings pass" pings $A
	check "the phone's datagrams pass" passes $PHONE
	check "the phone's pings pass" pings $PHONE
	check "another address of the attacker's network passes" passes 198.51.100.8
	check "the status shows it in the kernel" eventually 5 is_in_kernel_by_status $A
	is "failures is 4" "$(ban_field $A failures)" 4
	is "the ban lasts bantime" \
		"$(($(epoch "$(ban_field $A until)") - $(epoch "$(ban_field $A since)")))" 3600
	is "the account is shown" "$(ban_field $A last_account)" 100
	is "the scope is Asterisk's ports" "$(ban_field $A scope)" \
		"udp:4569,5060,5061,5160,5161 tcp:5038,5060,5061,5160,5161,8088,8089"
	is "it is unproven" "$(ban_field $A proof)" unproven
	is "a phone that authenticates is nobody's failure" "$(total asterisk)" 4
}

# Asterisk says TCP: nobody forges that. The ban by UDP before it becomes a wide one.
test_proven() {
	lines --transport TCP --count 4 $TCP
	check "four failures by TCP make a ban" eventually 5 is_banned $TCP
	is "it is proven" "$(ban_field $TCP proof)" proven
	is "and closes all" "$(ban_field $TCP scope)" all
	check "its datagrams are dropped" dropped $TCP
	check "its pings, too" eventually 5 no_pings $TCP
	lines --count 4 $WIDER
	check "a ban by UDP" eventually 5 in_kernel $WIDER
	check "leaves the pings" pings $WIDER
	lines --transport TCP --count 3 $WIDER
	check "three failures by TCP inside it are counted" eventually 5 total_is asterisk 19
	check "and leave them, too" pings $WIDER
	lines --transport TCP $WIDER
	check "the fourth closes all" eventually 5 no_pings $WIDER
	is "one ban became proven" "$(ban_field $WIDER proof)" proven
	is "with one row in the status" "$(vg status --json | jq --arg a $WIDER \
		'[.jails[].bans[] | select(.address == $a)] | length')" 1
	is "unban" "$(rc vg unban $WIDER)" 0
	is "unban" "$(rc vg unban $TCP)" 0
	check "and the pings pass again" eventually 5 pings $WIDER
	check "as do its datagrams" eventually 5 passes $WIDER
}

no_pings() {
	! pings "$1"
}

counts_dropped() {
	dropped "$1" && [ "$(ban_field "$1" dropped_packets)" -gt 0 ]
}

test_status_json() {
	local stamp='test("^[0-9]{4}-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-6][0-9]Z$")'
	local part
	check "dropped packets are counted" counts_dropped $A
	check "version is a string" status_has '.version | type == "string"'
	check "uptime_s is a number" status_has '.uptime_s | type == "number"'
	check "dry_run is false" status_has '.dry_run == false'
	for part in firewall engine notifier state mail config; do
		check "health of $part is ok, with a text" status_has \
			".health.$part | (.ok == true) and (.text | type == \"string\")"
	done
	check "a jail shows its numbers" status_has '.jails[] | select(.name == "asterisk") |
		.maxretry == 4 and .findtime_s == 600 and .bantime_s == 3600'
	check "failures: none in a window after the ban, 4 in all" status_has \
		'.jails[] | select(.name == "asterisk") | .failures == {"current": 0, "total": 4}'
	check "banned: 1 now, 1 in all" status_has \
		'.jails[] | select(.name == "asterisk") | .banned == {"current": 1, "total": 1}'
	check "the file is followed to its end" status_has "(.jails[] | select(.name == \"asterisk\") |
		.files[0]) as \$f | \$f.path == \"$LOG\" and \$f.state == \"following\" and
		\$f.offset == $(stat -c %s "$LOG") and \$f.lag_bytes == 0"
	check "a ban has all its fields" status_has '.jails[] | select(.name == "asterisk") | .bans[0] |
		["address", "since", "until", "failures", "scope", "proof", "in_kernel",
		"dropped_packets", "last_account"] - keys == []'
	check "proof is proven or unproven" status_has \
		'.jails[].bans[] | .proof | . == "proven" or . == "unproven"'
	check "since and until are RFC 3339 in UTC" status_has \
		".jails[].bans[] | (.since | $stamp) and (.until | . == null or $stamp)"
	is "status exits 0 when all is well" "$(rc vg status)" 0
	check "status for people names the address" grep -qF "$A" "$T/out"
	check_not "it is not coloured outside a terminal" grep -q $'\033' "$T/out"
	is "status of one jail exits 0" "$(rc vg status asterisk)" 0
	is "status of an unknown jail exits 1" "$(rc vg status nonesuch)" 1
}

test_expiry() {
	into short --count 4 $SHORT
	check "a short ban drops" eventually 5 dropped $SHORT
	check "it ends after its bantime: the datagrams pass" eventually 8 passes $SHORT
	check "and the status no longer shows it" eventually 5 not_banned $SHORT
	check_not "nor does the kernel" in_kernel $SHORT
}

not_banned() {
	! is_banned "$1"
}

test_unban() {
	is "unban exits 0" "$(rc vg unban $A)" 0
	check "the datagrams pass again" eventually 5 passes $A
	check "the kernel no longer has it" not_in_kernel $A
	check "the status no longer shows it" not_banned $A
	is "unban of nothing exits 1" "$(rc vg unban $A)" 1
	lines --count 3 $A
	check "three more failures are counted" eventually 5 total_is asterisk 7
	check "the counter began anew" not_banned $A
	lines $A
	check "the fourth bans again" eventually 5 in_kernel $A
	is "unban by an unknown jail exits 1" "$(rc vg unban $A --jail nonesuch)" 1
	is "unban in its jail exits 0" "$(rc vg unban $A --jail asterisk)" 0
}

test_by_hand() {
	is "ban exits 0" "$(rc vg ban $B --for 90s --note 'seen in the fax log')" 0
	check "its datagrams are dropped" eventually 5 dropped $B
	is "it belongs to jail manual" "$(ban_field $B scope manual)" all
	is "for the time given" \
		"$(($(epoch "$(ban_field $B until)") - $(epoch "$(ban_field $B since)")))" 90
	is "a ban without --for exits 0" "$(rc vg ban 203.0.113.10)" 0
	is "and lasts 24 hours" "$(($(epoch "$(ban_field 203.0.113.10 until)") - \
		$(epoch "$(ban_field 203.0.113.10 since)")))" 86400
	is "a ban in a jail exits 0" "$(rc vg ban 203.0.113.11 --jail ports)" 0
	is "and closes what the jail closes" "$(ban_field 203.0.113.11 scope ports)" udp:5060,5061
	is "a /24 that holds an ignored network: exit 1" "$(rc vg ban 198.51.100.0/24)" 1
	check "and it says why" grep -q ignoreip "$T/out"
	check "none of it is in the kernel" not_in_kernel 198.51.100.0
	is "a /24 that holds nothing protected: exit 0" "$(rc vg ban 192.0.2.0/24)" 0
	check "its addresses are pinged in vain" no_pings $PHONE
	is "unban of one address inside exits 1: the /24 still holds it" "$(rc vg unban $PHONE)" 1
	check "and it names the /24" grep -qF 192.0.2.0/24 "$T/out"
	is "unban of the /24 exits 0" "$(rc vg unban 192.0.2.0/24)" 0
	check "the phone is back" eventually 5 passes $PHONE
	is "unban --all exits 0" "$(rc vg unban --all)" 0
	check "and lifts all" status_has '[.jails[].bans[]] == []'
	check "also in the kernel" not_in_kernel $B
}

test_refused() {
	is "own address: exit 1" "$(rc vg ban $PBX4)" 1
	is "on-link address: exit 1" "$(rc vg ban 10.99.0.2)" 1
	is "loopback: exit 1" "$(rc vg ban 127.0.0.1)" 1
	is "an ignoreip address: exit 1" "$(rc vg ban 203.0.113.200)" 1
	check "and it says why" grep -qi 'ignoreip' "$T/out"
	is "an unknown jail: exit 1" "$(rc vg ban $B --jail nonesuch)" 1
	is "an unknown command: exit 2" "$(rc pbx "$VG" nonesuch)" 2
	is "an unknown option: exit 2" "$(rc vg status --nonesuch)" 2
	is "no address: exit 2" "$(rc vg ban)" 2
	is "a word for an address: exit 2" "$(rc vg ban no-address)" 2
	is "a length without a set: exit 2" "$(rc vg ban 198.51.100.0/23)" 2
	is "a bad duration: exit 2" "$(rc vg ban $B --for soon)" 2
	is "somebody without the group: exit 4" "$(rc pbx setpriv --reuid 1 --regid 1 \
		--clear-groups "$VG" unban --all -s "$SOCK")" 4
	check_not "the daemon's own user is refused too" pbx setpriv --reuid nobody \
		--regid nogroup --clear-groups "$VG" unban --all -s "$SOCK" 2>/dev/null
	is "no daemon at the socket: exit 3" "$(rc pbx "$VG" status -s "$T/none.sock")" 3
	lines --count 8 203.0.113.200
	check "failures of an ignoreip address" eventually 5 lines_are_read
	check "make no ban" not_banned 203.0.113.200
	check "and its datagrams pass" passes 203.0.113.200
}

lines_are_read() {
	status_has "any(.jails[].files[]; .path == \"$LOG\" and .offset == $(stat -c %s "$LOG"))"
}

test_ipv6() {
	lines --count 4 $SIX
	check "an IPv6 address is banned as its /64" eventually 5 in_kernel 2001:db8:bad::
	check "the status shows the /64" eventually 5 is_banned 2001:db8:bad::/64
	check "its datagrams are dropped" dropped $SIX
	check "so are those of another address of the /64" dropped $SIX_NEAR
	check "the next /64 passes" passes $SIX_FAR
	check "the phone's IPv6 passes" passes $PHONE6
	is "unban of the /64 exits 0" "$(rc vg unban 2001:db8:bad::/64)" 0
	check "its datagrams pass again" eventually 5 passes $SIX
}

test_ports() {
	into ports --count 4 $PORTS
	check "a jail with ports drops its ports" eventually 5 dropped $PORTS
	check "pings still pass" pings $PORTS
	is "its scope is shown" "$(ban_field $PORTS scope)" udp:5060,5061
}

test_permanent() {
	into forever --count 4 203.0.113.30
	check "a permanent ban drops" eventually 5 dropped 203.0.113.30
	is "until is null" "$(ban_field 203.0.113.30 until)" null
	is "bantime_s of its jail is negative" \
		"$(json '.jails[] | select(.name == "forever") | .bantime_s < 0')" true
	is "the kernel has no timeout for it" "$(kernel 203.0.113.30 timeout)" null
}

test_flush() {
	vg ban $B --for 1h >/dev/null
	check "banned before the flush" eventually 5 in_kernel $B
	pbx nft flush ruleset
	check "nft flush ruleset: the ban is back at once" eventually 2 dropped $B
	check "with the rest of its time" [ "$(kernel $B expires)" -le 3600 ]
	check "the permanent one too" eventually 2 in_kernel 203.0.113.30
	is "and the status is well" "$(rc vg status)" 0
}

setup
write_config
daemon_start
test_ban_by_lines
test_status_json
test_expiry
test_unban
test_proven
test_by_hand
test_refused
test_ipv6
test_ports
test_permanent
test_flush
daemon_stop
is "SIGTERM: exit 0" "$STOP_RC" 0
finish
