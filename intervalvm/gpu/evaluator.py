"""The evaluator on a GPU: points and boxes in arrays of the device, and results too.

A call is a launch of one kernel of ``points``, or several for points that do not fit at once. The
inputs that the tape reads are copied into one array first, broadcast. Memory is taken for each
call, so threads share an evaluator; launches run on CuPy's current stream. The bits are those of
``evaluate.evaluator.NumpyEvaluator``.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.plain import plain_places, plain_program
from intervalvm.compiler.program import Program
from intervalvm.errors import OptionError
from intervalvm.evaluate.gradients import settle_all
from intervalvm.evaluate.points import Points, reads
from intervalvm.gpu import devices
from intervalvm.gpu.axes import direction_bits
from intervalvm.gpu.device import device_errors
from intervalvm.gpu.devices import Device
from intervalvm.gpu.exchange import on_host
from intervalvm.gpu.kernels import Kernel
from intervalvm.gpu.points import JUMP, KINK, PARTS
from intervalvm.gpu.slots import SlottedProgram, slotted
from intervalvm.gpu.tree import Trees
from intervalvm.jit.box_work import broadcast
from intervalvm.jit.evaluator import CompiledEvaluator
from intervalvm.jit.points import MOST_DUALS, dual_program
from intervalvm.jit.request import DIRECTIONS
from intervalvm.late import cached_property
from intervalvm.memory import WORTH_ASKING
from intervalvm.ops.row import Interval
from intervalvm.tape import Tape
from intervalvm.words import Meaning

Arrays = Sequence[Any]
"""Arrays of the device, one of each input, of the evaluator's dtype; their shapes broadcast."""
Boxes = Sequence[Interval]
"""The sides by each input: arrays of the device whose shapes broadcast."""
MOST_BYTES = 1 << 28
"""The scratch memory of a launch takes no more, unless one block does; neither do its inputs."""


class Loaded(NamedTuple):
    """A program, and on a device its records as words and its constants."""

    program: SlottedProgram
    words: Any
    constants: Any


class CudaEvaluator:
    """A tape prepared for its dtype and inputs: see ``evaluate.evaluator``.

    Arrays are those of ``devices.current().module``. There are no bounds of derivatives.
    """

    meaning = Meaning.FLOAT

    def __init__(self, tape: Tape, inputs: tuple[str, ...], dtype: np.dtype[Any]) -> None:
        self.tape, self.inputs, self.dtype = tape, inputs, dtype
        self._trees = Trees(tape, dtype)
        self._loaded: dict[tuple[Device, tuple[str, ...]], Loaded] = {}

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
    def places(self) -> NDArray[np.int64]:
        """The places of the clauses in the program."""
        return plain_places(self.tape, self.read)

    @cached_property
    def on_host(self) -> CompiledEvaluator:
        """That of the CPU."""
        return CompiledEvaluator(self.tape, self.inputs, self.dtype)

    @device_errors()
    def values(self, points: Arrays, out: Any = None) -> Any:
        """The values at points, an array of their broadcast shape; it is ``out`` if given."""
        device, shape = devices.current(), broadcast(point.shape for point in points)
        found = self._empty(device, shape) if out is None else out
        self._values(device, self._of_read(points), shape, found)
        return found

    def _values(
        self, device: Device, rows: Sequence[Any], shape: tuple[int, ...], found: Any
    ) -> None:
        if not self._trees.values(self._named(rows), shape, found):
            self._run(device, "values", rows, shape, [found])

    @device_errors()
    def gradients(self, points: Arrays, by: Sequence[str], out: Any = None) -> Any:
        """The values, then the derivative by each input of ``by``: [1 + len(by), *shape].

        What they are where branches meet is told in ``evaluate.gradients``; it is found on the CPU.
        """
        device, shape = devices.current(), broadcast(point.shape for point in points)
        found = self._empty(device, (1 + len(by), *shape)) if out is None else out
        rows, moving = self._of_read(points), [k for k, name in enumerate(by) if name in self.read]
        for k in {*range(len(by))} - {*moving}:
            found[1 + k, ...] = 0
        if not moving:
            self._values(device, rows, shape, found[0, ...])
            return found
        marks = device.module.zeros(shape, np.uint8)
        for start in range(0, len(moving), DIRECTIONS):
            directions = moving[start : start + DIRECTIONS]
            to = [1 + k for k in directions] + [0] * (DIRECTIONS - len(directions))
            along = tuple(by[k] for k in directions)
            if not self._trees.duals(self._named(rows), shape, along, found, marks, to):
                self._run(
                    device, "duals", rows, shape, [found, marks], marks.size, *to, along=along
                )
        masks = [(marks & bit) != 0 for bit in (KINK, JUMP)]
        kinks, jumps = (mask if mask.any() else None for mask in masks)
        given = dict(zip(self.inputs, points, strict=True))
        ready = Points.of(self.tape, given, self.dtype, device.module)
        settle_all(ready, by, kinks, jumps, [found[k, ...] for k in range(1 + len(by))])
        return found

    @device_errors()
    def bounds(self, boxes: Boxes) -> Interval:
        """Bounds of the values over boxes: three arrays of their broadcast shape."""
        device, shape = devices.current(), broadcast(part.shape for side in boxes for part in side)
        rows = [part for side in self._of_read(boxes) for part in side]
        ends, flags = self._empty(device, (2, *shape)), device.empty(math.prod(shape), np.uint8)
        self._run(device, "boxes", rows, shape, [ends, flags], flags.size)
        return Interval(ends[0, ...], ends[1, ...], flags.view(np.bool_).reshape(shape))

    def slope_bounds(self, _boxes: Boxes, _by: Sequence[str]) -> NoReturn:
        """Raises OptionError."""
        raise OptionError(
            "backend='cuda' has no bounds of derivatives: make an evaluator without it, for boxes "
            "on the host"
        )

    @device_errors()
    def shorten(
        self, boxes: Boxes, *, sign_only: bool = False, also: Sequence[tuple[Any, Boxes]] = ()
    ) -> list[CudaEvaluator]:
        """An evaluator for each box, in C order, of its shorter tape: see ``tape.shorten``.

        Choices are found on the CPU, so boxes may be arrays of the host too.
        """
        (host, sides), *others = (
            (each.on_host, [Interval(*map(on_host, side)) for side in some])
            for each, some in [(self, boxes), *also]
        )
        found = host.shorten(sides, sign_only=sign_only, also=others)
        return [CudaEvaluator(short.tape, self.inputs, self.dtype) for short in found]

    def _named(self, rows: Sequence[Any]) -> dict[str, Any]:
        return dict(zip(self.read, rows, strict=True))

    def _of_read(self, given: Sequence[Any]) -> list[Any]:
        """What is given of the inputs that the tape reads."""
        return [each for name, each in zip(self.inputs, given, strict=True) if name in self.read]

    def _empty(self, device: Device, shape: tuple[int, ...]) -> Any:
        return device.empty(math.prod(shape), self.dtype).reshape(shape)

    def _run(
        self,
        device: Device,
        kind: str,
        rows: Sequence[Any],
        shape: tuple[int, ...],
        results: Sequence[Any],
        *more: int,
        along: tuple[str, ...] = (),
    ) -> None:
        """Run a kernel of ``points`` on all points or boxes of a shape.

        Their numbers are in ``rows``; ``more`` are further arguments.
        """
        count, threads, itemsize = math.prod(shape), device.paint_threads, self.dtype.itemsize
        if not count:
            return
        kernel = Kernel(kind, self.dtype.name, tame=False, is_bitmap=False)
        device.load(kernel)
        program, words, constants = self._on(device, along)
        block, row_count = PARTS[kind] * program.slots * threads, max(1, len(rows))
        blocks = min(device.leaf_blocks, -(-count // threads))
        room = _room(device, max(blocks * block, row_count * count) * itemsize)
        blocks = max(1, min(blocks, room // (block * itemsize)))
        scratch, first = device.empty(blocks * block, self.dtype), 0
        flat = [result.reshape(-1) for result in results]
        for part in parts_of(shape, max(1, room // (row_count * itemsize))):
            size = math.prod(some.stop - some.start for some in part)
            packed = device.empty(row_count * size, self.dtype)
            for k, row in enumerate(rows):
                view = device.module.broadcast_to(row, shape)[part]
                packed[k * size : (k + 1) * size].reshape(view.shape)[...] = view
            device.launch(
                kernel, blocks, threads, words, constants, packed, scratch, *flat, len(program),
                program.inputs, program.slots, program.result, size, first, *more,
            )  # fmt: skip
            first += size

    def _on(self, device: Device, along: tuple[str, ...]) -> Loaded:
        """The program on a device, for derivatives ``along`` some inputs."""
        found = self._loaded.get((device, along))
        if found is None:
            program = self.program
            if along:
                records = dual_program(self.tape, self.places, program, along).records
                program = replace(program, records=records)
            made = slotted(program, len(self.read))
            bits = np.array([*direction_bits(self.read, along), 0], np.uint32)
            words = np.append(made.records.reshape(-1), bits)
            found = Loaded(made, device.array(words), device.array(made.constants))
            device.wait()  # a copy may be read on another stream
            if len(self._loaded) >= MOST_DUALS:
                self._loaded = {}
            self._loaded[device, along] = found
        return found


def _room(device: Device, wanted: int) -> int:
    """Bytes for what is kept during a launch, twice."""
    return wanted if wanted < WORTH_ASKING else min(MOST_BYTES, device.free_bytes() // 2)


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
