#!/bin/bash
# Host names and files in ignoreip, host names in a log, names allowed by hand; with a name server
# that answers, changes its mind and is away.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

FRIEND=198.51.100.7
MOVED=198.51.100.8
HOSTS=
DNS=

# `ip netns exec` puts what stands in /etc/netns/NAME over /etc.
resolver() {
	mkdir -p "/etc/netns/$PBX"
	printf 'nameserver 127.0.0.1\n' >"/etc/netns/$PBX/resolv.conf"
}

resolver_end() {
	rm -rf "/etc/netns/$PBX"
	rmdir /etc/netns 2>/dev/null || true # not ours alone
}

# zone LINE...: what the name server knows, from the next question on.
zone() {
	printf '%s\n' "$@" >"$T/zone.new"
	mv "$T/zone.new" "$T/zone"
}

dns_up() {
	rm -f "$T/dns.ready"
	ip netns exec "$PBX" "$PYTHON" "$E2E/dns.py" --zone "$T/zone" --log "$T/dns.log" \
		--ready-file "$T/dns.ready" 2>>"$T/dns.err" &
	DNS=$!
	PIDS+=("$DNS")
	eventually 5 test -e "$T/dns.ready"
}

dns_down() {
	pid_end "$DNS"
	DNS=
}

# ignore_list WORD...: the file of ignoreip, replaced as editors do it.
ignore_list() {
	printf '%s\n' "$@" >"$T/etc/friends.new"
	chmod 644 "$T/etc/friends.new"
	mv "$T/etc/friends.new" "$T/etc/friends"
}

# hosts COUNT NAME: lines that name a host and no address.
hosts() {
	local i
	for i in $(seq "$1"); do
		printf '%s login refused from %s\n' "$(date '+%Y-%m-%d %H:%M:%S')" "$2"
	done >>"$HOSTS"
}

configure() {
	mkdir -p "$T/etc/filters"
	printf '[Definition]\nfailregex = ^\s*login refused from <HOST>$\n' \
		>"$T/etc/filters/hosts.conf"
	jail asterisk "ignoreip = pbx.example.org file:$T/etc/friends"
	printf '[hosts]\nenabled = true\nfilter = hosts\nlogpath = %s\nusedns = yes\n' "$HOSTS" \
		>"$T/etc/jails/hosts.conf"
	chmod -R a+rX "$T/etc"
}

# refuses ADDRESS: it cannot even be banned by hand.
refuses() {
	[ "$(rc vg ban "$1")" = 1 ] && grep -q protected "$T/out"
}

not_refused() {
	[ "$(rc vg ban "$1")" = 0 ] && vg unban "$1" >/dev/null
}

config_is() {
	[ "$(json .health.config.ok)" = "$1" ]
}

unresolved() {
	[ "$(json '.jails[] | select(.name == "hosts") | .unresolved')" = "$1" ]
}

test_ignoreip() {
	check "a name in ignoreip is protected" eventually 5 refuses $FRIEND
	check "with the name as the reason" grep -q 'ignoreip pbx.example.org' "$T/out"
	check "its IPv6 address too" refuses 2001:db8:f00::1
	lines --count 8 $FRIEND 198.51.100.9
	check "another address is banned" eventually 5 in_kernel 198.51.100.9
	check_not "the named one is not" is_banned $FRIEND
	check "and gets through" passes $FRIEND
	check "the configuration is well" eventually 3 config_is true
}

test_file() {
	check "an address in a file is protected" refuses 203.0.113.40
	check_not "one that is not in it is not" refuses 203.0.113.41
	vg unban 203.0.113.41 >/dev/null
	check "a name in a file is protected" eventually 5 refuses 203.0.113.44
	ignore_list 203.0.113.41 203.0.113.64/26
	check "a changed file counts at once" eventually 5 refuses 203.0.113.41
	check "with its networks" refuses 203.0.113.100
	rm "$T/etc/friends"
	check "a file that is gone is told" eventually 5 config_is false
	check "and keeps its last entries" refuses 203.0.113.41
	ignore_list 203.0.113.41
	check "until it is back" eventually 5 config_is true
}

test_usedns() {
	hosts 4 bad.example.org
	check "usedns: the address of a host is banned" eventually 5 in_kernel 203.0.113.20
	check "its second address too" eventually 5 in_kernel 203.0.113.21
	check "its packets are dropped" dropped 203.0.113.20
	is "never proven" "$(ban_field 203.0.113.20 proof)" unproven
	hosts 4 nobody.example.org
	check "a host without address is counted for nobody" eventually 5 unresolved 4
	hosts 4 liar.example.org
	hosts 4 203.0.113.22
	check "an address in the same log is banned" eventually 5 in_kernel 203.0.113.22
	check_not "a host that points at a protected address bans nobody" is_banned $FRIEND
}

test_allow() {
	is "allow takes a name" "$(rc vg allow van.example.org --note "the van")" 0
	check "it is looked up" eventually 5 refuses 203.0.113.50
	check "the status lists it" [ "$(json '.allowed[0].address')" = van.example.org ]
	is "disallow ends it" "$(rc vg disallow van.example.org)" 0
	check "for the kernel too" eventually 5 not_refused 203.0.113.50
	is "for a time" "$(rc vg allow van.example.org --for 3s)" 0
	check "it is protected" eventually 2 refuses 203.0.113.50
	check "and then not, without a reload" eventually 8 not_refused 203.0.113.50
}

test_away() {
	local begin
	dns_down
	hosts 4 late.example.org
	lines --count 4 203.0.113.30
	begin=$(now_ms)
	check "no name server: the log is followed" eventually 5 in_kernel 203.0.113.30
	check "at once" [ $(($(now_ms) - begin)) -lt 1000 ]
	check "nobody is banned for a host" eventually 15 unresolved 4
	daemon_stop
	is "no name server: SIGTERM exits 0" "$STOP_RC" 0
	daemon_start
	check "no name server at the start: the last answer protects" refuses $FRIEND
	lines --count 8 $FRIEND 203.0.113.31
	check "others are banned" eventually 5 in_kernel 203.0.113.31
	check_not "it is not" is_banned $FRIEND
}

test_change() {
	zone "pbx.example.org $MOVED"
	dns_up
	check "an answer that changes protects the new address" eventually 40 refuses $MOVED
	check "and the former one for a while" refuses $FRIEND
}

# What waits for an answer when the daemon ends is counted for nobody, and that is said.
test_end_while_waiting() {
	kill -STOP "$DNS"
	hosts 3 slow.example.org
	lines --count 4 203.0.113.33
	check "while a name is looked up the logs are followed" eventually 5 in_kernel 203.0.113.33
	pause 1.2 # each log is looked at within a second
	daemon_stop
	kill -CONT "$DNS"
	is "a name that is being looked up: SIGTERM exits 0" "$STOP_RC" 0
	check "and it is said what that leaves uncounted" \
		grep -q "3 failures of hosts whose names were being looked up" "$T/daemon.log"
}

test_never_answered() {
	dns_down
	rm -rf "$T/state"
	daemon_start
	check "a name that was never answered is told" eventually 5 config_is false
	check "by its name" grep -q "pbx.example.org" <<<"$(json .health.config.text)"
	is "the status wants a person" "$(rc vg status)" 1
	check "in the journal too" grep -q "'pbx.example.org' could not be looked up" "$T/daemon.log"
	lines --count 4 203.0.113.32
	check "and the log is followed all the same" eventually 5 in_kernel 203.0.113.32
}

setup
trap 'resolver_end; cleanup' EXIT
HOSTS=$T/log/hosts.log
: >"$HOSTS"
resolver
zone "pbx.example.org $FRIEND 2001:db8:f00::1" "bad.example.org 203.0.113.20 203.0.113.21" \
	"nobody.example.org" "liar.example.org $FRIEND" "van.example.org 203.0.113.50" \
	"home.example.org 203.0.113.44"
ignore_list 203.0.113.40 '# the founder' home.example.org
configure
dns_up
daemon_start
test_ignoreip
test_file
test_usedns
test_allow
test_away
test_change
test_end_while_waiting
test_never_answered
finish
