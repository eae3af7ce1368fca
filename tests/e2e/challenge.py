#!/usr/bin/python3
"""SIP challenges: a PBX that makes them as Asterisk does, and who asks for them.

challenge.py answer [--ready-file F] PORT    answers with 401, to the Via's maddr if it has one
challenge.py ask --from A --to B [--port P] [--maddr M] [--pad BYTES] [--count N]
                                             prints the nonce; exit 3: no answer came
challenge.py listen --ready-file F GROUP     takes the NFLOG group for itself
"""
import argparse
import hashlib
import os
import re
import socket
import struct
import sys
import time

NO_ANSWER = 3  # not 1: that is what a traceback exits with
NETLINK_NETFILTER = 12
SECRET = os.urandom(16).hex()


def ready(args):
    if args.ready_file:
        with open(args.ready_file, "w", encoding="ascii"):
            pass


def challenge(request, source):
    """The answer, in the order in which Asterisk writes its lines."""
    lines = request.split(b"\r\n")
    now = int(time.time())
    digest = hashlib.md5(f"{now}:{source}:{SECRET}:asterisk".encode()).hexdigest()
    answer = [b"SIP/2.0 401 Unauthorized"]
    for name in (b"Via", b"Call-ID", b"From", b"To", b"CSeq"):
        answer += [line for line in lines if line.startswith(name + b":")]
    answer += [f'WWW-Authenticate: Digest realm="asterisk",nonce="{now}/{digest}",'
               'algorithm=MD5,qop="auth"'.encode(), b"Content-Length:  0", b"", b""]
    return b"\r\n".join(answer)


def answer(args):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
    sock.bind(("::", args.port))
    ready(args)
    while True:
        request, source = sock.recvfrom(65535)
        maddr = re.search(rb";maddr=([0-9a-f.:]+)", request)
        target = source
        if maddr:
            host = maddr[1].decode()
            target = (host if ":" in host else "::ffff:" + host, source[1])
        sock.sendto(challenge(request, source[0]), target)


def ask(args):
    sock = socket.socket(socket.AF_INET6 if ":" in args.source else socket.AF_INET,
                         socket.SOCK_DGRAM)
    sock.bind((args.source, 0))
    sock.settimeout(0.5)
    call = os.urandom(8).hex() + "x" * args.pad
    maddr = f";maddr={args.maddr}" if args.maddr else ""
    request = (f"REGISTER sip:{args.to} SIP/2.0\r\nVia: SIP/2.0/UDP {args.source};rport{maddr}\r\n"
               f"From: <sip:100@{args.to}>;tag=1\r\nTo: <sip:100@{args.to}>\r\nCall-ID: {call}\r\n"
               "CSeq: 1 REGISTER\r\nContent-Length: 0\r\n\r\n").encode()
    for _ in range(args.count):
        sock.sendto(request, (args.to, args.port))
    try:
        nonce = re.search(rb'nonce="([^"]*)"', sock.recv(65535))
    except OSError:
        return NO_ANSWER
    print(nonce[1].decode())
    return 0


def listen(args):
    sock = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_NETFILTER)
    sock.bind((0, 0))
    # struct nlmsghdr, struct nfgenmsg, NFULA_CFG_CMD with NFULNL_CFG_CMD_BIND
    sock.send(struct.pack("=IHHII", 28, 4 << 8 | 1, 5, 1, 0) +
              struct.pack("!BBH", 0, 0, args.group) + struct.pack("=HHBxxx", 5, 1, 1))
    error = struct.unpack_from("=i", sock.recv(4096), 16)[0]
    if error:
        sys.exit(os.strerror(-error))
    ready(args)
    while True:
        time.sleep(60)


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("answer")
    command.add_argument("--ready-file")
    command.add_argument("port", type=int)
    command = commands.add_parser("ask")
    command.add_argument("--from", dest="source", required=True)
    command.add_argument("--to", required=True)
    command.add_argument("--port", type=int, default=5060)
    command.add_argument("--maddr")
    command.add_argument("--pad", type=int, default=0)
    command.add_argument("--count", type=int, default=1)
    command = commands.add_parser("listen")
    command.add_argument("--ready-file")
    command.add_argument("group", type=int)
    args = parser.parse_args()
    sys.exit(globals()[args.command](args))


if __name__ == "__main__":
    main()
