#!/bin/bash
# The kernel's copies of SIP challenges: the rule, the socket from role to role, what the engine knows
# by it; what costs proofs, and a group that another program has.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

A=198.51.100.7
B=203.0.113.9
SIX=2001:db8:bad::9
OURS=5062
FOREIGN=5080
# Without what stands before it: nft knows the name of UDP by /etc/protocols, if that is there.
RULE='@th,64,80 0x5349502f322e30203430 log group 5060 snaplen 2048'

write_config() {
	defaults "$@"
	sed -i "s/^\[voipguard\]\$/&\nsip_port = 5060,$OURS/" "$T/etc/jails/defaults.conf"
	jail asterisk
}

# challenger PORT: a PBX that makes challenges there.
challenger() {
	ip netns exec "$PBX" "$PYTHON" "$E2E/challenge.py" answer --ready-file "$T/challenger.$1" "$1" \
		>/dev/null 2>>"$T/answer.log" &
	PIDS+=("$!")
	eventually 5 test -e "$T/challenger.$1"
}

# asks ADDRESS [OPTION...]: a challenge comes back, as one with a nonce.
asks() {
	local from=$1
	shift
	outside "$PYTHON" "$E2E/challenge.py" ask --from "$from" --to "$(pbx_address "$from")" \
		--port $OURS "$@" >"$T/nonce"
}

# asks_elsewhere ADDRESS OPTION...: the challenge goes elsewhere, or is not read.
asks_elsewhere() {
	local status=0
	asks "$@" || status=$?
	[ "$status" -eq 3 ]
}

# wire FIELD: of the status.
wire() {
	json ".proof.wire.$1"
}

wire_is() {
	[ "$(wire "$1")" = "$2" ]
}

wire_over() {
	[ "$(wire "$1")" -gt "$2" ]
}

chain() {
	pbx nft list chain inet voipguard wire_output 2>/dev/null
}

has_rule() {
	chain | grep -qF "$RULE"
}

no_chain() {
	! chain >"$T/out"
}

test_start() {
	check "the rule is in the kernel" has_rule
	is "and once" "$(chain | grep -c log)" 1
	check "the engine gets the socket" eventually 5 wire_is text \
		'after a start or lost copies no challenge proves for 40 s'
	is "that is no fault of the guard" "$(rc vg status)" 0
	check "a challenge is seen at once" asks $A
	check "it is counted" eventually 2 wire_is challenges 1
	check "after a while challenges prove" eventually 60 wire_is ok true
}

test_copies() {
	is "nothing to say then" "$(wire text)" ""
	check "over IPv4" asks $B
	check "over IPv6" asks $SIX
	check "they are counted" eventually 2 wire_is challenges 3
	is "with their nonces" "$(wire nonces)" 3
	check "to another address than the source" asks_elsewhere $B --maddr $A
	check "that is seen too" eventually 2 wire_is challenges 4
	check "what leaves another port" asks $A --port $FOREIGN
	check "is counted apart" eventually 2 wire_is foreign 1
	is "no copy was lost" "$(wire lost)" 0
	is "all were read" "$(wire unreadable)" 0
}

# ban_is ADDRESS "PROOF SCOPE..."
ban_is() {
	[ "$(json '.jails[].bans[] | select(.address == $a) | "\(.proof) \(.scope)"' --arg a "$1")" = "$2" ]
}

test_proof() {
	check "a caller is challenged" asks 198.51.100.8
	lines --count 4 --nonce "$(cat "$T/nonce")" 198.51.100.8
	check "who answers the challenge is proven, and loses every port" eventually 5 \
		ban_is 198.51.100.8 "proven all"
	check "in the kernel" eventually 5 in_kernel 198.51.100.8
	lines --event InvalidAccountID --count 4 198.51.100.9
	check "who never got one is not" eventually 5 in_kernel 198.51.100.9
	check_not "nor loses every port" ban_is 198.51.100.9 "proven all"
	check "another one is challenged" asks 198.51.100.10
	lines --count 4 --nonce "$(cat "$T/nonce")" 198.51.100.11
	check "his challenge proves nobody else" eventually 5 in_kernel 198.51.100.11
	check_not "who loses no more than Asterisk's ports" ban_is 198.51.100.11 "proven all"
	lines --count 3 --nonce "$(cat "$T/nonce")" 198.51.100.10
	lines --event InvalidAccountID 198.51.100.10
	check "for a while the address is proven without one" eventually 5 \
		ban_is 198.51.100.10 "proven all"
}

test_losses() {
	check "a long answer comes" asks $B --pad 2500
	check "it cannot be read" eventually 2 wire_is unreadable 1
	is "all nonces are forgotten" "$(wire nonces)" 0
	check "and the status says that nothing proves" eventually 2 wire_is ok false

	pbx nft flush ruleset
	check "a flushed rule comes back" eventually 5 has_rule
	check "copies may be missing then" eventually 2 wire_is lost 1
	pbx nft delete chain inet voipguard wire_output
	check "a deleted chain comes back" eventually 5 has_rule
	check "and again" eventually 2 wire_is lost 2
	check "challenges are seen again" asks $B
	check "and counted" eventually 2 wire_over challenges 4
}

# The engine stands still while more copies come than its socket holds.
test_flood() {
	local engine before
	before=$(wire lost)
	engine=$(pgrep -P "$DAEMON" -f 'role engine')
	kill -STOP "$engine"
	asks $B --count 40000 || true
	kill -CONT "$engine"
	check "the flood is noticed as a loss" eventually 10 wire_over lost "$before"
	lines --count 4 $A
	check "bans go on" eventually 5 in_kernel $A
}

test_reload() {
	is "a reload" "$(rc vg reload)" 0
	check "the next engine has the socket" eventually 5 wire_is text \
		'after a start or lost copies no challenge proves for 40 s'
	check "and reads it" asks $B
	check "and counts" eventually 2 wire_over challenges 0
	is "the rule stands once" "$(chain | grep -c log)" 1
	rm "$T/etc/jails/asterisk.conf"
	printf '[Definition]\nfailregex = ^failed from <ADDR>$\n' >"$T/etc/plain.conf"
	mkdir -p "$T/etc/filters"
	mv "$T/etc/plain.conf" "$T/etc/filters/plain.conf"
	chmod -R a+rX "$T/etc"
	FILTER=plain jail plain
	is "a reload without Asterisk" "$(rc vg reload)" 0
	check "needs no copies" eventually 5 no_chain
	is "and says so" "$(json .proof.wire)" null
	rm "$T/etc/jails/plain.conf"
	jail asterisk
	is "with it again" "$(rc vg reload)" 0
	check "it has its rule" eventually 5 has_rule
}

test_stop() {
	daemon_stop
	is "SIGTERM: exit 0" "$STOP_RC" 0
	check "no rule is left" no_chain
	check "the bans stay" table_exists
}

test_taken() {
	ip netns exec "$PBX" "$PYTHON" "$E2E/challenge.py" listen --ready-file "$T/listener" 5060 &
	PIDS+=("$!")
	eventually 5 test -e "$T/listener"
	daemon_start
	check "a group that is taken is named" eventually 5 wire_is text \
		'NFLOG group 5060 is taken: another program listens to it (nflog_group)'
	is "nothing proves" "$(wire ok)" false
	is "the guard is well without" "$(rc vg status)" 0
	lines --count 4 $B
	check "and bans" eventually 5 in_kernel $B
	sed -i 's/^sip_port/nflog_group = 5061\n&/' "$T/etc/jails/defaults.conf"
	is "with another group" "$(rc vg reload)" 0
	check "there are copies" eventually 5 wire_is text \
		'after a start or lost copies no challenge proves for 40 s'
	is "by that one" "$(chain | grep -c 'log group 5061 ')" 1
	daemon_stop
}

setup
write_config
challenger $OURS
challenger $FOREIGN
daemon_start
test_start
test_copies
test_proof
test_losses
test_flood
test_reload
test_stop
test_taken
finish
