#!/bin/bash
# --dry-run decides and shows, and leaves the firewall alone.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

A=198.51.100.7

no_table() {
	! table_exists
}

setup
jail asterisk
daemon_start --dry-run
check "the status says dry run" [ "$(json .dry_run)" = true ]
is "that is no fault" "$(rc vg status)" 0
lines --count 4 $A
check "it decides to ban" eventually 5 is_banned $A
is "and does not say that the kernel has it" "$(ban_field $A in_kernel)" false
check "there is no table" no_table
check "the datagrams pass" passes $A
check "the pings pass" pings $A
rc vg ban 203.0.113.9 >/dev/null
check "a ban by hand makes no table either" no_table
rc vg unban --all >/dev/null
check "nor does an unban" no_table
is "the kernel holds no rule at all" "$(pbx nft list ruleset)" ""
daemon_stop
is "SIGTERM: exit 0" "$STOP_RC" 0
is "and nothing was left" "$(pbx nft list ruleset)" ""
finish
