"""Words for the user: on standard output, whose disk may be full, and what the library logs."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from intervalvm.files import file_errors

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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


@contextmanager
def log_shown(*, quiet: bool) -> Iterator[None]:
    """Show on standard error what the library logs: kernels compile for seconds, and it says so.

    ``quiet`` leaves the warnings.
    """
    import logging

    log, handler = logging.getLogger("intervalvm"), logging.StreamHandler()
    handler.setFormatter(logging.Formatter("intervalvm: %(message)s"))
    before = log.level
    log.setLevel(logging.WARNING if quiet else logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
