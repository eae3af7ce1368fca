#!/bin/bash
# Who is logged in by SSH is never banned; who only holds a connection is.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

A=198.51.100.51
B=198.51.100.52

# What logind writes of a session: ID ADDRESS STATE
session() {
	printf 'UID=0\nUSER=root\nACTIVE=1\nSTATE=%s\nREMOTE=1\nTYPE=tty\nCLASS=user\n' "$3" \
		>"$SESSIONS/$1"
	printf 'REMOTE_HOST=%s\nSERVICE=sshd\n' "$2" >>"$SESSIONS/$1"
	chmod 644 "$SESSIONS/$1"
}

# The daemon's own /run, so that no logind of this machine is asked.
own_run() {
	SESSIONS=$T/hostrun/systemd/sessions
	mkdir -p "$SESSIONS"
	printf '#!/bin/sh\nmount --bind "%s" /run && exec "$@"\n' "$T/hostrun" >"$T/bin/own_run"
	chmod 755 "$T/bin/own_run"
	UNDER=$T/bin/own_run
}

# A listener on port 22 of the PBX that says one byte and waits, and $1 connected to it.
connect_from() {
	ip netns exec "$PBX" "$PYTHON" -c 'import socket, sys, time
listener = socket.create_server(("", 22))
open(sys.argv[1], "w").close()
client = listener.accept()[0]
client.sendall(b"S")
time.sleep(120)' "$T/listening" &
	PIDS+=($!)
	eventually 5 test -e "$T/listening"
	ip netns exec "$OUT" "$PYTHON" -c 'import socket, sys, time
client = socket.create_connection((sys.argv[2], 22), source_address=(sys.argv[1], 0))
assert client.recv(1) == b"S"
open(sys.argv[3], "w").close()
time.sleep(120)' "$1" $PBX4 "$T/connected" &
	PIDS+=($!)
	eventually 5 test -e "$T/connected"
}

is_connected() {
	pbx ss -Htn state established "( sport = :22 )" dst "$1" | grep -q .
}

refused() {
	[ "$(rc vg ban "$1")" = 1 ] && grep -q "SSH session" "$T/out"
}

taken() {
	[ "$(rc vg ban "$1")" = 0 ]
}

setup
own_run
jail asterisk
daemon_start
connect_from $A
check "the attacker holds a connection to port 22" is_connected $A
lines --count 4 $A
check "his failures ban him" eventually 5 in_kernel $A
pause 2.5 # the sessions are read again within a second of a ban
check "he stays banned" in_kernel $A
check "with the connection still there" is_connected $A
check "his packets are dropped" dropped $A

session c1 $B active
check "who is logged in cannot be banned by hand" eventually 15 refused $B
check "an earlier ban is lifted" eventually 5 not_in_kernel $B
lines --count 8 $B
pause 1.5
check "nor by failures" not_in_kernel $B
check "his packets pass" passes $B
session c1 $B closing
pause 11 # the sessions are read every ten seconds
check "for some minutes after he has logged out, too" refused $B
session c2 office.example.org active
check "a session with a name protects nobody, which is said" eventually 15 \
	grep -q "the SSH session from 'office.example.org' protects nobody" "$T/daemon.log"
check "the attacker is banned all the while" in_kernel $A

daemon_stop
rm -r "$T/hostrun/systemd"
daemon_start
check "when that is over he can be banned" taken $B
check "without logind and utmp the daemon goes on" eventually 5 in_kernel $A
check_not "and complains of nothing" grep -q "cannot read the SSH sessions" "$T/daemon.log"
daemon_stop

mkdir "$T/hostrun/utmp" # cannot be read as a file
daemon_start
for address in 198.51.100.53 198.51.100.54; do
	check "a utmp that cannot be read hinders no ban" taken $address
	pause 1.5 # each ban has the sessions read again
done
is "and is named once" "$(grep -c "cannot read the SSH sessions: reading /run/utmp" "$T/daemon.log")" 1
daemon_stop
finish
