"""Judges forwarded mail that a mail server stored, with implementations nobody here wrote: dkimpy and pyspf.

Usage: verify-route.py <port of the DNS server on 127.0.0.1> <source address> < [{"file", "sender", "helo"}, ...]
Prints a JSON list: of each message the selectors and domains whose DKIM signatures hold, and those whose do not, from
the top down; the status of its ARC chain and how many sets that has; the result of SPF for its sender from that source,
and the result from an address that is not the sender's.
"""

import json
import logging
import pathlib
import sys

import dkim
import dns.resolver
import spf

ELSEWHERE = "192.0.2.1"
SILENT = logging.getLogger("none")


def signatures(message):
    held, broken = [], []
    count = sum(1 for name, _ in dkim.DKIM(message).headers if name.lower() == b"dkim-signature")
    for index in range(count):
        checker = dkim.DKIM(message, logger=SILENT, minkey=2048)
        try:
            passed = checker.verify(idx=index)
        except dkim.DKIMException:
            passed = False
        fields = checker.signature_fields
        name = b"%s._domainkey.%s" % (fields.get(b"s", b"?"), fields.get(b"d", b"?"))
        (held if passed else broken).append(name.decode())
    return held, broken


def allowed(source, message):
    result, _, _ = spf.query(i=source, s=message["sender"], h=message["helo"]).check()
    return result


def main(port, source):
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = int(port)
    # Both packages ask through it.
    dns.resolver.default_resolver = resolver
    answers = []
    for message in json.load(sys.stdin):
        content = pathlib.Path(message["file"]).read_bytes()
        held, broken = signatures(content)
        status, sets, reason = dkim.arc_verify(content, logger=SILENT, minkey=2048)
        answers.append(
            {
                "held": held,
                "broken": broken,
                "arc": status.decode(),
                "sets": len(sets),
                "reason": reason,
                "spf": allowed(source, message),
                "elsewhere": allowed(ELSEWHERE, message),
            }
        )
    print(json.dumps(answers))


main(*sys.argv[1:])
