"""Asks the real SimpleJWT and Latchkey the same thousands of questions and prints where they disagree.
scripts/differential says how to run it."""

import argparse
import collections
import os
import random
import tempfile

import bodies
import compare
import reference
import tokens
from latchkey import Latchkey

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
with open(os.path.join(ROOT, "docs", "differences.md"), encoding="utf-8") as page:
    PAGE = page.read()
PARTS = {"tokens": tokens.requests, "requests": bodies.requests}


def main():
    parser = argparse.ArgumentParser(prog="scripts/differential")
    parser.add_argument("part", nargs="?", choices=sorted(PARTS), help="default: both")
    parser.add_argument("--count", type=int, default=20000, help="tokens, or requests, of each part (default 20000)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--show", type=int, default=20, help="disagreements to print")
    options = parser.parse_args()
    application = reference.start()
    failed = False
    for part in [options.part] if options.part else sorted(PARTS):
        with tempfile.TemporaryDirectory(prefix="latchkey-differential.") as folder:
            server = Latchkey(folder)
            try:
                failed |= play(part, application, server, options)
            finally:
                server.stop()
    raise SystemExit(1 if failed else 0)


def play(part, application, server, options):
    rng, asked, allowed, found = random.Random(options.seed), 0, collections.Counter(), {}
    disagreements = 0
    for number in range(options.count):
        for request in PARTS[part](rng, (options.seed << 64) + number):
            asked += 1
            theirs, ours = reference.ask(application, *request), server.ask(*request)
            difference = compare.difference(request, theirs, ours)
            if difference is None:
                continue
            name = compare.documented(request, theirs, ours)
            if name:
                assert "`%s`" % name in PAGE, "docs/differences.md has no row with the proof " + name
                allowed[name] += 1
                continue
            disagreements += 1
            found.setdefault(compare.kind(request, theirs, ours), (number, request, difference))
    for number, request, difference in list(found.values())[: options.show]:
        print("%s %d: %s\n    %s" % (part, number, compare.show(request), difference))
    for name, times in allowed.most_common():
        print("%6d × %s" % (times, name))
    print("%s, seed %d: %d requests, %d documented differences, %d disagreements of %d kinds" % (
        part, options.seed, asked, sum(allowed.values()), disagreements, len(found)))
    return bool(disagreements)


if __name__ == "__main__":
    main()
