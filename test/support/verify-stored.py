"""Judges mail that a mail server stored, with implementations nobody here wrote: dkimpy and pyspf.

Usage: verify-stored.py <port of the DNS server on 127.0.0.1> <source address> < [{"file", "sender", "helo"}, ...]
Prints a JSON list: for each message "pass" or the reason from DKIM, the result of SPF for its sender from that source,
and the result from an address that is not the sender's, which must not pass.
"""

import json
import logging
import pathlib
import sys

import dkim
import dns.resolver
import spf

ELSEWHERE = "192.0.2.1"


def signed(content):
    try:
        # dkim.verify() turns every error into False; the class says which one it was.
        checker = dkim.DKIM(content, logger=logging.getLogger("none"), minkey=2048)
        return "pass" if checker.verify() else "the signature does not match"
    except dkim.DKIMException as error:
        return repr(error)


def allowed(source, message):
    result, _, explanation = spf.query(i=source, s=message["sender"], h=message["helo"]).check()
    return result if result == "pass" else f"{result}: {explanation}"


def main(port, source):
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers = ["127.0.0.1"]
    resolver.port = int(port)
    # Both packages ask through it.
    dns.resolver.default_resolver = resolver
    answers = []
    for message in json.load(sys.stdin):
        content = pathlib.Path(message["file"]).read_bytes()
        answers.append(
            {
                "dkim": signed(content),
                "spf": allowed(source, message),
                "elsewhere": allowed(ELSEWHERE, message),
            }
        )
    print(json.dumps(answers))


main(*sys.argv[1:])
