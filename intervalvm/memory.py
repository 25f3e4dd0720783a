"""How much memory there is, refusing what would not fit before it starts, and where arrays lie."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from intervalvm.errors import DoesNotFit, OptionError

WORTH_ASKING = 64 << 20
"""Below this many bytes the system is not asked what it has left."""


def require(needed: int, what: str, way_out: str, max_memory: int | None = None) -> None:
    """Raise DoesNotFit if ``needed`` bytes are more than ``max_memory`` or than is available."""
    if max_memory is not None and max_memory <= 0:
        raise OptionError(f"max_memory must be a positive number of bytes, not {max_memory}")
    if max_memory is None and needed < WORTH_ASKING:
        return
    limit = available() if max_memory is None else max_memory
    if needed > limit:
        source = "are available" if max_memory is None else "are allowed (max_memory)"
        raise DoesNotFit(
            f"{what} needs about {in_units(needed)}, but {in_units(limit)} {source}: {way_out}"
        )


def available() -> int:
    """Bytes that this process may still take without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def in_units(size: float) -> str:
    """A number of bytes for people: ``60.1 GiB``."""
    for unit in ("bytes", "KiB", "MiB", "GiB"):
        if size < 1024:
            return f"{size:.4g} {unit}"
        size /= 1024
    return f"{size:.4g} TiB"


def address_of(array: Any) -> int:
    """The address of an array's first element; ``array.ctypes`` takes three times as long."""
    address: int = array.__array_interface__["data"][0]
    return address


@contextmanager
def no_search_for_cycles() -> Iterator[None]:
    """Holds Python's cyclic garbage collector while many objects are made that stay.

    It would look through all of them again and again: most of the time that it takes to make the
    expressions of a page of text. Threads may overlap: the worst is that it runs.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
