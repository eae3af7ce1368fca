#!/bin/bash
# Protection by hand: it lifts, it protects at once, it lasts over restarts, it ends.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

A=198.51.100.21
B=198.51.100.22
C=198.51.100.23

allowed() {
	[ "$(json '.allowed[] | select(.address == $a) | .note' --arg a "$1")" = "$2" ]
}

not_banned() {
	! is_banned "$1"
}


setup
jail asterisk
daemon_start
lines --count 4 $A
check "four failures ban" eventually 5 in_kernel $A
is "allow" "$(rc vg allow $A --note "the office")" 0
check "the ban is lifted" eventually 2 not_in_kernel $A
check "its packets pass" passes $A
check "the status names it with its note" allowed $A "the office"
lines --count 6 $A
is "a ban by hand is refused" "$(rc vg ban $A)" 1
check "with the reason" grep -q "allowed by hand: the office" "$T/out"
is "so is a wider one over it" "$(rc vg ban 198.51.100.0/24)" 1
is "what is neither address nor name is a usage error" "$(rc vg allow 192.0.2.999)" 2
is "so is everybody" "$(rc vg allow 0.0.0.0/0)" 2
is "and a time that is over" "$(rc vg allow $B --for -5)" 2

is "allow for a second" "$(rc vg allow $B --for 1s)" 0
pause 2.5
check "then it is no longer named" [ -z "$(json '.allowed[] | select(.address == $a)' --arg a $B)" ]
is "and can be banned" "$(rc vg ban $B)" 0
check "by the kernel too" eventually 2 in_kernel $B

daemon_stop
daemon_start
check "it lasts over a restart" allowed $A "the office"
lines --count 6 $A
pause 0.5
check "and nobody is banned" not_banned $A
check "nor in the kernel" not_in_kernel $A
daemon_kill
daemon_start
check "and over a kill -9" allowed $A "the office"

is "disallow of another address" "$(rc vg disallow $C)" 1
is "disallow" "$(rc vg disallow $A)" 0
lines --count 4 $A
check "then failures ban again" eventually 5 in_kernel $A
daemon_stop
finish
