"""The tables of the documents that the table of operations makes: ``python
tools/document_operations.py`` writes them anew.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from intervalvm.expr.ufuncs import UFUNCS
from intervalvm.ops import ROWS

DOCS = Path(__file__).resolve().parents[1] / "docs"
FUNCTIONS = [op for op in ROWS if op.function is not None]


def operations(_: str) -> str:
    """Every operation: what it is of which operands, and what to know of its edges."""
    rows = [
        (
            f"`{'var-NAME' if op.name == 'var' else op.name}`",
            " ".join(op.operands),
            op.value,
            op.edges,
        )
        for op in ROWS
    ]
    return _table(rows)


def errors(_: str) -> str:
    """The worst error that was found of every function."""
    rows = []
    for op in FUNCTIONS:
        assert op.function is not None
        most, *place = op.function.worst
        rows.append((f"`{op.name}`", f"{most:.3f}", ", ".join(map(repr, place))))
    return _table(rows)


def exact_ufuncs(found: str) -> str:
    """NumPy's functions that have NumPy's bits; those that are no operations stay as they are."""
    mine = [op.names.numpy for op in ROWS if op.names.numpy and op.function is None]
    others = [name for name in re.findall(r"`(\w+)`", found) if name not in mine]
    return " ".join(f"`{name}`" for name in (*mine, *others) if name in UFUNCS)


def functions(_: str) -> str:
    return " ".join(f"`{op.names.numpy}`" for op in FUNCTIONS if op.names.numpy)


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join(re.sub(r"\|  (?=\|)", "| ", line) for line in lines)


PARTS: list[tuple[str, str, str, Callable[[str], str]]] = [
    (
        "format.md",
        "| operation | operands | value | edges |\n|---|---|---|---|\n",
        "\n\n",
        operations,
    ),
    (
        "functions.md",
        "| function | worst error found, ulp | at |\n|---|---:|---:|\n",
        "\n\n",
        errors,
    ),
    ("expressions.md", "| functions | what they give |\n|---|---|\n| ", " |", exact_ufuncs),
    ("expressions.md", " of comparisons only |\n| ", " | [functions of this", functions),
]
"""Of pages what stands before and after a part, and what makes it, of what stands there."""


def written(page: str) -> str:
    """A page with its parts as the table has them."""
    text = (DOCS / page).read_text(encoding="utf-8")
    for name, before, after, make in PARTS:
        if name == page:
            head, _, rest = text.partition(before)
            assert rest, f"{page} has no {before!r}"
            old, _, tail = rest.partition(after)
            text = head + before + make(old) + after + tail
    return text


def main() -> None:
    """Write the pages."""
    for page in dict.fromkeys(part[0] for part in PARTS):
        (DOCS / page).write_text(written(page), encoding="utf-8")


if __name__ == "__main__":
    main()
