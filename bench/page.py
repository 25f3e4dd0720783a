"""Words and tables of a page in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table: the first column to the left, the rest to the right."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in (head, rule, *rows)) + "\n"


def ms(seconds: float) -> str:
    """Milliseconds, to three digits or to the millisecond."""
    value = seconds * 1e3
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value < 10 else f"{value:.1f}"


def times(ratio: float) -> str:
    """A ratio, to three digits or to the unit."""
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.3g}"


def beside(what: str, rows: Mapping[str, Any], threads: Iterable[str], kind: str) -> str:
    """A table of what the library and Fidget's JIT take, in the medians of each row.

    ``rows`` have ``Times`` of "ours" and of ``kind``, by the words of ``threads``.
    """
    head = [what]
    for words in threads:
        head += [f"{words}: intervalvm, ms", "Fidget's JIT, ms", "JIT / intervalvm"]
    lines = []
    for name, taken in rows.items():
        line = [name]
        for words in threads:
            ours, theirs = (taken[f"{who}, {words}"].median for who in ("ours", kind))
            line += [ms(ours), ms(theirs), times(theirs / ours)]
        lines.append(line)
    return table(head, lines)
