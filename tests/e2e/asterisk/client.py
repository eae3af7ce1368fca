#!/usr/bin/python3
"""Phones and attackers for a real Asterisk: SIP with MD5 digests over UDP, TCP, TLS, AMI and IAX2.

client.py phone --from A --user U [--transport T] [--every S --counter F] [--mistypes N]
                [--dials EXTENSION]     exit 0: registered (and called), 3: not
client.py list KIND                     the cases: NAME SOURCE EXPECTED-IN-TEXT EXPECTED-IN-JSON
client.py send KIND [NAME...]           those cases, each from its own address
client.py flood --from A --file F       wrong passwords until F is gone; prints how many
client.py copytruncate SUFFIX FILE...   FILE is copied to FILESUFFIX and emptied
"""
import argparse
import hashlib
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time

PBX4 = "10.99.0.1"
PBX6 = "2001:db8:99::1"
PHONE = "192.0.2.140"     # registered, and named by forgers: an eleven-byte address
INNOCENT = "192.0.2.166"  # never seen: nothing but the reader's care protects it
WAIT_S = 1.0              # nothing here takes a hundredth of it
NO_ANSWER = 3             # not 1: that is what a traceback exits with
MAXRETRY = 4
AMI_PORT = 5038
IAX_PORT = 4569


class Caller:
    """One socket from `source` to the PBX."""

    def __init__(self, source, transport="udp", port=None):
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        self.transport = transport
        self.pbx = PBX6 if ":" in source else PBX4
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.socket = socket.socket(family, kind)
        self.socket.settimeout(WAIT_S)
        self.socket.bind((source, 0))
        self.socket.connect((self.pbx, port or (5061 if transport == "tls" else 5060)))
        if transport == "tls":
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            self.socket.settimeout(2)
            self.socket = context.wrap_socket(self.socket)
            self.socket.settimeout(WAIT_S)
        name = self.socket.getsockname()
        host = f"[{name[0]}]" if ":" in source else name[0]
        self.me = f"{host}:{name[1]}"
        self.pbx_host = f"[{self.pbx}]" if ":" in source else self.pbx
        self.buffer = b""

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def receive(self):
        """One SIP message, or None when none comes."""
        try:
            if self.transport == "udp":
                return self.socket.recv(65535)
            while b"\r\n\r\n" not in self.buffer:
                data = self.socket.recv(65535)
                if not data:
                    return None
                self.buffer += data
            head, _, rest = self.buffer.partition(b"\r\n\r\n")
            length = int((re.search(rb"(?i)\r\n(?:content-length|l): *(\d+)", head) or [0, 0])[1])
            self.buffer = rest[length:]
            return head
        except OSError:
            return None

    def ask(self, message, cseq):
        """The final answer to request `cseq`: (status, header bytes), or None."""
        try:
            self.socket.sendall(message)
        except OSError:
            return None
        while (answer := self.receive()) is not None:
            status = re.match(rb"SIP/2\.0 (\d{3})", answer)
            if status and int(status[1]) >= 200 and b"CSeq: %d " % cseq in answer:
                return int(status[1]), answer
        return None


class Dialogue:
    """Requests with one Call-ID, as one phone sends them."""

    def __init__(self, caller, user="100", call_id=None, method="REGISTER", to=None, display=b""):
        self.caller = caller
        self.user = user.encode() if isinstance(user, str) else user
        self.call_id = call_id if call_id is not None else os.urandom(8).hex().encode()
        self.method = method
        self.to = (to or "").encode() or self.user
        self.display = display
        self.tag = os.urandom(4).hex()
        self.cseq = 0

    def request(self, authorization=None):
        self.cseq += 1
        caller = self.caller
        host = caller.pbx_host.encode()
        uri = b"sip:" + (self.to + b"@" if self.method != "REGISTER" else b"") + host
        body = b""
        if self.method == "INVITE":
            body = (f"v=0\r\no=- 1 1 IN IP4 {PHONE}\r\ns=-\r\nc=IN IP4 {PHONE}\r\nt=0 0\r\n"
                    "m=audio 4000 RTP/AVP 0\r\n").encode()
        lines = [self.method.encode() + b" " + uri + b" SIP/2.0",
                 f"Via: SIP/2.0/{caller.transport.upper()} {caller.me};rport;"
                 f"branch=z9hG4bK{os.urandom(8).hex()}".encode(),
                 b"Max-Forwards: 70",
                 b"From: " + self.display + b"<sip:" + self.user + b"@" + host + b">;tag=" +
                 self.tag.encode(),
                 b"To: <sip:" + self.to + b"@" + host + b">",
                 b"Call-ID: " + self.call_id,
                 f"CSeq: {self.cseq} {self.method}".encode(),
                 f"Contact: <sip:phone@{caller.me};transport={caller.transport}>".encode()]
        if authorization:
            lines.append(authorization)
        if body:
            lines.append(b"Content-Type: application/sdp")
        lines.append(b"Content-Length: %d" % len(body))
        return b"\r\n".join(lines) + b"\r\n\r\n" + body

    def ask(self, authorization=None):
        message = self.request(authorization)
        answer = self.caller.ask(message, self.cseq)
        if self.method == "INVITE" and answer and answer[0] >= 300:
            self.acknowledge(message)
        return answer

    def acknowledge(self, message):
        """Else Asterisk repeats its answer for 32 s."""
        ack = re.sub(rb"CSeq: (\d+) INVITE", rb"CSeq: \1 ACK", message.partition(b"\r\n\r\n")[0])
        ack = re.sub(rb"\r\n(?:Content-\w+|Authorization|Contact): [^\r]*", b"", ack)
        ack = ack.replace(b"INVITE", b"ACK", 1) + b"\r\nContent-Length: 0\r\n\r\n"
        self.caller.socket.sendall(ack)

    def digest(self, answer, password, nonce=None):
        """The Authorization header for the challenge in `answer`."""
        realm = re.search(rb'realm="([^"]*)"', answer)[1].decode()
        nonce = nonce or re.search(rb'nonce="([^"]*)"', answer)[1].decode()
        opaque = re.search(rb'opaque="([^"]*)"', answer)
        user = self.user.decode("latin-1")
        uri = f"sip:{self.caller.pbx_host}"
        a1 = hashlib.md5(f"{user}:{realm}:{password}".encode()).hexdigest()
        a2 = hashlib.md5(f"{self.method}:{uri}".encode()).hexdigest()
        cnonce = os.urandom(4).hex()
        response = hashlib.md5(f"{a1}:{nonce}:00000001:{cnonce}:auth:{a2}".encode()).hexdigest()
        header = (f'Authorization: Digest username="{user}",realm="{realm}",nonce="{nonce}",'
                  f'uri="{uri}",response="{response}",algorithm=MD5,qop=auth,nc=00000001,'
                  f'cnonce="{cnonce}"')
        if opaque:
            header += f',opaque="{opaque[1].decode()}"'
        return header.encode()

    def login(self, password):
        """The status of the request with credentials, None without an answer."""
        answer = self.ask()
        if answer is None or answer[0] != 401:
            return answer and answer[0]
        answer = self.ask(self.digest(answer[1], password))
        return answer and answer[0]


# ---- one try of each kind: returns false when nothing answered ----

def register(transport="udp", user="100", password="wrong"):
    def one(source):
        with Caller(source, transport) as caller:
            return Dialogue(caller, user).login(password) is not None
    return one


def invite(source):
    with Caller(source) as caller:
        return Dialogue(caller, method="INVITE", to="100").login("wrong") is not None


def unknown(source):
    with Caller(source) as caller:
        return Dialogue(caller, "9999").ask() is not None


def scan(source):
    with Caller(source) as caller:
        return Dialogue(caller, method="OPTIONS").ask() is not None


def stale(source):
    """The right password over a nonce of another day."""
    with Caller(source) as caller:
        dialogue = Dialogue(caller, "104")
        answer = dialogue.ask()
        if answer is None:
            return False
        nonce = "1700000000/0123456789abcdef0123456789abcdef"
        return dialogue.ask(dialogue.digest(answer[1], "correct-104", nonce)) is not None


def ami(*lines):
    """Lines of one login; {key:SECRET} becomes the MD5 key for this session's challenge."""
    def one(source):
        with Caller(source, "tcp", AMI_PORT) as caller:
            caller.socket.settimeout(3)
            sock = caller.socket.makefile("rwb")
            if not sock.readline().startswith(b"Asterisk Call Manager"):
                return False
            if any(line.startswith(b"AuthType") for line in lines):
                sock.write(b"Action: Challenge\r\nAuthType: MD5\r\n\r\n")
                sock.flush()
                while sock.readline().strip():
                    pass
            sock.write(b"Action: Login\r\n" + b"".join(x + b"\r\n" for x in lines) + b"\r\n")
            sock.flush()
            return bool(sock.readline())
    return one


def ami_login(user, secret):
    return ami(b"Username: " + user, b"Secret: " + secret)


def ami_key(key):
    return ami(b"AuthType: MD5", b"Username: admin", b"Key: " + key)


def iax_register(user):
    """One frame that asks to register, without the token that proves a source: it is refused, and an
    ERROR shows the user's name. Nothing answers."""
    frame = struct.pack("!HHIBBBB", 0x8000 | 1, 0, 0, 0, 0, 6, 13)  # full, IAX, REGREQ
    frame += struct.pack("BB", 6, len(user)) + user  # an element: USERNAME

    def one(source):
        with Caller(source, port=IAX_PORT) as caller:
            caller.socket.sendall(frame)
        return True
    return one


# ---- hostile values ----

def forged(victim, transport="UDP"):
    return (f'",LocalAddress="IPV4/{transport}/{PBX4}/5060",'
            f'RemoteAddress="IPV4/{transport}/{victim}/5060').encode()


def head(event, service="PJSIP", account="100", session=None):
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime())
    event_tv = time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime())
    return (f'[{stamp}] SECURITY[74] res_security_log.c: SecurityEvent="{event}",'
            f'EventTV="{event_tv}",Severity="Error",Service="{service}",EventVersion="1",'
            f'AccountID="{account}",SessionID="{session or os.urandom(4).hex()}').encode()


TAIL = b'",Challenge="1",Response="1",ExpectedResponse="'


def new_id(end=b""):
    return os.urandom(4).hex().encode() + end


def wrong_password_id(end):
    """A wrong password under a new Call-ID with this end: ChallengeResponseFailed."""
    def one(source):
        with Caller(source) as caller:
            return Dialogue(caller, call_id=new_id(end())).login("wrong") is not None
    return one


def unknown_id(end, transport="udp", **more):
    """An unknown account under a new Call-ID with this end: InvalidAccountID."""
    def one(source):
        with Caller(source, transport) as caller:
            return Dialogue(caller, "9999", call_id=new_id(end()), **more).ask() is not None
    return one


def same_id(one):
    """Tries that all have one Call-ID, each with an account of its own: two of them look like the
    two lines of one exchange."""
    def two(source):
        call_id = b"same@" + source.encode()
        with Caller(source) as caller:
            return one(Dialogue(caller, "9998", call_id)) and one(Dialogue(caller, "9999", call_id))
    return two


def unknown_user(user):
    def one(source):
        with Caller(source) as caller:
            return Dialogue(caller, user).ask() is not None
    return one


def credentials(nonce, response):
    """A digest of the attacker's own bytes."""
    def one(source):
        with Caller(source) as caller:
            dialogue = Dialogue(caller)
            if dialogue.ask() is None:
                return False
            return dialogue.ask(b'Authorization: Digest username="100",realm="asterisk",nonce="' +
                                nonce + b'",uri="sip:x",response="' + response + b'"') is not None
    return one


def glued(accomplice, user):
    """Records too long for Asterisk's buffer, so that the next one continues their line: here the
    wrong password of an accomplice. An unknown account makes two such records."""
    def one(source):
        with Caller(source) as caller, Caller(accomplice) as other:
            dialogue = Dialogue(other)
            challenge = dialogue.ask()
            if challenge is None or Dialogue(caller, user, call_id=b"G" * 8200).ask() is None:
                return False
            return dialogue.ask(dialogue.digest(challenge[1], "wrong")) is not None
    return one


def cut(source):
    """A wrong password in a record without an end, which a phone's record continues."""
    with Caller(source) as caller:
        answer = Dialogue(caller, call_id=new_id(b"C" * 8200)).login("wrong")
    scan(PHONE)
    return answer is not None


def one_cut(source):
    """The same in one record, as the nonce is of a dialogue with a short Call-ID: that and the
    phone's make a line that is no longer than others."""
    with Caller(source) as caller:
        dialogue = Dialogue(caller)
        challenge = dialogue.ask()
        if challenge is None:
            return False
        dialogue.call_id = new_id(b"C" * 8200)
        answer = dialogue.ask(dialogue.digest(challenge[1], "wrong"))
    scan(PHONE)
    return answer is not None


def glued_account(source):
    """36 bytes that look like the end of a record, glued to a cut one."""
    with Caller(source) as caller:
        if Dialogue(caller, call_id=new_id(b"G" * 8200)).ask() is None:
            return False
        return Dialogue(caller, f"oteAddress=%22IPV4/UDP/{V}/1%22%0a").ask() is not None


# Banned for their own records; the second one's are behind so much that a text file's line ends
# before them.
ACCOMPLICES = ("203.0.113.98", "203.0.113.99")
ESC = b"\x1b"
V = INNOCENT

# name: (source, expected in text files, in [json], one try).
ATTACKS = {
    "wrong password over UDP": ("198.51.100.10", "banned", "banned", register()),
    "wrong password over TCP": ("198.51.100.11", "banned", "banned", register("tcp")),
    "wrong password over TLS": ("198.51.100.12", "banned", "banned", register("tls")),
    "wrong password over UDP and IPv6": ("2001:db8:bad:a::9", "banned", "banned", register()),
    "wrong password over TCP and IPv6": ("2001:db8:bad:b::9", "banned", "banned", register("tcp")),
    "wrong password over TLS and IPv6": ("2001:db8:bad:c::9", "banned", "banned", register("tls")),
    "calls with a wrong password": ("198.51.100.13", "banned", "banned", invite),
    "unknown accounts": ("198.51.100.14", "banned", "banned", unknown),
    "unknown accounts with credentials": ("198.51.100.15", "banned", "banned",
                                          register(user="9999")),
    "unknown accounts over IPv6": ("2001:db8:bad:d::9", "banned", "banned", unknown),
    "an account closed to this address": ("198.51.100.16", "banned", "banned",
                                          register(user="200", password="correct-200")),
    "manager: wrong password": ("203.0.113.20", "banned", "banned", ami_login(b"admin", b"no")),
    "manager: unknown user": ("203.0.113.21", "banned", "banned", ami_login(b"root", b"no")),
    "manager: wrong MD5 key": ("203.0.113.22", "banned", "banned", ami_key(b"0" * 32)),
    "manager: a user closed to this address": ("203.0.113.23", "banned", "banned",
                                               ami_login(b"ops", b"correct-ops")),
    "manager: wrong password over IPv6": ("2001:db8:bad:e::9", "banned", "banned",
                                          ami_login(b"admin", b"no")),
}

HOSTILE = {
    "a forged address in the Call-ID, wrong password": (
        "203.0.113.101", "banned", "banned", wrong_password_id(lambda: b"x" + forged(V))),
    "a forged address in the Call-ID, unknown account": (
        "203.0.113.102", "banned", "banned", unknown_id(lambda: b"x" + forged(V))),
    "a phone's address in the Call-ID": (
        "203.0.113.103", "banned", "banned", unknown_id(lambda: b"x" + forged(PHONE))),
    "a forged record up to its end in the Call-ID": (
        "203.0.113.104", "banned", "banned",
        wrong_password_id(lambda: b"x" + forged(V) + TAIL)),
    "a forged address over TCP": (
        "203.0.113.105", "banned", "banned",
        unknown_id(lambda: b"x" + forged(V, "TCP"), "tcp")),
    "an escape in the Call-ID, unknown account": (
        "203.0.113.106", "banned", "banned", unknown_id(lambda: b"x" + forged(V) + b'",' + ESC)),
    "an escape in the Call-ID, wrong password": (
        "203.0.113.107", "banned", "banned",
        wrong_password_id(lambda: b"x" + forged(V) + b'",' + ESC)),
    "a fake head in the Call-ID": (
        "203.0.113.109", "banned", "banned",
        unknown_id(lambda: b"x" + head("InvalidAccountID") + forged(V))),
    "a fake head of another event in the Call-ID": (
        "203.0.113.110", "banned", "banned",
        unknown_id(lambda: b"x" + head("ChallengeSent") + forged(V))),
    "a fake manager record in the Call-ID": (
        "203.0.113.111", "banned", "banned", unknown_id(
            lambda: b"x" + head("ChallengeResponseFailed", "AMI", "admin", "0x7f") +
            forged(V, "TCP") + TAIL + b'0",SessionTV="1970-01-01T00:00:00.000+0000')),
    "a Call-ID of 7 KB of forged addresses": (
        "203.0.113.112", "banned", "banned",
        unknown_id(lambda: b"x" + forged(V) * (7000 // len(forged(V))))),
    "a Call-ID of 7 KB of heads": (
        "203.0.113.113", "banned", "banned",
        wrong_password_id(lambda: b"x" + b"SECURITY[1] " * 580)),
    "quotes in the From user": (
        "203.0.113.118", "banned", "banned",
        unknown_user(f"a%22,RemoteAddress=%22IPV4/UDP/{V}/1".encode())),
    "an escape in the From user": (
        "203.0.113.119", "banned", "banned", unknown_user(b"a%1b%5b31mRED")),
    "UTF-8 in From and Call-ID": (
        "203.0.113.121", "banned", "banned",
        unknown_id("grüße-日本".encode)),
    "an address in a quoted pair in the nonce": (
        "203.0.113.122", "banned", "banned",
        credentials(f'\\",RemoteAddress=\\"IPV4/UDP/{V}/5'.encode(), b"1")),
    "a forged end in quoted pairs in the response": (
        "203.0.113.123", "banned", "banned",
        credentials(b"1", forged(V).replace(b'"', b'\\"') + TAIL.replace(b'"', b'\\"'))),
    "a nonce cut behind a backslash": (
        "203.0.113.124", "banned", "banned", credentials(b"n" * 62 + b'\\"x', b"1")),
    "a response cut behind a backslash": (
        "203.0.113.125", "banned", "banned", credentials(b"1", b"r" * 254 + b'\\"x')),
    "backslashes to the end of the response": (
        "203.0.113.126", "banned", "banned", credentials(b"1", b"\\\\" * 20)),
    "control bytes in the Call-ID": (
        "203.0.113.127", "banned", "banned", unknown_id(lambda: b"a\x01\x07\x7f\tb\\n\\\"c\\")),
    "manager: quotes in the user": (
        "203.0.113.131", "banned", "banned", ami_login(b"a" + forged(V, "TCP"), b"no")),
    "manager: a forged record in the key": (
        "203.0.113.132", "banned", "banned",
        ami_key(b"x" + TAIL[:16] + forged(V, "TCP") + TAIL)),
    "one Call-ID for all unknown accounts": (
        "203.0.113.135", "banned", "banned", same_id(lambda dialogue: dialogue.ask() is not None)),
    "one Call-ID for all wrong passwords": (
        "203.0.113.136", "banned", "banned",
        same_id(lambda dialogue: dialogue.login("wrong") is not None)),
    "a forged notice": (
        "203.0.113.137", "banned", "banned",
        unknown_id(f"m\" <sip:a@b>' failed for '{V}:5060' (callid: a".encode,
                   display=b'"x' + ESC + b'" ')),
}

# What gives no sound record, at least in a text file: "counted" is banned, or at least counted as
# unsound, for each try.
BLIND = {
    "a colour and an escape in the Call-ID": (
        "203.0.113.108", "counted", "banned",
        unknown_id(lambda: b"x" + ESC + b"[31m" + forged(V) + b'",' + ESC)),
    "a Call-ID over 8 KB, before a phone's request": ("203.0.113.114", "counted", "counted", cut),
    "a newline in the From user": (
        "203.0.113.116", "counted", "banned",
        unknown_user(b"a%0a%5b2026-11-23%2008%3a00%3a00%5d%20SECUR")),
    "an address and a newline in the From user": (
        "203.0.113.117", "counted", "banned",
        unknown_user(f"oteAddress=%22IPV4/UDP/{V}/1%22%0a".encode())),
    "a byte that is no UTF-8 in the Call-ID": (
        "203.0.113.120", "counted", "counted", wrong_password_id(lambda: b"x\xff")),
    "manager: a fake head in the key": (
        "203.0.113.133", "counted", "counted",
        ami_key(b"x" + head("InvalidAccountID") + forged(V, "TCP"))),
    "manager: an escape in the user": (
        "203.0.113.134", "counted", "banned", ami_login(b"a" + forged(V, "TCP") + ESC, b"no")),
    "one record over 8 KB, before a phone's request": (
        "203.0.113.129", "counted", "counted", one_cut),
    "a full AccountID behind a cut record": (
        "203.0.113.130", "counted", "counted", glued_account),
    "a Call-ID over 8 KB, before an accomplice": (
        "203.0.113.115", "counted", "counted", glued(ACCOMPLICES[0], "100")),
    "two records over 8 KB, before an accomplice": (
        "203.0.113.128", "counted", "counted", glued(ACCOMPLICES[1], "9999")),
}

def foreign(prefix):
    """Names of a user that hold a line like a record, which names the innocent."""
    event_tv = time.strftime("%Y-%m-%dT%H:%M:%S.000+0000", time.gmtime())
    return (f'\n{prefix}SECURITY[1] res_security_log.c: SecurityEvent="InvalidPassword",'
            f'EventTV="{event_tv}",Severity="Error",Service="AMI",EventVersion="1",'
            f'AccountID="oteAddress="IPV4/TCP/{V}/1",SessionTV=""\n').encode()


def foreign_json():
    text = foreign("").decode().strip().partition(": ")[2].replace('"', '\\"')
    return f'\n{{"logmsg":{{"level":"SECURITY","message":"{text}"}}}}\n'.encode()


def foreign_end(source):
    """A wrong password in a record without an end, which a message of another level continues."""
    with Caller(source) as caller:
        dialogue = Dialogue(caller)
        challenge = dialogue.ask()
        if challenge is None:
            return False
        dialogue.call_id = new_id(b"C" * 8200)
        dialogue.ask(dialogue.digest(challenge[1], "wrong"))
    return iax_register(forged(V) + TAIL + b'"\n')(source)


# Read only in a file that gets other levels too: counted, and charged to nobody.
FOREIGN = {
    "a record in a name of IAX2, no date": (
        "203.0.113.140", "counted", "never", iax_register(foreign("[] "))),
    "a record in a name of IAX2": (
        "203.0.113.141", "counted", "never",
        iax_register(foreign(time.strftime("[%m-%d %H:%M:%S] ", time.gmtime())))),
    "a record of JSON in a name of IAX2": (
        "203.0.113.142", "counted", "never", iax_register(foreign_json())),
    "a Call-ID over 8 KB before a record's end in a name of IAX2": (
        "203.0.113.144", "counted", "never", foreign_end),
    "wrong passwords over TCP": ("203.0.113.143", "banned", "never", register("tcp")),
}

# Two tries, a restart of the daemon, and so on.
RESTART = {
    "tries before and after a stop": ("198.51.100.20", "banned", "banned", register()),
    "tries before and after a kill": ("198.51.100.21", "banned", "banned", register()),
}

# Not one of these is an offence.
HARMLESS = {
    "scan": ("203.0.113.50", "never", "never", scan),
    "stale": ("203.0.113.51", "never", "never", stale),
}
CASES = {"attack": ATTACKS, "hostile": HOSTILE, "blind": BLIND, "foreign": FOREIGN,
         "restart": RESTART, "harmless": HARMLESS}


def show_list(args):
    for name, (source, text, json, _) in CASES[args.kind].items():
        print(name, source, text, json, sep="\t")
    return 0


def send_case(case, tries):
    source, _, _, one = case
    for _ in range(tries):
        try:
            if not one(source):
                return  # by now it is dropped
        except OSError:
            return


def together(names, cases, tries):
    threads = [threading.Thread(target=send_case, args=(cases[name], tries)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def send(args):
    """All at the same time. Only hostile SIP requests go in order, so that a record that is glued
    to another has the neighbour it was meant for."""
    cases = CASES[args.kind]
    names = args.name or list(cases)
    if args.kind in ("hostile", "blind"):
        for name in names:
            if not name.startswith("manager: "):
                send_case(cases[name], args.tries)
        names = [name for name in names if name.startswith("manager: ")]
    together(names, cases, args.tries)
    return 0


def phone_once(args):
    with Caller(args.source, args.transport) as caller:
        for _ in range(args.mistypes):
            if Dialogue(caller, args.user).login("mistyped") != 401:
                return False
        if Dialogue(caller, args.user).login(f"correct-{args.user}") != 200:
            return False
        if args.dials:
            call = Dialogue(caller, args.user, method="INVITE", to=args.dials)
            return call.login(f"correct-{args.user}") == 404
    return True


def phone(args):
    if not args.every:
        return 0 if phone_once(args) else NO_ANSWER
    done = failed = 0
    while True:
        begin = time.monotonic()
        try:
            good = phone_once(args)
        except OSError:
            good = False
        done += good
        failed += not good
        with open(args.counter + ".new", "w", encoding="ascii") as counter:
            counter.write(f"{done} {failed}\n")
        os.rename(args.counter + ".new", args.counter)
        time.sleep(max(0.0, begin + args.every - time.monotonic()))


def flood(args):
    sent = lost = 0
    while os.path.exists(args.file):
        with Caller(args.source) as caller:
            if Dialogue(caller).login("wrong") == 401:
                sent += 1
            else:
                lost += 1
        time.sleep(0.004)
    print(sent, lost)
    return 0


def copytruncate(args):
    for path in args.path:
        with open(path, "rb+", buffering=0) as log, open(path + args.suffix, "wb", buffering=0) as copy:
            os.fchmod(copy.fileno(), 0o644)
            while data := log.read(1 << 20):
                copy.write(data)
            os.ftruncate(log.fileno(), 0)
    return 0


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("phone")
    command.add_argument("--from", dest="source", required=True)
    command.add_argument("--user", required=True)
    command.add_argument("--transport", default="udp")
    command.add_argument("--every", type=float)
    command.add_argument("--counter")
    command.add_argument("--mistypes", type=int, default=0)
    command.add_argument("--dials")
    for name in ("list", "send"):
        command = commands.add_parser(name)
        command.add_argument("kind", choices=CASES)
        if name == "send":
            command.add_argument("name", nargs="*")
            command.add_argument("--tries", type=int, default=MAXRETRY)
    command = commands.add_parser("flood")
    command.add_argument("--from", dest="source", required=True)
    command.add_argument("--file", required=True)
    command = commands.add_parser("copytruncate")
    command.add_argument("suffix")
    command.add_argument("path", nargs="+")
    args = parser.parse_args()
    return {"phone": phone, "list": show_list, "send": send, "flood": flood,
            "copytruncate": copytruncate}[args.command](args)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (ConnectionError, TimeoutError):
        sys.exit(NO_ANSWER)
    except KeyboardInterrupt:
        sys.exit(130)
