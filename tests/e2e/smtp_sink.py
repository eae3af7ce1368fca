#!/usr/bin/python3
"""A mail server that keeps what it gets: one file a mail, DIR/N.eml.

Each file starts with X-Envelope-From and one X-Envelope-To line a recipient, then the message as
it came, and appears complete (written aside, then renamed). Ends on SIGTERM or SIGINT.
"""

import argparse
import asyncio
import os
import signal
import ssl

from aiosmtpd.smtp import SMTP, AuthResult

HANG_S = 3600  # --hang: no test waits as long


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--listen", required=True, metavar="ADDR:PORT", help="port 0: any free one")
    parser.add_argument("--dir", required=True)
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"), help="offer STARTTLS")
    parser.add_argument("--require-auth", nargs=2, metavar=("USER", "PASS"))
    parser.add_argument("--reject-rcpt", action="store_true", help="answer 550 to every recipient")
    parser.add_argument("--drip", action="store_true", help="the first byte of an answer comes alone")
    parser.add_argument("--inject", choices=("after", "before"),
                        help="more answers stand in clear after that to STARTTLS, or all at EHLO")
    parser.add_argument("--hang", action="store_true", help="take connections, never greet")
    parser.add_argument("--ready-file", metavar="F", help="gets the port once it listens")
    return parser.parse_args()


def write_aside(path, data):
    aside = path + ".part"
    with open(aside, "wb") as file:
        file.write(data)
    os.rename(aside, path)


class Sink:
    def __init__(self, args):
        self.args = args
        kept = [name[:-4] for name in os.listdir(args.dir) if name.endswith(".eml")]
        self.count = max((int(name) for name in kept if name.isdigit()), default=0)

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if self.args.reject_rcpt:
            return "550 5.1.1 no such user here"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.count += 1
        lines = ["X-Envelope-From: %s\r\n" % envelope.mail_from]
        lines += ["X-Envelope-To: %s\r\n" % address for address in envelope.rcpt_tos]
        data = "".join(lines).encode("utf-8", "surrogateescape") + envelope.original_content
        write_aside(os.path.join(self.args.dir, "%d.eml" % self.count), data)
        return "250 OK kept as %d" % self.count


INJECTED = b"".join(b"%s\r\n" % line for line in (b"250 sink", b"250 OK", b"250 OK", b"250 OK",
                                                 b"354 go on", b"250 OK", b"221 bye"))


class OddSMTP(SMTP):
    """Writes its answers as a bad line, or somebody in the middle, would."""

    drip = False
    inject = None

    async def push(self, status):
        answer = status.encode() if isinstance(status, str) else status
        answer += b"\r\n"
        if self.inject == "after" and answer.startswith(b"220 Ready to start TLS"):
            answer += INJECTED
        if self.inject == "before" and answer.startswith(b"250 HELP"):
            answer += b"220 Ready to start TLS\r\n"
        pieces = [answer[:1], answer[1:]] if self.drip else [answer]
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(0.01)  # so that it is a segment of its own
            self._writer.write(piece)
            await self._writer.drain()


def server_options(args):
    options = {"hostname": "sink.example", "ident": "sink", "timeout": 60}
    if args.tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(args.tls[0], args.tls[1])
        options["tls_context"] = context
    if args.require_auth:
        user, password = (text.encode() for text in args.require_auth)

        def check(server, session, envelope, mechanism, data):
            good = data.login == user and data.password == password
            return AuthResult(success=good, handled=False)

        options.update(authenticator=check, auth_required=True, auth_require_tls=False)
    return options


async def hang(reader, writer):
    await asyncio.sleep(HANG_S)


async def serve(args):
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    host, port = args.listen.rsplit(":", 1)
    host = host.strip("[]")
    if args.hang:
        server = await asyncio.start_server(hang, host, int(port))
    else:
        sink = Sink(args)
        OddSMTP.drip, OddSMTP.inject = args.drip, args.inject
        options = server_options(args)
        server = await loop.create_server(
            lambda: OddSMTP(sink, loop=loop, **options), host, int(port)
        )
    if args.ready_file:
        bound = server.sockets[0].getsockname()[1]
        write_aside(args.ready_file, b"%d\n" % bound)
    await stop.wait()
    server.close()
    os._exit(0)  # connections that hang are not waited for


def main():
    args = arguments()
    os.makedirs(args.dir, exist_ok=True)
    asyncio.run(serve(args))


if __name__ == "__main__":
    main()
