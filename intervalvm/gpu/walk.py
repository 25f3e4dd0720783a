"""The walk on a device: memory, launches, and passes for deferred children.

A frame is one upload (``control`` and the coordinates), a launch or two for each step of the walk
and for the leaves, one that paints proven tiles, and one download of ``control``. No step waits for
the host: the number of its regions is in ``control``.

The lists of regions and the arenas of programs are bounded. Deferred children are walked in further
passes, the deepest step first: its programs are still valid, and those of deeper steps may be
overwritten. Each pass has room for one child at least.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.program import INPUTS, Program
from intervalvm.gpu import devices
from intervalvm.gpu import layout as c
from intervalvm.gpu.kernels import Kernel
from intervalvm.gpu.layout import in_waves
from intervalvm.jit.layout import AREA, BLOCK

if TYPE_CHECKING:
    from intervalvm.jit.plan import Plan

MOST_SIZES = 4
"""Image sizes for which a plan's memory on a device is cached."""
MOST_ITEMS = 1 << 18
"""Regions in the list of a step. More are walked in further passes."""
MOST_ARENA = 1 << 24
"""Words for the programs of a step's regions, besides the longest one: 64 MiB."""
SHORT, SHORT_LEAF = 512, 126
"""Programs up to this many records run in many blocks. Longer ones, which need more memory a block,
have separate launches of fewer blocks."""
MOST_RECORDED = 4
"""Addresses of images for which the launches of a frame are recorded."""
LONG_BYTES = 1 << 28
"""Memory of the blocks of such a launch; one block always runs."""


def renderer(
    plan: Plan, shape: tuple[int, int], steps: Sequence[int]
) -> Callable[[NDArray[Any], NDArray[Any]], tuple[Any, list[list[int]]]]:
    """What draws images of ``shape`` (height, width) from their x and y, on the current device.

    It returns an image of the device, [height, width], and the counts of each step. The first call
    for a plan compiles the kernels where this machine has none. Both raise DeviceError for what the
    device reports, DoesNotFit where its memory is too small.
    """
    device = devices.current()
    key, walks = (device, shape, tuple(steps)), plan.attachments
    idle: list[Walk] = walks.get(key, [])
    walk = None
    with suppress(IndexError):  # the others are drawing, on other threads
        walk = idle.pop()
    walk = walk or Walk(device, plan, shape, steps)
    if key not in walks:
        while len(walks) >= MOST_SIZES:
            walks.pop(next(iter(walks)), None)
        walks[key] = idle

    def render(x: NDArray[Any], y: NDArray[Any]) -> tuple[Any, list[list[int]]]:
        image = device.empty(shape[0] * shape[1], np.uint8 if plan.is_bitmap else plan.dtype)
        counts = walk.render(x, y, image)
        idle.append(walk)  # not after an error, when its state on the device is unknown
        return image.reshape(shape), counts

    return render


@dataclass(frozen=True)
class Launch:
    """One launch: of step ``step``, or of the leaves, for programs of some lengths."""

    kernel: Kernel
    step: int
    shortest: int
    longest: int
    blocks: int
    threads: int


class Walk:
    """A plan's program prepared for images of one size, with the device's memory of a frame.

    ``steps`` are the levels of the quadtree that each split covers. Not thread-safe.
    """

    def __init__(
        self, device: devices.Device, plan: Plan, shape: tuple[int, int], steps: Sequence[int]
    ) -> None:
        self.device, self.steps, self.is_bitmap = device, list(steps), plan.is_bitmap
        self.height, self.width = shape
        self.dtype = plan.dtype
        self.levels = [0, *accumulate(self.steps)]
        self._kernels = {
            kind: Kernel(kind, self.dtype.name, plan.program.is_tame, self.is_bitmap)
            for kind in ("split", "leaves", *(["paint"] if self.is_bitmap else []))
        }
        ordered, waves = in_waves(plan.program)
        self.n, self.waves = len(ordered), len(waves)
        self._recorded: dict[int, Callable[[], None] | None] = {}
        self._plan_memory()
        self._plan_launches()
        self._take_memory(ordered, waves)
        for kernel in self._kernels.values():
            device.load(kernel)

    # --- memory -------------------------------------------------------------------------------

    def _cells(self, level: int) -> int:
        """How many cells of a level can have pixels."""
        return min(1 << level, self.width) * min(1 << level, self.height)

    def _parts(self, step: int) -> int:
        """Blocks that share a region of a step."""
        return -(-(1 << 2 * self.steps[step]) // c.LANES)

    def _plan_memory(self) -> None:
        """Fill in ``control``: sizes, and the places of lists, arenas and maps."""
        steps = len(self.steps)
        control = np.zeros(c.row(steps + 1), np.int64)
        control[[c.WIDTH, c.HEIGHT, c.STEPS, c.Y]] = self.width, self.height, steps, self.width
        leaf = [-(-side // (1 << self.levels[-1])) for side in (self.width, self.height)]
        control[[c.TILES_X, c.TILES_Y]] = [-(-side // BLOCK) for side in leaf]
        length = c.WORDS * self.n + -(-self.waves // c.WORDS) * c.WORDS
        items = words = cells = 0
        self._later: list[list[int]] = []
        for step in range(steps + 1):
            row = control[c.row(step) :]
            capacity = max(1, min(self._cells(self.levels[step]), MOST_ITEMS))
            row[c.ITEMS], row[c.CAPACITY] = items, capacity
            items += capacity * c.ITEM
            row[c.TOP] = words
            words += length + (min(capacity * length, MOST_ARENA) if step else 0)
            row[c.END] = words
            if step < steps:
                row[c.SPLIT_LEVELS], row[c.LEVEL] = self.steps[step], self.levels[step + 1]
                row[c.VERDICTS] = cells
                cells += 1 << 2 * self.levels[step + 1]
                # regions to be done later, by turns in two lists: a block notes one at most
                most = max(1, capacity * self._parts(step)) * c.ITEM
                self._later.append([items, items + most])
                items += 2 * most
                row[c.DEFERRED] = self._later[step][0]
            else:
                row[c.LEVEL] = self.levels[-1]
        first = control[c.row(0) :]
        first[c.COUNT], first[c.LONGEST] = 1, self.n
        self._control, self._sizes = control, (items, words, cells)

    def _take_memory(self, program: Program, waves: NDArray[Any]) -> None:
        device, number, (items, words, cells) = self.device, self.dtype, self._sizes
        head = self._control.nbytes
        self._frame = device.empty(head + (self.width + self.height) * number.itemsize, np.uint8)
        self.control = self._frame[:head].view(np.int64)
        self.coordinates = self._frame[head:].view(number)
        self.constants = device.array(np.append(program.constants, np.zeros(2, number)))
        self.items = device.empty(items, np.int64)
        self.programs = device.empty(words, np.uint32)
        item = np.zeros(c.ITEM, np.int64)
        item[[c.LENGTH, c.WAVES, c.WAVE_COUNT]] = self.n, c.WORDS * self.n, self.waves
        item[[c.RESULT, c.VALID, c.VALID + 1]] = program.result, 2**32 - 1, 2**32 - 1
        device.upload(self.items[: c.ITEM], item)
        root = np.concatenate([program.records.ravel(), waves])
        device.upload(self.programs[: len(root)], root)
        self.verdicts = device.empty(cells, np.uint8)
        values = (each.blocks * values_of(each.kernel, each.longest) for each in self.launches)
        self.values = device.empty(max(values), number)
        splits = [each for each in self.launches if each.kernel.kind == "split"]
        words_of_blocks = (s.blocks * c.workspace_words(s.longest + INPUTS) for s in splits)
        self.words = device.empty(max(words_of_blocks), np.uint32)
        columns, rows = (
            np.concatenate([c.cells_of(side, level) for level in self.levels[1:]])
            for side in (self.width, self.height)
        )
        self.columns, self.rows = device.array(columns), device.array(rows)

    # --- launches -----------------------------------------------------------------------------

    def _plan_launches(self) -> None:
        self.launches: list[Launch] = []
        for step in range(len(self.steps)):
            units = int(self._control[c.row(step) + c.CAPACITY]) * self._parts(step)
            most = self.device.split_blocks
            self._add("split", step, SHORT, units, most, self._threads(units))
        row = c.row(len(self.steps))
        tiles = int(self._control[c.TILES_X] * self._control[c.TILES_Y])
        units = int(self._control[row + c.CAPACITY]) * tiles
        most = self.device.leaf_blocks
        self._add("leaves", len(self.steps), SHORT_LEAF, units, most, AREA)

    def _add(self, kind: str, step: int, short: int, units: int, most: int, threads: int) -> None:
        """The launch for short programs, and the one for long ones where there may be some."""
        kernel = self._kernels[kind]
        if step or self.n <= short:
            longest = min(self.n, short)
            self.launches.append(Launch(kernel, step, -1, longest, min(units, most), threads))
        if self.n > short:
            fitting = LONG_BYTES // (values_of(kernel, self.n) * self.dtype.itemsize)
            blocks = max(1, min(units, most, fitting))
            if kind == "split":
                threads = max(threads, self._threads(blocks))
            self.launches.append(
                Launch(kernel, step, short if step else -1, self.n, blocks, threads)
            )

    def _threads(self, blocks: int) -> int:
        """Fewer blocks get more warps, so that the device is occupied."""
        processors = self.device.processors
        warps = 16 if blocks <= processors else 8 if blocks <= 4 * processors else 2
        return c.LANES * min(warps, self.device.most_warps, c.MOST_WARPS)

    def _launch(self, first: int, image: Any) -> None:
        """Launch the steps from ``first`` on, and the leaves."""
        for launch in self.launches:
            if launch.step < first:
                continue
            is_split = launch.kernel.kind == "split"
            self.device.launch(
                launch.kernel, launch.blocks, launch.threads,
                *([launch.step] if is_split else []), launch.shortest, launch.longest,
                self.control, self.coordinates, self.constants, self.programs, self.items,
                self.values, *([self.words, self.verdicts] if is_split else [image]),
            )  # fmt: skip

    def _paint(self, image: Any) -> None:
        if not self.is_bitmap:
            return  # no pixel of it is proven
        work = -(-self.width // c.RUN) * self.height
        threads = self.device.paint_threads
        blocks = min(-(-work // threads), self.device.leaf_blocks)
        whole = len(image) // c.RUN * c.RUN
        self.device.launch(
            self._kernels["paint"], blocks, threads,
            self.control, self.columns, self.rows, self.verdicts,
            image, image[:whole].view(np.uint64),
        )  # fmt: skip

    # --- a frame ------------------------------------------------------------------------------

    def render(self, x: NDArray[Any], y: NDArray[Any], image: Any) -> list[list[int]]:
        """Fill ``image``, a flat array of the device, and count: fields of ``Counts`` a step."""
        samples = np.concatenate([x, y]).astype(self.dtype, copy=False)
        frame = np.concatenate([self._control.view(np.uint8), samples.view(np.uint8)])
        self.device.upload(self._frame, frame)
        self._draw(image)
        control = self.device.host(self.control)
        if self._unfinished(control) is not None:
            control = self._finish(control, image)
        return self._counts(control)

    def _draw(self, image: Any) -> None:
        """Launch a frame: step by step for a new address of the image, else as a recorded graph.

        Frames that are drawn and dropped get the same memory again.
        """

        def work() -> None:
            self._launch(0, image)
            self._paint(image)

        place = self.device.address(image)
        is_known = place in self._recorded
        replay = self._recorded.pop(place, None)
        if replay is None and is_known:
            replay = self.device.recorded(work)
        (replay or work)()
        self._recorded[place] = replay
        while len(self._recorded) > MOST_RECORDED:
            del self._recorded[next(iter(self._recorded))]

    def _unfinished(self, control: NDArray[np.int64]) -> int | None:
        """The deepest step with deferred regions."""
        steps = range(len(self.steps) - 1, -1, -1)
        return next((step for step in steps if control[c.row(step) + c.DEFERRED_COUNT]), None)

    def _finish(self, control: NDArray[np.int64], image: Any) -> NDArray[np.int64]:
        """Walk deferred children, in passes until there are none, and paint again."""
        while (step := self._unfinished(control)) is not None:
            row = control[c.row(step) :]
            row[c.ITEMS], row[c.COUNT] = row[c.DEFERRED], row[c.DEFERRED_COUNT]
            row[c.CAPACITY] = row[c.COUNT]
            row[c.DEFERRED], row[c.DEFERRED_COUNT] = self._other_list(step, int(row[c.ITEMS])), 0
            for deeper in range(step + 1, len(self.steps) + 1):
                fresh, used = self._control[c.row(deeper) :], control[c.row(deeper) :]
                used[: c.FIRST_COUNT] = fresh[: c.FIRST_COUNT]
            self.device.upload(self.control, control)
            self._launch(step, image)
            control = self.device.host(self.control)
        self._paint(image)
        return self.device.host(self.control)  # when all is done: another stream may take the walk

    def _other_list(self, step: int, used: int) -> int:
        return next(place for place in self._later[step] if place != used)

    def _counts(self, control: NDArray[np.int64]) -> list[list[int]]:
        fields = slice(c.FIRST_COUNT, c.ROW)
        counts = [control[c.row(step) :][fields].tolist() for step in range(len(self.steps) + 1)]
        *splits, leaves = counts
        splits[-1] = [a + b for a, b in zip(splits[-1], leaves, strict=True)]
        return splits


def values_of(kernel: Kernel, longest: int) -> int:
    """Numbers that a block has room for, for programs of up to ``longest`` records."""
    places = longest + INPUTS
    return AREA * places if kernel.kind == "leaves" else c.workspace_values(places)
