#!/bin/bash
# Without a daemon, root can still unban: in the kernel and in the database.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

A=198.51.100.7
B=203.0.113.9

setup
jail asterisk
daemon_start
lines --count 4 $A
check "an attacker is banned" eventually 5 is_banned $A
is "a ban by hand" "$(rc vg ban $B)" 0
daemon_stop
check "the ban stays without a daemon" dropped $A
is "unban without a daemon exits 0" \
	"$(rc pbx "$VG" unban $A -c "$T/etc" --state "$T/state" -s "$SOCK")" 0
check "its datagrams pass" passes $A
check "the other ban stays" dropped $B
is "what is not banned: exit 1" \
	"$(rc pbx "$VG" unban $A -c "$T/etc" --state "$T/state" -s "$SOCK")" 1
daemon_start
check "the next start does not bring it back" passes $A
is "the other is shown" "$(ban_field $B in_kernel)" true
daemon_stop
finish
