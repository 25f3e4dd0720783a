"""The tables of docs/conformance.md: how each interval evaluator does in each test case."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from itertools import groupby

from bench.conformance.enclosures import EVALUATORS, OUTWARD, Evaluator, Found
from bench.conformance.vectors import Vectors, of_the_standard, outside_the_standard
from bench.page import table
from bench.subject import TOP

PAGE = TOP / "docs" / "conformance.md"
MARKS = "<!-- the tables: python -m bench conformance -->\n", "<!-- their end -->\n"
Results = dict[str, dict[Evaluator, list[Found]]]
"""What each evaluator finds, by operation."""


def write() -> None:
    """Put the tables into the page. FileNotFoundError if the test cases are not there."""
    standard, outside = results(of_the_standard()), results(outside_the_standard())
    PAGE.write_text(page(tables(standard, outside)), encoding="utf-8")


def main(words: list[str]) -> int:
    """Write the tables; 2 if the test cases are not there."""
    argparse.ArgumentParser(prog="python -m bench conformance", description=__doc__).parse_args(
        words
    )
    try:
        write()
    except FileNotFoundError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def results(vectors: Vectors) -> Results:
    return {
        op: {evaluator: evaluator(op, cases) for evaluator in EVALUATORS}
        for op, cases in vectors.items()
    }


def page(text: str) -> str:
    """The page with the tables put in."""
    before, rest = PAGE.read_text(encoding="utf-8").split(MARKS[0])
    return before + MARKS[0] + "\n" + text + "\n" + MARKS[1] + rest.split(MARKS[1])[1]


def tables(standard: Results, outside: Results) -> str:
    """What all cases of the standard come to, and those of every operation."""
    asked, same = decorations(standard)
    return f"""\
{_summary(standard)}
Of the {asked} decorations that are expected, {same} are those of outward rounding.

### Operations of the standard

{_by_operation(standard)}
### The others

{_by_operation(outside)}"""


def _summary(standard: Results) -> str:
    rows = []
    for evaluator in EVALUATORS:
        found = _of_all(standard, evaluator)
        told = [f for f in found if f.tight is not None]
        shares = sum(f.tight is True for f in told), sum(f.near for f in told)
        figures = len(found), sum(f.enclosed for f in found), len(told)
        percent = (f"{100 * share / len(told):.0f} %" for share in shares)
        rows.append([", ".join(evaluator), *map(str, figures), *percent])
    head = ("ITF1788", "cases", "enclosed", "told", "tight", "within a float")
    return table(head, rows)


def _by_operation(results: Results) -> str:
    """A column for the rules in each dtype: a cell has one figure if NumPy and lanes agree."""
    groups = [
        (f"{rules}, {dtype}", list(some))
        for (dtype, rules), some in groupby(EVALUATORS, lambda e: (e.dtype, e.rules))
    ]
    rows = []
    for op in (*results, "all"):
        found = {e: _of_all(results, e) if op == "all" else results[op][e] for e in EVALUATORS}
        cells = (dict.fromkeys(_cell(found[e]) for e in some) for _, some in groups)
        rows.append([op if op == "all" else f"`{op}`", *map("; ".join, cells)])
    return table(["", *(name for name, _ in groups)], rows)


def _of_all(results: Results, evaluator: Evaluator) -> list[Found]:
    return [found for columns in results.values() for found in columns[evaluator]]


def _cell(found: Sequence[Found]) -> str:
    """Cases, enclosed and tight ones, and of how many that can be told."""
    told = [f.tight for f in found if f.tight is not None]
    counts = f"{len(found)} / {sum(f.enclosed for f in found)} / {sum(told)}"
    return counts + (f" of {len(told)}" if len(told) < len(found) else "")


def decorations(standard: Results) -> tuple[int, int]:
    """Cases that have a decoration, and those where that of outward rounding is the same."""
    asked = [f for f in _of_all(standard, OUTWARD) if f.case.expected.decoration]
    return len(asked), sum(f.decoration == f.case.expected.decoration for f in asked)
