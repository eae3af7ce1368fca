#!/usr/bin/python3
"""SIP datagrams for the tests and the demo: a PBX that answers, and callers.

sip.py answer [--ready-file F] PORT             answers every datagram, both families
sip.py probe --from A --to B [--wait S]         one request; exit 0: answered, 3: not
sip.py stream --from A --to B --counter FILE    requests at a rate, "SENT ANSWERED" in FILE
"""
import argparse
import os
import select
import socket
import sys
import time

REQUEST = ("{method} sip:{to} SIP/2.0\r\n"
           "Via: SIP/2.0/UDP {source};rport;branch=z9hG4bK{number}\r\n"
           "From: <sip:{user}@{to}>;tag={number}\r\nTo: <sip:{user}@{to}>\r\n"
           "Call-ID: {number}@{source}\r\nCSeq: 1 {method}\r\n"
           "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
NO_ANSWER = 3  # not 1: that is what a traceback exits with
ANSWERS = {b"REGISTER": b"SIP/2.0 401 Unauthorized\r\n", b"INVITE": b"SIP/2.0 401 Unauthorized\r\n"}


def answer(args):
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind(("::", args.port))
    if args.ready_file:
        with open(args.ready_file, "w", encoding="ascii"):
            pass
    while True:
        data, peer = sock.recvfrom(65535)
        method, _, rest = data.partition(b" ")
        headers = rest.partition(b"\r\n")[2]
        sock.sendto(ANSWERS.get(method, b"SIP/2.0 200 OK\r\n") + headers, peer)


def caller(args):
    family = socket.AF_INET6 if ":" in args.source else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.bind((args.source, 0))
    sock.connect((args.to, args.port))
    return sock


def request(args, number):
    return REQUEST.format(method=args.method, to=args.to, source=args.source, user=args.user,
                          number=number).encode()


def answered(sock, number, wait):
    """True if the answer to request `number` comes within `wait` seconds."""
    end = time.monotonic() + wait
    while (left := end - time.monotonic()) > 0:
        if not select.select([sock], [], [], left)[0]:
            return False
        try:
            if f"\r\nCall-ID: {number}@".encode() in sock.recv(65535):
                return True
        except ConnectionError:
            return False
    return False


def probe(args):
    sock = caller(args)
    sock.send(request(args, os.getpid()))
    return 0 if answered(sock, os.getpid(), args.wait) else NO_ANSWER


def stream(args):
    sock = caller(args)
    sent = got = 0
    while True:
        begin = time.monotonic()
        sent += 1
        try:
            sock.send(request(args, sent))
            got += answered(sock, sent, 1 / args.rate)
        except ConnectionError:
            pass
        with open(args.counter + ".new", "w", encoding="ascii") as counter:
            counter.write(f"{sent} {got}\n")
        os.rename(args.counter + ".new", args.counter)
        time.sleep(max(0.0, begin + 1 / args.rate - time.monotonic()))


def main():
    parser = argparse.ArgumentParser()
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("answer")
    command.add_argument("--ready-file")
    command.add_argument("port", type=int)
    for name in ("probe", "stream"):
        command = commands.add_parser(name)
        command.add_argument("--from", dest="source", required=True)
        command.add_argument("--to", required=True)
        command.add_argument("--port", type=int, default=5060)
        command.add_argument("--method", default="OPTIONS")
        command.add_argument("--user", default="100")
        command.add_argument("--wait", type=float, default=1.0)
        command.add_argument("--rate", type=float, default=10.0)
        command.add_argument("--counter")
    args = parser.parse_args()
    return {"answer": answer, "probe": probe, "stream": stream}[args.command](args)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
