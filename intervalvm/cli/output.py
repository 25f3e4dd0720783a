"""What a user gets on the standard streams: text, bytes, and what the library logs."""

from __future__ import annotations

import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from intervalvm.errors import FileError
from intervalvm.files import file_errors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TextIO


def say(text: str) -> None:
    """Print ``text`` on standard output at once; raises FileError where it cannot take it."""
    with file_errors("standard output"):
        _print(text, sys.stdout)


def tell(text: str) -> None:
    """Print ``text`` on standard error; where that takes nothing, nobody reads it."""
    with suppress(OSError):
        _print(text, sys.stderr)


def _print(text: str, stream: TextIO | None) -> None:
    """What the stream's encoding has not, such as part of a file's name, is escaped."""
    if stream is not None:  # else it is closed
        encoding = stream.encoding or "utf-8"
        shown = text.encode(encoding, "backslashreplace").decode(encoding)
        print(shown, file=stream, flush=True)


def write_bytes(data: bytes | memoryview) -> None:
    """Write to standard output at once; raises FileError where it cannot take it."""
    if sys.stdout is None:
        raise FileError("standard output is closed: give --out a file name")
    with file_errors("standard output"):
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


@contextmanager
def log_shown(*, quiet: bool) -> Iterator[None]:
    """Show on standard error what the library logs: kernels compile for seconds, and it says so.

    ``quiet`` leaves the warnings.
    """
    import logging

    class Shown(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            # to whatever stands there by now: a progress bar, which prints it above itself
            tell(f"intervalvm: {record.getMessage()}")

    log, handler = logging.getLogger("intervalvm"), Shown()
    before = log.level
    log.setLevel(logging.WARNING if quiet else logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.setLevel(before)
