"""``python -m bench``: the table of ratios; ``--claims``: the figures to answer for.

``--performance`` measures the page of the documents on how fast it is, and writes it;
``--conformance`` does so for the tables of that on IEEE 1788.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from bench.claims import claims, shown
from bench.subject import TOP, Subject, machine, subject
from bench.table import table


def main() -> int:
    """Print what was asked for; 1 if a claim does not hold."""
    options = _parser().parse_args()
    if options.conformance:
        return _conformance()
    shape = Subject(options.file) if options.file else subject()
    print(f"{machine()}\n{shape}\n", flush=True)
    if options.performance:
        from bench.performance import write

        write(shape, options.before)
        return 0
    if options.claims:
        found = list(claims(shape, rounds=options.rounds))
        print(shown(found))
        return 0 if all(claim.holds for claim in found) else 1
    most, rounds = options.dense_most, options.rounds
    for block in table(shape, options.sizes, dense_most=most, rounds=rounds):
        print(block, flush=True)
    return 0


def _conformance() -> int:
    sys.path.append(str(TOP / "tests"))  # what cases and oracles the tests have, is used here too
    from bench.conformance import write

    try:
        write()
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, help="a .vm file (prospero.vm)")
    parser.add_argument("--claims", action="store_true", help="measure what the project claims")
    parser.add_argument(
        "--performance", action="store_true", help="measure and write docs/performance.md"
    )
    parser.add_argument(
        "--conformance", action="store_true", help="write the tables of docs/conformance.md"
    )
    parser.add_argument(
        "--before", type=Path, metavar="DIR", help="a checkout of version 0.1.0 to compare with"
    )
    parser.add_argument("--rounds", type=int, default=5, help="how often each takes its turn (5)")
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        default=[256, 512, 1024, 2048, 4096],
        help="pixels a side (256 512 1024 2048 4096)",
    )
    parser.add_argument(
        "--dense-most",
        type=int,
        default=1024,
        metavar="N",
        help="the largest size to evaluate densely (1024)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
