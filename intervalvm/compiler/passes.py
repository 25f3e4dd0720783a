"""Passes written once, as plain functions over arrays, for Python and for a compiler of Python.

A pass is a function of one named tuple of arrays. It uses integers, floats, loops and other such
functions, and nothing else: it allocates and raises nothing. Python runs it on lists, which are
faster than arrays there; ``jit.passes`` compiles the very same source. Both leave the same numbers
in the arrays.

A tape in work is a ``Table`` of arrays, and ``Scratch`` the memory that passes write to.
"""

from __future__ import annotations

import struct
from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from intervalvm.late import cached_property
from intervalvm.tape import Tape

if TYPE_CHECKING:
    from numpy.typing import NDArray

Arrays = Mapping[str, "NDArray[Any]"]


@dataclass(frozen=True)
class Table:
    """A tape in work: its clauses, and the numbers of constant ones.

    ``codes`` (uint8[n]), ``left`` and ``right`` (int32[n]) are those of a ``Tape``. ``low`` and
    ``high`` (float64[n]) are the ends of a constant: equal in the float program, an enclosure of a
    real number, or NaN if it may be undefined; 0 for other clauses. Arrays may be scratch memory.
    """

    codes: NDArray[np.uint8]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    variables: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.codes)

    def tape(self) -> Tape:
        """The table as a tape; of an enclosure it has the lower end."""
        with np.errstate(over="ignore", under="ignore"):
            single = self.low.astype(np.float32)
        return Tape(self.codes, self.left, self.right, self.low, single, self.variables)


class Scratch:
    """Arrays by name and dtype, allocated once and used by one run of the passes after another."""

    def __init__(self) -> None:
        self._arrays: dict[tuple[str, str], NDArray[Any]] = {}
        self._taken: dict[tuple[str, str], NDArray[Any]] = {}
        self._of_passes: dict[str, tuple[dict[str, int], dict[str, NDArray[Any]]]] = {}
        self.kept: dict[str, Any] = {}
        """What a runner keeps for the next run of a pass, by its name; opaque here."""

    def take(self, name: str, size: int, dtype: str) -> NDArray[Any]:
        """An array of that size, of undefined content; the same object as last time if it fits."""
        key = name, dtype
        taken = self._taken.get(key)
        if taken is None or len(taken) != size:
            found = self._arrays.get(key)
            if found is None or len(found) < size:
                found = self._arrays[key] = np.empty(size, dtype)
            taken = self._taken[key] = found[:size]
        return taken

    def take_all(self, of: Pass, sizes: dict[str, int]) -> dict[str, NDArray[Any]]:
        """The arrays of some fields of a pass, of these sizes; not to be changed."""
        last, arrays = self._of_passes.get(of.name, (None, {}))
        if last != sizes:
            arrays = {
                name: self.take(f"{of.name} {name}", size, of.fields[name])
                for name, size in sizes.items()
            }
            self._of_passes[of.name] = sizes, arrays
        return arrays


@dataclass(frozen=True)
class Pass:
    """A function of a named tuple of arrays, whose dtypes are ``fields``; it returns a status."""

    name: str
    function: Callable[[Any], int]
    fields: Mapping[str, str]

    @cached_property
    def work(self) -> Any:
        """The class of the named tuples."""
        return namedtuple(f"{self.name}_work", self.fields)


Answer = Callable[[int, Any], bool]
"""What a pass asks Python for, from its status and its arrays; whether the pass goes on."""


class Runner(Protocol):
    """What runs passes."""

    applies: bool
    """Whether passes have operations on floats; else they ask for them."""

    def run(self, of: Pass, arrays: Arrays, scratch: Scratch, answer: Answer | None = None) -> int:
        """Run a pass, which reads and writes the array of each field; returns its status."""


class _InPython:
    """Runs a pass as it is written."""

    applies = False

    def run(self, of: Pass, arrays: Arrays, scratch: Scratch, answer: Answer | None = None) -> int:
        del scratch
        work = of.work(*(arrays[name].tolist() for name in of.fields))
        with np.errstate(all="ignore"):
            status = of.function(work)
            while answer is not None and answer(status, work):
                status = of.function(work)
        for name, found in zip(of.fields, work, strict=True):
            if arrays[name].flags.writeable:
                arrays[name][:] = found
        return status


IN_PYTHON: Runner = _InPython()

MIX = 0x1E3779B97F4A7C15
"""An odd number of many bits, for hashing: the golden ratio's, short of the sign."""


def hash_of(bits: int) -> int:
    """A number to be masked, of which all low bits depend on all bits."""
    return ((bits ^ bits >> 32) * MIX) >> 32


# --- what a compiler replaces by an instruction ---------------------------------------------------


def bits_of(number: float) -> int:
    """The bits of a float64 as an int64."""
    found: int = struct.unpack("<q", struct.pack("<d", number))[0]
    return found
