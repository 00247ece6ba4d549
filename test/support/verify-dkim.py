"""Verifies every file of a folder with dkimpy, a DKIM implementation nobody here wrote.

Usage: verify-dkim.py <folder of messages> <file with the key record>
Prints one JSON object: how many messages verified, and why each of the others did not.
"""

import json
import logging
import pathlib
import sys

import dkim


def main(folder, record_file):
    record = pathlib.Path(record_file).read_bytes()
    verified, failed = 0, {}
    for path in sorted(pathlib.Path(folder).iterdir()):
        try:
            # dkim.verify() turns every error into False; the class says which one it was.
            checker = dkim.DKIM(path.read_bytes(), logger=logging.getLogger("none"), minkey=2048)
            if checker.verify(dnsfunc=lambda name, timeout=5: record):
                verified += 1
            else:
                failed[path.name] = "the signature does not match"
        except dkim.DKIMException as error:
            failed[path.name] = repr(error)
    print(json.dumps({"verified": verified, "failed": failed}))


main(*sys.argv[1:])
