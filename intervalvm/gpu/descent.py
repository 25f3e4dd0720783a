"""A descent on a device: a region is divided step by step, and its program gets shorter.

The walk of a picture and the cells of points descend alike: a list of regions a step, an arena of
their programs, a launch or two for each step and for the leaves. No step waits for the host: the
number of its regions is in ``control``.

The lists of regions and the arenas of programs are bounded. Deferred children are walked in further
passes, the deepest step first: its programs are still valid, and those of deeper steps may be
overwritten. Each pass has room for one child at least.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.program import INPUTS, Program
from intervalvm.gpu import devices
from intervalvm.gpu import layout as c
from intervalvm.gpu.kernels import Kernel
from intervalvm.gpu.layout import in_waves
from intervalvm.gpu.points import DUAL_PARTS
from intervalvm.gpu.target import FULL

MOST_ITEMS = 1 << 18
"""Regions in the list of a step. More are walked in further passes."""
SHORT, SHORT_LEAF = 512, 126
"""Programs up to this many records run in many blocks. Longer ones, which need more memory a block,
have separate launches of fewer blocks."""
LONG_BYTES = 1 << 28
"""Memory of the blocks of such a launch; one block always runs."""
NUMBERS_A_PLACE = {"cell_values": 0, "cell_duals": DUAL_PARTS}
"""Numbers in memory of a thread and place, by kind of kernel; others have 1."""


@dataclass(frozen=True)
class Launch:
    """One launch: of step ``step``, or of the leaves, for programs of some lengths."""

    kernel: Kernel
    step: int
    shortest: int
    longest: int
    blocks: int
    threads: int

    @property
    def divides(self) -> bool:
        """Whether it makes children, not leaves."""
        return self.kernel.kind in c.DIVIDES

    @property
    def numbers(self) -> int:
        """Numbers that its blocks have room for in memory."""
        places = self.longest + INPUTS
        each = c.workspace_values(places) if self.divides else places * self.threads
        return self.blocks * each * NUMBERS_A_PLACE.get(self.kernel.kind, 1)


class Descent:
    """A program prepared for a descent of some steps, with its memory on a device.

    ``regions`` are how many each step, and the leaves, can have at most; ``parts`` the blocks that
    share a region of each step; ``most_arena`` the words for the programs of a step's regions at
    most, besides the longest one. Not thread-safe.
    """

    def __init__(
        self,
        device: devices.Device,
        program: Program,
        regions: Sequence[int],
        parts: Sequence[int],
        most_arena: int,
    ) -> None:
        self.device, self.dtype = device, program.constants.dtype
        self.program, self.table = in_waves(program)
        self.n, self.parts = len(program), list(parts)
        self.launches: list[Launch] = []
        self._control = self._planned(regions, most_arena)

    # --- memory -------------------------------------------------------------------------------

    def _planned(self, regions: Sequence[int], most_arena: int) -> NDArray[np.int64]:
        """``control`` as a frame starts: the places of lists and arenas."""
        steps = len(self.parts)
        control = np.zeros(c.row(steps + 1), np.int64)
        control[c.STEPS] = steps
        length = c.WORDS * self.n + -(-len(self.table) // c.WORDS) * c.WORDS
        items = words = 0
        self._later: list[list[int]] = []
        for step, most in enumerate(regions):
            row = control[c.row(step) :]
            capacity = max(1, min(most, MOST_ITEMS))
            row[c.ITEMS], row[c.CAPACITY] = items, capacity
            items += capacity * c.ITEM
            row[c.TOP] = words
            words += length + (min(capacity * length, most_arena) if step else 0)
            row[c.END] = words
            if step < steps:
                # regions to be done later, by turns in two lists: a block notes one at most
                later = max(1, capacity * self.parts[step]) * c.ITEM
                self._later.append([items, items + later])
                items += 2 * later
                row[c.DEFERRED] = self._later[step][0]
        first = control[c.row(0) :]
        first[c.COUNT], first[c.LONGEST] = 1, self.n
        self._sizes = items, words
        return control

    def _take_memory(self) -> None:
        """Memory for lists, arenas and blocks, with the root's region and program."""
        device, (items, words) = self.device, self._sizes
        self.constants = device.array(np.append(self.program.constants, np.zeros(2, self.dtype)))
        self.items = device.empty(items, np.int64)
        self.programs = device.empty(words, np.uint32)
        item = np.zeros(c.ITEM, np.int64)
        item[[c.LENGTH, c.WAVES, c.WAVE_COUNT]] = self.n, c.WORDS * self.n, len(self.table)
        item[[c.RESULT, c.VALID, c.VALID + 1]] = self.program.result, FULL, FULL
        device.upload(self.items[: c.ITEM], item)
        root = np.concatenate([self.program.records.ravel(), self.table])
        device.upload(self.programs[: len(root)], root)
        self.values = device.empty(max(each.numbers for each in self.launches), self.dtype)
        divides = [each for each in self.launches if each.divides]
        words_of_blocks = (d.blocks * c.workspace_words(d.longest + INPUTS) for d in divides)
        self.words = device.empty(max(words_of_blocks), np.uint32)
        for kernel in {each.kernel for each in self.launches}:
            device.load(kernel)

    # --- launches -----------------------------------------------------------------------------

    def _plan_division(self, kernel: Kernel) -> None:
        """The launches of all steps."""
        for step, parts in enumerate(self.parts):
            units = self._capacity(step) * parts
            self._add(kernel, step, SHORT, units, self.device.split_blocks, self._threads(units))

    def _capacity(self, step: int) -> int:
        return int(self._control[c.row(step) + c.CAPACITY])

    def _add(
        self, kernel: Kernel, step: int, short: int, units: int, most: int, threads: int
    ) -> None:
        """The launch for short programs, and the one for long ones where there may be some."""
        blocks = min(units, most)
        if step or self.n <= short:
            longest = min(self.n, short)
            self.launches.append(Launch(kernel, step, -1, longest, blocks, threads))
        if self.n > short:
            shortest = short if step else -1
            self.launches.append(
                self._fitting(Launch(kernel, step, shortest, self.n, blocks, threads))
            )

    def _fitting(self, launch: Launch) -> Launch:
        """A launch of as many blocks as ``LONG_BYTES`` have room for."""
        each = launch.numbers // launch.blocks * self.dtype.itemsize
        blocks = max(1, min(launch.blocks, LONG_BYTES // each))
        threads = max(launch.threads, self._threads(blocks)) if launch.divides else launch.threads
        return replace(launch, blocks=blocks, threads=threads)

    def _threads(self, blocks: int) -> int:
        """Fewer blocks get more warps, so that the device is occupied."""
        processors = self.device.processors
        warps = c.MOST_WARPS if blocks <= processors else 8 if blocks <= 4 * processors else 2
        return c.LANES * min(warps, self.device.most_warps)

    # --- passes -------------------------------------------------------------------------------

    def _unfinished(self, control: NDArray[np.int64]) -> int | None:
        """The deepest step with deferred regions."""
        steps = range(len(self.parts) - 1, -1, -1)
        return next((step for step in steps if control[c.row(step) + c.DEFERRED_COUNT]), None)

    def _finish(
        self, there: Any, control: NDArray[np.int64], again: Callable[[int], None]
    ) -> NDArray[np.int64]:
        """Walk deferred children, in passes until there are none; ``again(step)`` launches one.

        ``there`` is ``control`` on the device.
        """
        while (step := self._unfinished(control)) is not None:
            row = control[c.row(step) :]
            row[c.ITEMS], row[c.COUNT] = row[c.DEFERRED], row[c.DEFERRED_COUNT]
            row[c.CAPACITY] = row[c.COUNT]
            row[c.DEFERRED], row[c.DEFERRED_COUNT] = self._other_list(step, int(row[c.ITEMS])), 0
            for deeper in range(step + 1, len(self.parts) + 1):
                fresh, used = self._control[c.row(deeper) :], control[c.row(deeper) :]
                used[: c.FIRST_COUNT] = fresh[: c.FIRST_COUNT]
            self.device.upload(there, control)
            again(step)
            control = self.device.host(there)
        return control

    def _other_list(self, step: int, used: int) -> int:
        return next(place for place in self._later[step] if place != used)
