#!/usr/bin/python3
"""A name server for the tests.

dns.py --zone FILE [--log FILE] [--ready-file FILE]   answers on UDP port 53 of 127.0.0.1

FILE is read anew for each question: lines "NAME ADDRESS..."; a name without addresses is there and
has none, "NAME SERVFAIL" fails, any other name does not exist. TTL 1 throughout.
"""
import argparse
import ipaddress
import socket
import struct

TYPES = {1: 4, 28: 6}
SERVFAIL = 2
NXDOMAIN = 3


def zone(path):
    with open(path, encoding="ascii") as lines:
        return {words[0].lower(): words[1:] for words in map(str.split, lines) if words}


def question(packet):
    """The name that is asked for, its type, and where the question ends."""
    labels = []
    at = 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode("ascii"))
        at += 1 + packet[at]
    return ".".join(labels).lower(), struct.unpack(">H", packet[at + 1:at + 3])[0], at + 5


def answer(packet, names):
    name, kind, end = question(packet)
    words = names.get(name)
    records = b""
    count = code = 0
    if words is None:
        code = NXDOMAIN
    elif words == ["SERVFAIL"]:
        code = SERVFAIL
    else:
        for address in map(ipaddress.ip_address, words):
            if address.version == TYPES.get(kind):
                data = address.packed
                records += struct.pack(">HHHIH", 0xC00C, kind, 1, 1, len(data)) + data
                count += 1
    head = packet[:2] + struct.pack(">HHHHH", 0x8180 | code, 1, count, 0, 0)
    return name, head + packet[12:end] + records


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--zone", required=True)
    parser.add_argument("--log")
    parser.add_argument("--ready-file")
    args = parser.parse_args()
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 53))
    if args.ready_file:
        with open(args.ready_file, "w", encoding="ascii"):
            pass
    while True:
        packet, peer = sock.recvfrom(4096)
        name, reply = answer(packet, zone(args.zone))
        if args.log:
            with open(args.log, "a", encoding="ascii") as log:
                log.write(name + "\n")
        sock.sendto(reply, peer)


if __name__ == "__main__":
    main()
