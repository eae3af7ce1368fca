#!/bin/bash
# What scripts ask of fail2ban's client, with its output byte for byte.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

A=198.51.100.31
B=198.51.100.32

f2b() {
	pbx timeout 20 "$VG" fail2ban-client -s "$SOCK" "$@"
}

setup
jail asterisk
jail sshd "ignoreip = 192.0.2.77"
daemon_start
expected=$(printf 'Status\n|- Number of jail:\t2\n`- Jail list:\tasterisk, sshd')
is "status, byte for byte" "$(f2b status)" "$expected"
is "the list is the second field" "$(f2b status | grep 'Jail list' | cut -f2)" "asterisk, sshd"
is "there is no third" "$(f2b status | grep 'Jail list' | cut -s -f3)" ""
is "ping" "$(f2b ping)" "Server replied: pong"
is "a jail's name left out fails" "$(rc f2b set addignoreip 192.0.2.9)" 1
check "and says that there is no such jail" grep -q "no jail 'addignoreip'" "$T/out"
is "and changes nothing" "$(json '.allowed | length')" 0
ignored=$(printf 'These IP addresses/networks are ignored:\n`- 192.0.2.9')
is "addignoreip shows the list" "$(f2b set asterisk addignoreip 192.0.2.9)" "$ignored"
is "get ignoreip too" "$(f2b get asterisk ignoreip)" "$ignored"
ignored=$(printf 'These IP addresses/networks are ignored:\n|- 192.0.2.77\n`- 192.0.2.9')
is "those of the jail's file stand first" "$(f2b get sshd ignoreip)" "$ignored"
is "an ignored address is not banned" "$(rc f2b set asterisk banip 192.0.2.9)" 1
is "delignoreip" "$(f2b set asterisk delignoreip 192.0.2.9)" "No IP address/network is ignored"
is "banip counts what it banned" "$(f2b set asterisk banip $A $B)" 2
check "in the kernel" in_kernel $A
is "get banip" "$(f2b get asterisk banip | tr ' ' '\n' | sort | tr '\n' ' ')" "$A $B "
is "unbanip" "$(f2b set asterisk unbanip $A)" 1
check "gone from the kernel" eventually 2 not_in_kernel $A
is "banned" "$(f2b banned)" "[{'asterisk': ['$B']}, {'sshd': []}]"
expected=$(printf 'Status for the jail: asterisk\n|- Filter\n|  |- Currently failed:\t0\n|  |- Total failed:\t0\n|  `- File list:\t%s\n`- Actions\n   |- Currently banned:\t1\n   |- Total banned:\t2\n   `- Banned IP list:\t%s' "$LOG" $B)
is "status of a jail, byte for byte" "$(f2b status asterisk)" "$expected"
is "get findtime" "$(f2b get asterisk findtime)" 600
is "unban" "$(f2b unban $B)" 1
is "reload" "$(f2b reload)" OK
is "a setting cannot be changed while it runs" "$(rc f2b set asterisk maxretry 9)" 1
is "status of no jail fails" "$(rc f2b status nojail)" 1
is "an unknown word is a usage error" "$(rc f2b frobnicate)" 2
daemon_stop
finish
