"""Words and tables of a page in Markdown."""

from __future__ import annotations

from collections.abc import Sequence


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
