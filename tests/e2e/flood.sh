#!/bin/bash
# A thousand attackers within a moment: all of them end in the kernel, and the phone is not touched.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

ADDRESSES=()

make_addresses() {
	local i
	for i in $(seq 1 254); do
		ADDRESSES+=("198.51.100.$i" "203.0.113.$i")
	done
	for i in $(seq 1 492); do
		ADDRESSES+=("$(printf '2001:db8:bad:%x::9' "$i")")
	done
}

banned_are() {
	[ "$(json '.jails[] | select(.name == "asterisk") | .banned.current')" = "$1" ]
}

# Elements of all sets of the table.
elements() {
	pbx nft -j list ruleset | jq '[.nftables[].set? // empty |
		select(.table == "voipguard") | .elem[]?] | length'
}

elements_are() {
	[ "$(elements)" -eq "$1" ]
}

setup
jail asterisk 'unproven = jail' # one element an address
make_addresses
daemon_start
begin=$(now_ms)
lines --count 4 "${ADDRESSES[@]}"
check "1000 addresses with 4 lines each: 1000 elements in the kernel" \
	eventually 20 elements_are ${#ADDRESSES[@]}
echo "# $((${#ADDRESSES[@]} * 4)) lines in $(($(now_ms) - begin)) ms, writing them included"
check "1000 bans in the status" eventually 5 banned_are 1000
is "4000 failures in all" "$(total asterisk)" 4000
check "all of them in the kernel" [ "$(json '[.jails[].bans[] | select(.in_kernel)] | length')" = 1000 ]
check "the first is dropped" dropped 198.51.100.1
check "the last is dropped" dropped 203.0.113.254
check "the phone passes" passes $PHONE
check "the phone's IPv6 passes" passes $PHONE6
is "the status is well" "$(rc vg status)" 0
is "unban --all exits 0" "$(rc vg unban --all)" 0
check "and empties the kernel's sets" eventually 10 elements_are 0
check "the first passes again" passes 198.51.100.1
daemon_stop
is "SIGTERM: exit 0" "$STOP_RC" 0
finish
