"""Which format a file has, by its suffix or as it is given; and streams that are written to."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO

from intervalvm.arguments import brief
from intervalvm.errors import ArgumentTypeError, OptionError

FILMS = {"gif", "mp4", "apng", "avi", "mov"}
"""Suffixes of several pictures in turn, some of which are not written at all."""


def format_of(path: Any, format: str | None, formats: Mapping[str, Any]) -> str:
    """The key of ``formats`` for a file name or a given format. Raises OptionError if none is."""
    if format is None:
        suffix = os.path.splitext(os.fsdecode(path))[1]
        what = f"the suffix {suffix!r}" if suffix else f"{os.fspath(path)!r} without a suffix"
    elif isinstance(format, str):
        suffix, what = format, f"format={brief(format)}"
    else:
        raise ArgumentTypeError(f"format={brief(format)}: give a name, {_as_in(formats)}")
    name = suffix.lower().removeprefix(".")
    if name not in formats:
        known = " ".join(f".{known}" for known in formats)
        of_film = name in FILMS and not formats.keys() & FILMS
        hint = " (ivm.animate and ivm.turntable write films)" if of_film else ""
        raise OptionError(f"{what} names no format: choose {known}{hint}")
    return name


def format_of_stream(stream: Any, format: str | None, formats: Mapping[str, Any]) -> str:
    """The format for a stream: the given one, else by the suffix of the stream's name."""
    if isinstance(stream, io.TextIOBase):
        raise ArgumentTypeError("the file is bytes: open the stream for them, as in mode 'wb'")
    name = getattr(stream, "name", None)
    if format is None and not isinstance(name, (str, bytes, os.PathLike)):
        raise OptionError(f"a stream has no suffix: name the format, {_as_in(formats)}")
    return format_of(name, format, formats)


def _as_in(formats: Mapping[str, Any]) -> str:
    return f"as in format={next(iter(formats))!r}"


def pour(stream: BinaryIO, save: Callable[[Any], None]) -> None:
    """Have ``save`` write to a seekable stream what comes to ``stream``, which need not be one."""
    if hasattr(stream, "writable") and not stream.writable():
        raise OptionError("the stream is open for reading alone: open it in mode 'wb'")
    if hasattr(stream, "flush") and hasattr(stream, "seekable") and stream.seekable():
        save(_Plain(stream))
        return
    whole = io.BytesIO()
    save(whole)
    stream.write(whole.getbuffer())


class _Plain:
    """A stream without a descriptor.

    Pillow and NumPy write to the descriptor of a file directly, and then errors such as a full disk
    have no cause.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self.write, self.flush = stream.write, stream.flush
        self.tell, self.seek = stream.tell, stream.seek
