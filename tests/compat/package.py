"""Debian's fail2ban, fetched and unpacked, never installed: its daemon is not to start here."""

import glob
import os
import subprocess


class Package:
    """Where things lie in the unpacked package."""

    def __init__(self, root):
        self.root = root
        self.tree = os.path.join(root, "etc/fail2ban")
        self.python = os.path.join(root, "usr/lib/python3/dist-packages")
        self.tests = os.path.join(self.python, "fail2ban/tests")
        self.logs = os.path.join(self.tests, "files/logs")
        self.own_tree = os.path.join(self.tests, "config")  # the tests' own filters

    def filters(self):
        """(tree, name) of every filter; what only others include is none."""
        for tree, pattern in ((self.tree, "*.conf"), (self.own_tree, "zzz-*.conf")):
            for path in sorted(glob.glob(os.path.join(tree, "filter.d", pattern))):
                name = os.path.basename(path)[: -len(".conf")]
                if not name.endswith("common"):
                    yield tree, name

    def version(self):
        with open(os.path.join(self.python, "fail2ban/version.py"), encoding="utf-8") as file:
            for line in file:
                if line.startswith("version"):
                    return line.split('"')[1]
        return "?"


def _download(directory):
    subprocess.run(["apt-get", "download", "-q", "fail2ban"], cwd=directory, check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def fetch(directory):
    """Downloads once into directory; returns a Package."""
    root = os.path.join(directory, "root")
    if not os.path.isdir(root):
        os.makedirs(directory, exist_ok=True)
        try:
            _download(directory)
        except subprocess.CalledProcessError:
            subprocess.run(["apt-get", "update", "-q"], check=True, stdout=subprocess.DEVNULL)
            _download(directory)
        (archive,) = glob.glob(os.path.join(directory, "fail2ban_*.deb"))
        unfinished = root + ".part"
        subprocess.run(["dpkg-deb", "-x", archive, unfinished], check=True)
        # The tests' own filters include ../../../../../../../config/filter.d/common.conf: the
        # source tree's, which the package has elsewhere.
        os.symlink("../etc/fail2ban", os.path.join(unfinished, "usr/config"))
        os.rename(unfinished, root)
    return Package(root)
