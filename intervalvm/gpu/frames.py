"""Walks for a plan and a size, cached with the plan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.gpu import devices
from intervalvm.gpu.walk import Walk

if TYPE_CHECKING:
    from intervalvm.jit.plan import Plan

MOST_SIZES = 4
"""Image sizes for which a plan's memory on a device is cached."""


@dataclass
class Walks:
    """The walks of one plan, size and device: one for each thread that is drawing."""

    device: devices.Device
    plan: Plan
    shape: tuple[int, int]
    steps: tuple[int, ...]
    _idle: list[Walk] = field(default_factory=list)

    def render(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[Any, list[list[int]]]:
        """An image of the device, [height, width], and the counts of each step.

        Raises DeviceError for what the device reports, DoesNotFit where its memory is too small.
        """
        walk = self.take()
        pixel_type = np.dtype(np.uint8) if self.plan.is_bitmap else self.plan.dtype
        image = self.device.empty(self.shape[0] * self.shape[1], pixel_type)
        counts = walk.render(x, y, image)
        self._idle.append(walk)  # not after an error, when its state on the device is unknown
        return image.reshape(self.shape), counts

    def take(self) -> Walk:
        """An unused walk."""
        try:
            return self._idle.pop()
        except IndexError:
            height, width = self.shape
            plan = self.plan
            return Walk(
                self.device,
                plan.program,
                width,
                height,
                self.steps,
                is_tame=plan.program.is_tame,
                is_bitmap=plan.is_bitmap,
            )


def walks(plan: Plan, shape: tuple[int, int], steps: Sequence[int]) -> Walks:
    """The walks of a plan for images of ``shape`` (height, width), on the current device.

    The first call compiles the kernels where this machine has none.
    """
    device = devices.current()
    key = id(device), shape, tuple(steps)
    found: Walks | None = plan.on_devices.get(key)
    if found is None:
        found = Walks(device, plan, shape, tuple(steps))
        found._idle.append(found.take())
        while len(plan.on_devices) >= MOST_SIZES:
            plan.on_devices.pop(next(iter(plan.on_devices)), None)
        plan.on_devices[key] = found
    return found
