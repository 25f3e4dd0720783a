"""Words on standard output, whose disk may be full and whose reader may leave."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from intervalvm.files import file_errors

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO


def say(text: str, stream: TextIO | None = None) -> None:
    """Print ``text`` at once; raises FileError where standard output cannot take it."""
    with file_errors("standard output"):
        print(text, file=stream or sys.stdout, flush=True)


def aligned(rows: Sequence[Sequence[str]]) -> str:
    """Rows of equally many words as text: the first column to the left, numbers to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            word.rjust(width) if i else word.ljust(width)
            for i, (word, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    )
