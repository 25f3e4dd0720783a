"""Memory: limits, checked before the work starts; addresses of arrays; the garbage collector."""

from __future__ import annotations

import gc
import math
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from ctypes import addressof, c_char
from decimal import Decimal
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arguments import brief, real
from intervalvm.errors import DoesNotFit, OptionError

WORTH_ASKING = 64 << 20
"""Fewer bytes are not compared with the available memory."""

AMOUNT = re.compile(r"\s*(\d+\.?\d*|\.\d+)\s*([KMGT]?)(?:i?B)?\s*", re.IGNORECASE | re.ASCII)

MOST = sys.maxsize >> 1
"""More bytes than any machine has; sums do not overflow."""
Amount = int | float | str
"""Bytes: a number, or text such as "4G"."""


def bytes_in(text: str) -> int:
    """The number of bytes, at most ``MOST``, in a text such as "4G", "500 MB" or "1.5 GiB".

    K, M, G and T are powers of 1024. Raises OptionError for another text.
    """
    found = AMOUNT.fullmatch(text)
    if found is None:
        raise OptionError(f"{brief(text)} is not an amount of memory: give 4G or 500M")
    number, unit = found.groups()
    return int(min(Decimal(number) * 1024 ** " KMGT".index(unit.upper() or " "), MOST))


def as_bytes(name: str, amount: Amount) -> int:
    """A positive number of bytes, given as a number or a text.

    Raises ArgumentTypeError for another type, OptionError for an invalid value.
    """
    size = bytes_in(amount) if isinstance(amount, str) else real(name, amount)
    if isinstance(amount, (bool, np.bool_)) or not 0 < size < math.inf:
        raise OptionError(f"{name} must be a positive number of bytes, not {brief(amount)}")
    return min(math.ceil(size), MOST)


def require(needed: int, what: str, way_out: str, max_memory: Amount | None = None) -> None:
    """Raise DoesNotFit if ``needed`` bytes are more than ``max_memory`` or than is available."""
    if max_memory is None and needed < WORTH_ASKING:
        return
    limit = available() if max_memory is None else as_bytes("max_memory", max_memory)
    if needed > limit:
        most = in_units(limit)
        has = f"only {most} is available" if max_memory is None else f"max_memory allows {most}"
        raise DoesNotFit(f"{what} needs about {in_units(needed)}, but {has}: {way_out}")


CLAUSE_BYTES = 384
"""Measured bytes a clause of the lists of an evaluation."""


def require_lists(clauses: int, max_memory: Amount | None) -> None:
    """Raise DoesNotFit if the lists of an evaluation do not fit, which count for long tapes."""
    what = f"an evaluation of {clauses} clauses"
    require(CLAUSE_BYTES * clauses, what, "use a shorter tape", max_memory)


def available() -> int:
    """Bytes available without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def in_units(size: float) -> str:
    """A number of bytes as text: ``60.1 GiB``."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} TiB"


def address_of(array: Any) -> int:
    """The address of an array's first element.

    Three times faster than ``array.ctypes`` or ``array.__array_interface__``, which find it if an
    array is read-only, empty or not contiguous.
    """
    try:
        return addressof(c_char.from_buffer(array))
    except (TypeError, ValueError):
        address: int = array.__array_interface__["data"][0]
        return address


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """Disable Python's cyclic garbage collector while many long-lived objects are created.

    Its passes would take most of the time of making the expressions of a page of text. If threads
    overlap, it may run.
    """
    was_enabled = gc.isenabled()
    try:
        gc.disable()  # in here: an interrupt may come right after it
        yield
    finally:
        if was_enabled:
            gc.enable()


def aligned(n_bytes: int, *, clear: bool = False) -> NDArray[np.uint8]:
    """Memory that starts on a cache line, uninitialised unless ``clear`` makes it 0."""
    raw = (np.zeros if clear else np.empty)(n_bytes + 64, np.uint8)
    start = -address_of(raw) % 64
    return raw[start : start + n_bytes]
