"""The evaluator on a GPU: points and boxes in arrays of the device, and results too.

A call is a launch of one kernel of ``points``, or several for points that do not fit at once. The
inputs that the tape reads are copied into one array first, broadcast. Memory is taken for each
call, so threads share an evaluator; launches run on CuPy's current stream. The bits are those of
``evaluate.evaluator.NumpyEvaluator``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.plain import plain_places, plain_program
from intervalvm.compiler.program import Program
from intervalvm.evaluate.points import reads
from intervalvm.gpu import devices
from intervalvm.gpu.devices import Device
from intervalvm.gpu.kernels import Kernel
from intervalvm.gpu.points import PARTS
from intervalvm.gpu.slots import SlottedProgram, slotted
from intervalvm.gpu.tree import Trees
from intervalvm.jit.box_work import broadcast
from intervalvm.late import cached_property
from intervalvm.tape import Tape
from intervalvm.words import Meaning

Arrays = Sequence[Any]
"""Arrays of the device, one of each input, of the evaluator's dtype; their shapes broadcast."""
MOST_BYTES = 1 << 28
"""The scratch memory of a launch takes no more, unless one block does; neither do its inputs."""


class CudaEvaluator:
    """A tape prepared for its dtype and inputs: see ``evaluate.evaluator``.

    Arrays are those of ``devices.current().module``.
    """

    meaning = Meaning.FLOAT

    def __init__(self, tape: Tape, inputs: tuple[str, ...], dtype: np.dtype[Any]) -> None:
        self.tape, self.inputs, self.dtype = tape, inputs, dtype
        self._trees = Trees(tape, dtype)
        self._copies: dict[Device, tuple[Any, Any]] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return CudaEvaluator, (self.tape, self.inputs, self.dtype)

    @cached_property
    def read(self) -> tuple[str, ...]:
        """The inputs that the tape reads."""
        found = reads(self.tape)
        return tuple(name for name in self.inputs if name in found)

    @cached_property
    def program(self) -> Program:
        """The plain program of the tape, over the inputs that it reads."""
        return plain_program(self.tape, self.dtype, inputs=self.read)

    @cached_property
    def slotted(self) -> SlottedProgram:
        """The same with slots."""
        return slotted(self.program, len(self.read))

    @cached_property
    def _places(self) -> NDArray[np.int64]:
        return plain_places(self.tape, self.read)

    def values(self, points: Arrays, out: Any = None) -> Any:
        """The values at points, an array of their broadcast shape; it is ``out`` if given."""
        device, shape = devices.current(), broadcast(point.shape for point in points)
        found = device.empty(math.prod(shape), self.dtype).reshape(shape) if out is None else out
        rows = self._rows(points)
        if not self._trees.values(dict(zip(self.read, rows, strict=True)), shape, found):
            self._run(device, "values", rows, shape, [found])
        return found

    def _rows(self, arrays: Sequence[Any]) -> list[Any]:
        """Those of the inputs that the tape reads."""
        return [array for name, array in zip(self.inputs, arrays, strict=True) if name in self.read]

    def _run(
        self, device: Device, kind: str, rows: Sequence[Any], shape: tuple[int, ...], results: Any
    ) -> None:
        """Run a kernel on all points of a shape, whose numbers are in ``rows``."""
        kernel = Kernel(kind, self.dtype.name, tame=False, is_bitmap=False)
        count, threads, program = math.prod(shape), device.paint_threads, self.slotted
        if not count:
            return
        device.load(kernel)
        numbers = PARTS[kind] * program.slots * threads
        most = max(1, MOST_BYTES // (numbers * self.dtype.itemsize))
        blocks = min(most, device.leaf_blocks, -(-count // threads))
        programs, constants = self._on(device)
        scratch, first = device.empty(blocks * numbers, self.dtype), 0
        flat = [result.reshape(-1) for result in results]
        together = max(1, MOST_BYTES // (max(1, len(rows)) * self.dtype.itemsize))
        for part in parts_of(shape, together):
            views = [device.module.broadcast_to(row, shape)[part] for row in rows]
            size = math.prod(some.stop - some.start for some in part)
            packed = device.empty(max(1, len(rows)) * size, self.dtype)
            for k, view in enumerate(views):
                packed[k * size : (k + 1) * size].reshape(view.shape)[...] = view
            device.launch(
                kernel, blocks, threads, programs, constants, packed, scratch, *flat,
                len(program), program.inputs, program.slots, program.result, size, first,
            )  # fmt: skip
            first += size

    def _on(self, device: Device) -> tuple[Any, Any]:
        """The records and the constants on a device."""
        if device not in self._copies:
            program = self.slotted
            copies = device.array(program.records.reshape(-1)), device.array(program.constants)
            self._copies[device] = copies
        return self._copies[device]


def parts_of(shape: tuple[int, ...], most: int) -> Iterator[tuple[slice, ...]]:
    """Slices that cut an array of a shape, in C order, into parts of at most ``most`` items."""
    if math.prod(shape) <= most or not shape:
        yield tuple(slice(0, n) for n in shape)
        return
    inner = math.prod(shape[1:])
    step = max(1, most // max(inner, 1))
    for start in range(0, shape[0], step):
        some = slice(start, min(start + step, shape[0]))
        if inner <= most:
            yield (some, *(slice(0, n) for n in shape[1:]))
        else:
            yield from ((some, *rest) for rest in parts_of(shape[1:], most))
