"""Verifies every file of a folder with dkimpy: each DKIM signature, and the ARC chain.

Usage: verify-forwards.py <folder of messages> <file with the key record of every name>
Prints one JSON object: of each file the domains whose signatures hold, those whose do not, and the chain's status.
"""

import json
import logging
import pathlib
import sys

import dkim

SILENT = logging.getLogger("none")


def signatures(message, lookup):
    held, broken = [], []
    checker = dkim.DKIM(message, logger=SILENT, minkey=2048)
    count = sum(1 for name, _ in checker.headers if name.lower() == b"dkim-signature")
    for index in range(count):
        checker = dkim.DKIM(message, logger=SILENT, minkey=2048)
        try:
            passed = checker.verify(idx=index, dnsfunc=lookup)
        except dkim.DKIMException:
            passed = False
        (held if passed else broken).append((checker.domain or b"?").decode())
    return held, broken


def main(folder, record_file):
    record = pathlib.Path(record_file).read_bytes()

    def lookup(name, timeout=5):
        return record

    results = {}
    for path in sorted(pathlib.Path(folder).iterdir()):
        message = path.read_bytes()
        held, broken = signatures(message, lookup)
        status, sets, reason = dkim.arc_verify(message, logger=SILENT, dnsfunc=lookup, minkey=2048)
        results[path.name] = {
            "held": held,
            "broken": broken,
            "arc": status.decode(),
            "sets": len(sets),
            "reason": reason,
        }
    print(json.dumps(results))


main(*sys.argv[1:])
