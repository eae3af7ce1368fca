"""fail2ban's own Filter class, with its clock standing still."""

import logging
import sys


class Judge:
    """One filter with its options; lines are given in order, as a log would bring them."""

    def __init__(self, found, tree, name, options, clock):
        if found.python not in sys.path:
            sys.path.insert(0, found.python)
        logging.getLogger("fail2ban").setLevel(logging.CRITICAL)
        # The years that a date may have are fixed when its reader is imported.
        from fail2ban.server.mytime import MyTime
        MyTime.setTime(clock)
        from fail2ban.client.filterreader import FilterReader
        from fail2ban.server.filter import Filter

        self.filter = Filter(None)
        self.filter.returnRawHost = True  # no name is looked up
        self.filter.checkFindTime = False
        self.filter.active = True
        reader = FilterReader(name, "jail", dict(options), basedir=tree)
        reader.read()
        reader.getOptions({})
        reader.applyAutoOptions("polling")
        for command in reader.convert():
            values = command[3] if command[0] == "multi-set" else [command[3]]
            for value in values:
                self._set(command[2], value)

    def _set(self, key, value):
        if key == "prefregex":
            self.filter.prefRegex = value
        elif key == "addfailregex":
            self.filter.addFailRegex(value)
        elif key == "addignoreregex":
            self.filter.addIgnoreRegex(value)
        elif key == "maxlines":
            self.filter.setMaxLines(value)
        elif key == "datepattern":
            self.filter.setDatePattern(value)

    def line(self, text):
        """(host, time) of the failure that the line is or completes, else None. What carries
        F-NOFAIL and still comes back is counted in operation."""
        found = [(str(who), when) for _, who, when, _ in self.filter.processLine(text)
                 if who is not None]
        return found[0] if found else None
