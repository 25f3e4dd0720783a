"""Floating-point environments of this thread that are not IEEE 754's default."""

from __future__ import annotations

import ctypes
import platform
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

X86, ARM = "x86_64", "aarch64"
SETTINGS = {
    "upward": {X86: (0x4000, 0x800), ARM: (0x400000, 0)},
    "downward": {X86: (0x2000, 0x400), ARM: (0x800000, 0)},
    "towards zero": {X86: (0x6000, 0xC00), ARM: (0xC00000, 0)},
    "results flushed": {X86: (0x8000, 0), ARM: (1 << 24, 0)},
    "operands flushed": {X86: (0x0040, 0), ARM: (1 << 24, 0)},
    "both flushed, upward": {X86: (0xC040, 0x800), ARM: (5 << 22, 0)},
}
"""Bits of the control register (MXCSR, FPCR), and of the control word of the x87."""
PLACE = {X86: 28, ARM: 0}
"""Where glibc's and musl's ``fenv_t`` have the control register."""
FLAGS = 0x3F
"""Of MXCSR: what has happened, not what is set."""


def _library() -> ctypes.PyDLL:
    if sys.platform != "linux" or platform.machine() not in PLACE:
        pytest.skip("where fenv_t has what is known for Linux on x86-64 and aarch64 alone")
    return ctypes.PyDLL(None)


def control() -> tuple[int, int]:
    """The control register, without flags, and the first control word."""
    words = ctypes.create_string_buffer(256)
    _library().fegetenv(words)
    at = PLACE[platform.machine()]
    register = int.from_bytes(words.raw[at : at + 4], sys.byteorder)
    return register & ~FLAGS, int.from_bytes(words.raw[:2], sys.byteorder)


@contextmanager
def environment(name: str) -> Iterator[None]:
    """Within it this thread computes otherwise. Compare nothing in there."""
    library, machine = _library(), platform.machine()
    saved, words = (ctypes.create_string_buffer(256) for _ in "ab")
    library.fegetenv(saved)
    library.fegetenv(words)
    register, word = SETTINGS[name][machine]
    ctypes.c_uint32.from_buffer(words, PLACE[machine]).value |= register
    if word:
        ctypes.c_uint16.from_buffer(words).value |= word
    library.fesetenv(words)
    try:
        yield
    finally:
        library.fesetenv(saved)
