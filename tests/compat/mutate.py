"""Lines like those of a log, and like those an attacker would have in it."""

import random
import re

ADDRESS = re.compile(r"(?:\d{1,3}\.){3}\d{1,3}|(?:[0-9a-fA-F]{1,4}:){2,7}[0-9a-fA-F:]+")
QUOTED = re.compile(r"""(?<=')[^']*(?=')|(?<=")[^"]*(?=")|(?<=\buser )\S+|(?<=\buser=)\S+"""
                    r"""|(?<=\bfor )\S+|(?<=\[)[^\]]*(?=\])""")

HOSTS = ["192.0.2.1", "192.0.2.254", "198.51.100.77", "203.0.113.9", "2001:db8::1",
         "2001:db8:0:1:2:3:4:5", "2001:DB8::A", "::1", "::ffff:192.0.2.33", "::", "fe80::1%eth0",
         "[2001:db8::7]", "[192.0.2.44]", "192.0.2.1:5060", "192.0.2.300", "999.1.1.1", "192.0.2",
         "1.2.3.4.5", "192.0.2.1/24", "2001:db8::/32", "host.example", "host-1.example.",
         "localhost", "unknown", "-", "", "a.b.c.d", "192-0-2-1.example", "_x._y", "1234",
         "192.0.2.08", "2001:db8:::1", "1:2:3:4:5:6:7:8:9", "::ffff:192.0.2.300"]

USERS = ["root", "admin", "a b", " ", "", "'", '"', "''", 'x"y', "it's", "from 192.0.2.66",
         "root from 192.0.2.66", "root from 192.0.2.66 port 22 ssh2", "x rhost=192.0.2.66",
         "x, client: 192.0.2.66", "x' failed for '192.0.2.66", "[192.0.2.66]", "(192.0.2.66)",
         "user@host.example", "2001:db8::66", "<root>", "a:b", "a;b", "a,b", "%s%n", "\\", "\\'",
         "../../etc", "a\tb", "\x1b[31mred", "x" * 300, "0", "-1", "null", "undefined", "a]b[c",
         "a)b(c", "$(id)", "`id`", "user=root", "Invalid user root"]

TEXTS = [" ", "  ", ": ", ", ", "\t", " from ", " from 192.0.2.66", " rhost=192.0.2.66",
         " [192.0.2.66]", " failed for '192.0.2.66'", " port 22", " ssh2", " [preauth]", " - ",
         "error: ", "authentication failure", "Authentication failed", "[1234]", " user=", "user ",
         "' ", '" ', "(", ")", "]", "[", "\\n", "#", "<", ">", "Connection closed", "Accepted",
         "root", "NOTICE", "WARNING", "2026-01-02 03:04:05 ", "Jan  2 03:04:05 ", "1420070400"]


PASS_LINES = 250


class Generator:
    """Made from the same seed it gives the same lines."""

    def __init__(self, seed, lines):
        self.random = random.Random(seed)
        self.lines = lines
        self.steps = [self.host, self.host, self.host, self.user, self.user, self.cut_end,
                      self.cut_start, self.drop, self.swap, self.double, self.insert, self.insert,
                      self.splice, self.digit, self.letter]

    def log(self, most):
        """The whole log, a short one several times, at most so many lines: some lost, some twice,
        some too early."""
        lines = []
        for text in self.lines * (1 + PASS_LINES // len(self.lines)):
            kind = self.random.random()
            text = text if self.random.random() < 0.4 else self.changed(text)
            if kind < 0.05:
                continue
            lines += [text] * (2 if kind < 0.1 else 1)
            if kind > 0.95 and len(lines) > 1:
                lines[-1], lines[-2] = lines[-2], lines[-1]
        return lines[:most]

    def line(self):
        return self.changed(self.random.choice(self.lines))

    def changed(self, text):
        """Now and then as it was, mostly changed in one to three ways."""
        for _ in range(self.random.choice((0, 1, 1, 1, 1, 2, 2, 3))):
            text = self.random.choice(self.steps)(text)
        return text

    def _replace(self, pattern, text, values):
        places = list(pattern.finditer(text))
        if not places:
            return text
        place = self.random.choice(places)
        return text[: place.start()] + self.random.choice(values) + text[place.end():]

    def _span(self, text):
        start = self.random.randint(0, len(text))
        return start, min(len(text), start + self.random.randint(1, 20))

    def host(self, text):
        return self._replace(ADDRESS, text, HOSTS)

    def user(self, text):
        return self._replace(QUOTED, text, USERS)

    def cut_end(self, text):
        return text[: self.random.randint(0, len(text))]

    def cut_start(self, text):
        return text[self.random.randint(0, min(len(text), 40)):]

    def drop(self, text):
        start, end = self._span(text)
        return text[:start] + text[end:]

    def double(self, text):
        start, end = self._span(text)
        return text[:end] + text[start:]

    def swap(self, text):
        words = text.split(" ")
        first = self.random.randrange(len(words))
        second = self.random.randrange(len(words))
        words[first], words[second] = words[second], words[first]
        return " ".join(words)

    def insert(self, text):
        at = self.random.randint(0, len(text))
        return text[:at] + self.random.choice(TEXTS + USERS + HOSTS) + text[at:]

    def splice(self, text):
        other = self.random.choice(self.lines)
        return text[: self.random.randint(0, len(text))] + other[self.random.randint(0, len(other)):]

    def digit(self, text):
        places = [at for at, sign in enumerate(text) if sign.isdigit() and sign.isascii()]
        if not places:
            return text
        at = self.random.choice(places)
        return text[:at] + self.random.choice("0123456789") + text[at + 1:]

    def letter(self, text):
        if not text:
            return text
        at = self.random.randrange(len(text))
        return text[:at] + text[at].swapcase() + text[at + 1:]
