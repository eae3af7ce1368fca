#!/bin/bash
# Mails about bans, by a real mail server on the PBX's loopback: what they say, STARTTLS and AUTH,
# a server that is dead or hangs, and how many leave within an hour.
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

A=198.51.100.7
SINK=
SINKS=0

# sink OPTION...: a mail server on port 25 that keeps its mails in $MAILS.
sink() {
	SINKS=$((SINKS + 1))
	MAILS=$T/mails$SINKS
	mkdir "$MAILS"
	ip netns exec "$PBX" "$PYTHON" "$E2E/smtp_sink.py" --listen 127.0.0.1:25 --dir "$MAILS" \
		--ready-file "$MAILS/ready" "$@" >>"$T/sink.log" 2>&1 &
	SINK=$!
	PIDS+=("$SINK")
	eventually 10 test -e "$MAILS/ready"
}

sink_end() {
	pid_end "$SINK"
	SINK=
}

# write_config [LINE...]: LINEs go below [mail].
write_config() {
	defaults "dest = ops@example.org" "sender = pbx@example.org" "[mail]" "server = localhost" "$@"
	jail asterisk 'action = nftables-allports' '    mail'
}

# The next daemon starts without a past: neither bans nor mails that wait.
forget() {
	rm -rf "$T/state"
	: >"$LOG"
	pbx nft flush ruleset
}

mails() {
	find "$MAILS" -name '*.eml' | wc -l
}

mails_are() {
	[ "$(mails)" -ge "$1" ]
}

# mail_has PATTERN: in the decoded text of the newest mail, headers decoded too.
mail_has() {
	"$PYTHON" -c '
import email, email.policy, re, sys
message = email.message_from_binary_file(open(sys.argv[1], "rb"), policy=email.policy.default)
text = "".join(f"{k}: {v}\n" for k, v in message.items()) + "\n" + message.get_content()
sys.exit(0 if re.search(sys.argv[2], text, re.M) else 1)' \
		"$(find "$MAILS" -name '*.eml' | sort -V | tail -n 1)" "$1"
}

test_content() {
	lines --count 4 $A
	check "the ban is in the kernel" eventually 5 in_kernel $A
	check "a mail arrives" eventually 10 mails_are 1
	check "its envelope names sender and recipient" \
		mail_has '(?s)^X-Envelope-From: pbx@example.org.*^X-Envelope-To: ops@example.org'
	check "From is the sender" mail_has '^From: .*pbx@example.org'
	check "To is the recipient" mail_has '^To: .*ops@example.org'
	check "Subject names jail and address" mail_has '^Subject: .*asterisk.*198\.51\.100\.7'
	check "it has a date" mail_has '^Date: '
	check "and a message id" mail_has '^Message-ID: <.+@.+>'
	check "the text names the address" mail_has '^Address: +198\.51\.100\.7'
	check "the jail" mail_has '^Jail: +asterisk'
	check "since when" mail_has '^Since: +20[0-9-]+ [0-9:]+'
	check "until when" mail_has '^Until: +20[0-9-]+ [0-9:]+'
	check "why: 4 failures within 10m" mail_has '4 failures within 10m'
	check "the account that was tried" mail_has "^Accounts: +'100'"
	check "the lines that led to it" mail_has '^  \[20[0-9-]+ [0-9:]+\] SECURITY\[74\] .*SecurityEvent="ChallengeResponseFailed"'
	check "that the kernel holds it" mail_has 'kernel holds the ban'
	check "how to lift it" mail_has 'voipguard unban 198\.51\.100\.7'
	is "the status is well" "$(rc vg status)" 0
}

test_rate() {
	local i
	for i in $(seq 20 39); do
		lines --count 4 "203.0.113.$i"
	done
	check "twenty more bans" eventually 5 in_kernel 203.0.113.39
	check "six mails leave within the hour" eventually 15 mails_are 6
	eventually 2 mails_are 7 || true
	is "and no seventh" "$(mails)" 6
}

# The notifier may connect to no port but that of its first settings, so another one takes its place.
test_other_port() {
	write_config
	sed -i 's/^server = localhost$/&:2525/' "$T/etc/jails/defaults.conf"
	sink --listen 127.0.0.1:2525
	check "another port: the reload is taken" vg reload
	lines --count 4 198.51.100.59
	check "another port: a mail arrives" eventually 20 mails_are 1
	check "another port: that of the new ban" mail_has '^Address: +198\.51\.100\.59'
}

# The certificate becomes the only one that the PBX's namespace trusts: `ip netns exec` puts what
# stands in /etc/netns/NAME over /etc.
trust() {
	mkdir -p "/etc/netns/$PBX/ssl/certs"
	cp "$1" "/etc/netns/$PBX/ssl/certs/$(openssl x509 -noout -hash -in "$1").0"
}

distrust() {
	rm -rf "/etc/netns/$PBX"
	rmdir /etc/netns 2>/dev/null || true # not ours alone
}

test_tls() {
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost \
		-addext subjectAltName=DNS:localhost -keyout "$T/key.pem" -out "$T/cert.pem" 2>/dev/null
	chmod 644 "$T/cert.pem"
	printf 's3cret\n' >"$T/etc/mail.password"
	chmod 600 "$T/etc/mail.password"
	chown nobody "$T/etc/mail.password"
	write_config 'tls = required' 'user = pbx' "password_file = $T/etc/mail.password"
	sink --tls "$T/cert.pem" "$T/key.pem" --require-auth pbx s3cret
	trust "$T/cert.pem"
	daemon_start
	lines --count 4 198.51.100.60
	check "STARTTLS and AUTH: the mail arrives" eventually 10 mails_are 1
	check "with its text" mail_has '^Address: +198\.51\.100\.60'
	daemon_stop
	sink_end
	forget
	distrust
	# The same server, but its certificate is not trusted: no mail in the clear instead.
	sink --tls "$T/cert.pem" "$T/key.pem" --require-auth pbx s3cret
	daemon_start
	lines --count 4 198.51.100.61
	check "an unknown certificate does not hold up the ban" eventually 5 in_kernel 198.51.100.61
	eventually 3 mails_are 1 || true
	is "but no mail leaves" "$(mails)" 0
	daemon_stop
	sink_end
}

# ban_is_at_once ADDRESS WHAT
ban_is_at_once() {
	local begin
	lines --count 4 "$1"
	begin=$(now_ms)
	check "$2: the ban is in the kernel" eventually 5 in_kernel "$1"
	check "$2: at once" [ $(($(now_ms) - begin)) -lt 1000 ]
	check "$2: its datagrams are dropped" dropped "$1"
}

test_dead_server() {
	write_config
	daemon_start
	ban_is_at_once 198.51.100.70 "no mail server"
	ban_is_at_once 198.51.100.71 "no mail server, the second"
	check "no mail server: the roles are well" [ "$(json .health.engine.ok)$(json .health.firewall.ok)" = truetrue ]
	daemon_stop
	is "no mail server: SIGTERM exits 0" "$STOP_RC" 0
	check "no mail server: within a second ($STOP_MS ms)" [ "$STOP_MS" -lt 1000 ]
}

test_kept_mail() {
	# The mails of test_dead_server were not delivered: they are kept over the stop.
	sink
	daemon_start
	check "mails that could not leave are sent later" eventually 20 mails_are 2
	daemon_stop
	sink_end
}

test_hanging_server() {
	sink --hang
	daemon_start
	ban_is_at_once 198.51.100.72 "hanging mail server"
	ban_is_at_once 198.51.100.73 "hanging mail server, the second"
	check "hanging mail server: the daemon answers" daemon_answers
	daemon_stop
	is "hanging mail server: SIGTERM exits 0" "$STOP_RC" 0
	check "hanging mail server: within a second ($STOP_MS ms)" [ "$STOP_MS" -lt 1000 ]
	sink_end
}

setup
trap 'distrust; cleanup' EXIT
write_config
sink
daemon_start
test_content
test_rate
daemon_stop
sink_end
forget
daemon_start
test_other_port
daemon_stop
sink_end
forget
test_tls
forget
test_dead_server
test_kept_mail
forget
test_hanging_server
finish
