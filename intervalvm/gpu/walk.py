"""The walk of a picture on a device: see ``descent``.

A frame is one upload (``control`` and the coordinates), a launch or two for each step of the walk
and for the leaves, one that paints proven tiles, and one download of ``control``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.gpu import devices
from intervalvm.gpu import layout as c
from intervalvm.gpu.descent import SHORT_LEAF, Descent
from intervalvm.gpu.kernels import Kernel
from intervalvm.jit.layout import AREA, BLOCK

if TYPE_CHECKING:
    from intervalvm.jit.plan import Plan

MOST_ARENA = 1 << 24
"""Words for the programs of a step's regions, besides the longest one: 64 MiB."""
MOST_SIZES = 4
"""Image sizes for which a plan's memory on a device is cached."""
MOST_RECORDED = 4
"""Addresses of images for which the launches of a frame are recorded."""


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


class Walk(Descent):
    """A plan's program prepared for images of one size, with the device's memory of a frame.

    ``steps`` are the levels of the quadtree that each split covers. Not thread-safe.
    """

    def __init__(
        self, device: devices.Device, plan: Plan, shape: tuple[int, int], steps: Sequence[int]
    ) -> None:
        self.steps, self.is_bitmap = list(steps), plan.is_bitmap
        self.height, self.width = shape
        self.levels = [0, *accumulate(self.steps)]
        regions = [self._cells(level) for level in self.levels]
        parts = [-(-(1 << 2 * levels) // c.LANES) for levels in self.steps]
        super().__init__(device, plan.program, regions, parts, MOST_ARENA)
        self._kernels = {
            kind: Kernel(kind, self.dtype.name, plan.program.is_tame, self.is_bitmap)
            for kind in ("split", "leaves", *(["paint"] if self.is_bitmap else []))
        }
        self._recorded: dict[int, Callable[[], None] | None] = {}
        self._plan_cells()
        self._plan_division(self._kernels["split"])
        tiles = int(self._control[c.TILES_X] * self._control[c.TILES_Y])
        last = len(self.steps)
        units, most = self._capacity(last) * tiles, device.leaf_blocks
        self._add(self._kernels["leaves"], last, SHORT_LEAF, units, most, AREA)
        self._take_memory()

    def _cells(self, level: int) -> int:
        """How many cells of a level can have pixels."""
        return min(1 << level, self.width) * min(1 << level, self.height)

    def _plan_cells(self) -> None:
        """Fill in ``control``: sizes, levels, and the places of maps."""
        control, last = self._control, len(self.steps)
        control[[c.WIDTH, c.HEIGHT, c.Y]] = self.width, self.height, self.width
        leaf = [-(-side // (1 << self.levels[-1])) for side in (self.width, self.height)]
        control[[c.TILES_X, c.TILES_Y]] = [-(-side // BLOCK) for side in leaf]
        self._map_cells = 0
        for step, levels in enumerate(self.steps):
            row = control[c.row(step) :]
            row[c.SPLIT_LEVELS], row[c.LEVEL] = levels, self.levels[step + 1]
            row[c.VERDICTS] = self._map_cells
            self._map_cells += 1 << 2 * self.levels[step + 1]
        control[c.row(last) + c.LEVEL] = self.levels[-1]

    def _take_memory(self) -> None:
        super()._take_memory()
        device, number = self.device, self.dtype
        head = self._control.nbytes
        self._frame = device.empty(head + (self.width + self.height) * number.itemsize, np.uint8)
        self.control = self._frame[:head].view(np.int64)
        self.coordinates = self._frame[head:].view(number)
        self.verdicts = device.empty(self._map_cells, np.uint8)
        columns, rows = (
            np.concatenate([c.cells_of(side, level) for level in self.levels[1:]])
            for side in (self.width, self.height)
        )
        self.columns, self.rows = device.array(columns), device.array(rows)
        if self.is_bitmap:
            device.load(self._kernels["paint"])

    # --- launches -----------------------------------------------------------------------------

    def _launch(self, first: int, image: Any) -> None:
        """Launch the steps from ``first`` on, and the leaves."""
        for launch in self.launches:
            if launch.step < first:
                continue
            divides = launch.divides
            self.device.launch(
                launch.kernel, launch.blocks, launch.threads,
                *([launch.step] if divides else []), launch.shortest, launch.longest,
                self.control, self.coordinates, self.constants, self.programs, self.items,
                self.values, *([self.words, self.verdicts] if divides else [image]),
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
        device = self.device
        device.upload(self._frame, frame)
        self._draw(image)
        control = device.host(self.control)
        if self._unfinished(control) is not None:
            self._finish(self.control, control, lambda step: self._launch(step, image))
            self._paint(image)
            control = device.host(self.control)  # when all is done: another stream may follow
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

    def _counts(self, control: NDArray[np.int64]) -> list[list[int]]:
        fields = slice(c.FIRST_COUNT, c.ROW)
        counts = [control[c.row(step) :][fields].tolist() for step in range(len(self.steps) + 1)]
        *splits, leaves = counts
        splits[-1] = [a + b for a, b in zip(splits[-1], leaves, strict=True)]
        return splits
