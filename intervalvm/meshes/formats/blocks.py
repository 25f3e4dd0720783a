"""Rows of arrays written a block at a time, so that a large mesh takes little memory beside."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from numpy.typing import NDArray

ROWS = 1 << 15
"""The rows of a block. One takes tens of milliseconds as text, after which Ctrl-C is heard."""


def blocks(count: int) -> Iterator[slice]:
    """Slices that cover ``count`` rows."""
    return (slice(start, start + ROWS) for start in range(0, count, ROWS))


def write_rows(stream: BinaryIO, form: str, rows: NDArray[Any]) -> None:
    """Write each row as text by a format of %, which has a place for each number of it."""
    for block in blocks(len(rows)):
        part = rows[block]
        # one % for a block is several times as fast as one for each row
        stream.write((form * len(part) % tuple(part.ravel().tolist())).encode("ascii"))
