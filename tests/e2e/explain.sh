#!/bin/bash
# `explain`: why an address is banned, would be, or is protected.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

A=198.51.100.31
B=198.51.100.32
C=2001:db8:7::5

# says ADDRESS WORDS: the words stand in the explanation.
says() {
	vg explain "$1" >"$T/said" && grep -qF -- "$2" "$T/said"
}

# field ADDRESS FILTER: a value of the JSON.
field() {
	vg explain "$1" --json | jq -r "$2"
}

setup
jail asterisk
daemon_start
check "nobody knows it yet" says $A "Not banned, and no failure is known."
lines --count 3 $A
check "failures that do not ban yet" eventually 5 says $A "counts 3 failures within 10m; 4 ban: 1 more would."
check "the line is quoted" says $A "RemoteAddress=\"IPV4/UDP/$A/"
check "and the rule" says $A "By the rule "
check "it is not banned" says $A "Not banned."
is "the same in JSON" "$(field $A '.failures[0] | "\(.jail) \(.counted) \(.maxretry) \(.lines | length)"')" "asterisk 3 4 3"
lines --count 1 $A
check "the fourth bans" eventually 5 in_kernel $A
check "and that is explained" says $A "Banned by jail asterisk, until "
check "with what decided it" says $A "It was decided by 4 failures"
is "with its jail in JSON" "$(field $A '.bans[0].jail')" asterisk
check "the kernel has it" eventually 5 [ "$(field $A '.bans[0].in_kernel')" = true ]

is "a ban by hand" "$(rc vg ban $B --note "calls at night")" 0
check "has its note" says $B "Note: calls at night"
check "a network shows the bans in it" says 198.51.100.0/24 "The ban is of $A."
lines --count 2 $C
check "an IPv6 address is counted as its /64" eventually 5 says $C ", counted as 2001:db8:7::/64"
check "with what its neighbours did" says 2001:db8:7::9 "counts 2 failures"

is "allow" "$(rc vg allow $A --note "the office")" 0
check "protected, and why" says $A "Protected, it is never banned: allowed by hand: the office"
lines --count 3 $A
check "its failures are counted" eventually 5 says $A "counts 3 failures within 10m; 4 ban, but nobody who is protected."
lines --count 1 $A
check "one more begins anew" eventually 5 says $A "Not banned, and no failure is known."
check "and the journal says why" grep -q "$A has failed 4 times .* is protected: allowed by hand" "$T/daemon.log"
is "null in JSON for anybody else" "$(field $B .protected)" null
is "what is no address is a usage error" "$(rc vg explain nobody)" 2
daemon_stop
is "without a daemon" "$(rc vg explain $A)" 3
finish
