"""Leaves on a GPU, in batches, while the walk that finds them goes on.

The walk is the compiled one, on the CPU. A thread collects its leaves (see ``jit.leaves``) in
one of two buffers of pinned memory; a full one is sent, and the thread continues with the other::

    thread   │ walk, fill A │ walk, fill B       │ draw A │ walk, fill A       │ draw B │
    stream A │              │ up, evaluate, down │        │                    │
    stream B │              │                    │        │ up, evaluate, down │

Transfers are small: 16 bytes a record and 32 a block up, 32 bytes a block of 256 pixels down, the
bits of a bitmap. Pixels are not transferred, since the walk fills proven tiles in host memory. The
threads draw all results at the end of the walk.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.compiler.program import INPUTS, RECORD_BYTES
from intervalvm.gpu import device, devices
from intervalvm.gpu.device import device_errors
from intervalvm.gpu.kernels import Kernel
from intervalvm.gpu.layout import LOCAL_PLACES
from intervalvm.gpu.target import check_target
from intervalvm.jit import layout as c
from intervalvm.jit import native
from intervalvm.jit.layout import AREA, BLOCK, TRUTH_BYTES
from intervalvm.jit.plan import Plan, Workspace
from intervalvm.jit.walk import LeafHook
from intervalvm.memory import address_of, require

FEWER = "use fewer threads, or backend='numba'"
"""The way out if the device's memory is too small."""
MOST_BLOCKS, MOST_RECORDS = 1 << 12, 1 << 16
"""Capacity of a batch: 1 MiB of records."""
MOST_RESULTS = 1 << 20
"""Bytes of results: fewer blocks where they are values."""
MOST_SCRATCH = 1 << 25
"""Bytes of values of long programs of a batch on the device, at least one block's."""


@dataclass(frozen=True)
class Room:
    """The parameters of a batch, by which frames share it."""

    dtype: np.dtype[Any]
    is_bitmap: bool
    blocks: int
    records: int

    @staticmethod
    def of(plan: Plan, width: int) -> Room:
        """For leaves of a plan's programs: one of its longest and rows of the whole width fit."""
        block_bytes = TRUTH_BYTES if plan.is_bitmap else AREA * plan.dtype.itemsize
        blocks = max(min(MOST_BLOCKS, MOST_RESULTS // block_bytes), -(-width // BLOCK))
        return Room(plan.dtype, plan.is_bitmap, blocks, max(MOST_RECORDS, len(plan.program) + 1))

    @property
    def parts(self) -> tuple[tuple[tuple[int, int], np.dtype[Any]], ...]:
        """Shape and dtype of blocks, records and results: 8 words of bits a block, or values."""
        words = np.dtype(np.uint32)
        width, kind = (TRUTH_BYTES // 4, words) if self.is_bitmap else (AREA, self.dtype)
        blocks = (self.blocks, c.BLOCK_WORDS), np.dtype(np.int32)
        return blocks, ((self.records, RECORD_BYTES // 4), words), ((self.blocks, width), kind)

    def kernel(self, kind: str) -> Kernel:
        """For "short" or "long" programs."""
        return Kernel(kind, self.dtype.name, tame=False, is_bitmap=self.is_bitmap)

    @property
    def host_bytes(self) -> int:
        """Pinned memory of a thread: two batches."""
        return 2 * sum(math.prod(shape) * dtype.itemsize for shape, dtype in self.parts)


class Batch:
    """Blocks, records and results: in pinned memory, and their doubles on the device.

    Memory is freed when no thread refers to the batch and the device has finished with it, also
    after an interrupt.
    """

    def __init__(self, module: ModuleType, launcher: devices.Device, room: Room) -> None:
        self.room, self._module, self._device = room, module, launcher
        self.blocks, self.records, self.results = (_pinned(module, *part) for part in room.parts)
        self.addresses = tuple(map(address_of, (self.blocks, self.records, self.results)))
        self._there = [module.empty(*part) for part in room.parts]
        self._scratch = module.empty(0, room.dtype)
        self.stream = module.cuda.Stream(non_blocking=True)
        self._short, self._long = room.kernel("short"), room.kernel("long")
        self.count = 0  # blocks that were sent and not drawn
        self._sent: Sequence[Any] | None = None  # what the device reads, until it has come back

    def __del__(self) -> None:
        if getattr(self, "_sent", None) is not None:
            with suppress(Exception):  # a device that is lost writes no more
                self.wait()

    def send(self, count: int, used: int, inputs: Sequence[Any]) -> None:
        """Start the evaluation of the first ``count`` blocks, with ``used`` records.

        ``inputs`` are the pool of constants, x and y, on the device.
        """
        self._sent = inputs
        self._upload(count, used)
        blocks, records, results = (array.ravel() for array in self._there)
        self._launch(count, (blocks, records, *inputs, results))
        self._download(count)
        self.count = count

    def _upload(self, count: int, used: int) -> None:
        blocks, records, _ = self._there
        blocks[:count].set(self.blocks[:count], stream=self.stream)
        records[:used].set(self.records[:used], stream=self.stream)

    def _download(self, count: int) -> None:
        _, _, results = self._there
        results[:count].get(out=self.results[:count], stream=self.stream, blocking=False)

    def _launch(self, count: int, arrays: tuple[Any, ...]) -> None:
        places = int(self.blocks[:count, c.BLOCK_LENGTH].max()) + INPUTS
        if places <= LOCAL_PLACES:
            with self.stream:
                self._device.launch(self._short, count, AREA, *arrays)
            return
        size = places * AREA  # numbers of a block of threads
        at_once = min(count, max(1, MOST_SCRATCH // (size * self.room.dtype.itemsize)))
        if self._scratch.size < at_once * size:
            self._scratch = self._module.empty(0, self.room.dtype)  # the smaller one goes first
            self._scratch = self._module.empty(at_once * size, self.room.dtype)
            self._module.cuda.Device().synchronize()  # its last user may be in another stream
        with self.stream:
            self._device.launch(
                self._long, at_once, AREA, *arrays, self._scratch, count, at_once, places
            )

    def wait(self) -> None:
        """Wait for the results."""
        self.stream.synchronize()
        self._sent = None


def _pinned(module: ModuleType, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    """Host memory that the device copies from and to by itself."""
    count = math.prod(shape)
    memory = module.cuda.alloc_pinned_memory(count * dtype.itemsize)
    return np.frombuffer(memory, dtype, count).reshape(shape)


@dataclass(frozen=True)
class Frame:
    """What all threads of a frame share.

    ``device()`` is a context in which a thread works on the frame's device, ``inputs`` are
    the pool of constants, x and y there, and ``merge`` draws a batch.
    """

    device: Callable[[], Any]
    inputs: tuple[Any, ...]
    merge: native.Kernel


class Thread:
    """The workspace and the two batches of a thread."""

    def __init__(self, workspace: Workspace, batches: Sequence[Batch], frame: Frame) -> None:
        self._workspace, self._frame = workspace, frame
        self._filling, self._other = batches
        # waiting for the others inside the kernel would delay the last batch
        workspace.context[c.IS_CALLER] = False
        self._fill()

    def turn(self, unfinished: int) -> None:
        """After a turn of the walk: send a full batch, and in the end also one that is not."""
        if self._workspace.context[c.BATCH_IS_FULL] or not unfinished:
            self._send()
            self._draw(self._other)
            self._filling, self._other = self._other, self._filling
            self._fill()
        if not unfinished:
            self._draw(self._other)

    def _fill(self) -> None:
        """Have the walk collect into an empty batch."""
        context, batch = self._workspace.context, self._filling
        context[c.BATCH_BLOCKS], context[c.BATCH_RECORDS], _ = batch.addresses
        context[c.BATCH_MOST_BLOCKS] = batch.room.blocks
        context[c.BATCH_MOST_RECORDS] = batch.room.records
        context[c.BATCH_COUNT] = context[c.BATCH_USED] = context[c.BATCH_IS_FULL] = 0
        context[c.LEAF_AT] = -1

    def _send(self) -> None:
        context, frame = self._workspace.context, self._frame
        count, used = int(context[c.BATCH_COUNT]), int(context[c.BATCH_USED])
        if count:
            with device_errors(FEWER), frame.device():
                self._filling.send(count, used, frame.inputs)

    def _draw(self, batch: Batch) -> None:
        """Wait for a batch and draw it."""
        if not batch.count:
            return
        with device_errors(FEWER), self._frame.device():
            batch.wait()
        context = self._workspace.context
        context[c.MERGE_BLOCKS], _, context[c.MERGE_RESULTS] = batch.addresses
        context[c.MERGE_COUNT] = batch.count
        batch.count = 0
        self._frame.merge(self._workspace.address)


@contextmanager
def batches(plan: Plan, width: int, threads: int) -> Iterator[LeafHook]:
    """For ``jit.walk.render``: evaluates the leaves of a frame ``width`` pixels wide on the GPU.

    Raises BackendError where numba-cuda is not installed, DoesNotFit and DeviceError, and so does
    the walk.
    """
    check_target()
    module, room = device.cupy(), Room.of(plan, width)
    require(threads * room.host_bytes, f"leaf batches for {threads} threads", "use fewer threads")
    merge = native.kernel("merge", DTYPE_NAMES[plan.dtype])
    with device_errors(FEWER):
        here, launcher = module.cuda.Device(), devices.current()
        launcher.load(room.kernel("short"))
        if len(plan.program) + INPUTS > LOCAL_PLACES:
            launcher.load(room.kernel("long"))
        kept = plan.shared_attachments.setdefault(("batches", here.id), [])
        taken = [_take(kept, room) or Batch(module, launcher, room) for _ in range(2 * threads)]
        # unused operands 0 and 1 may be read as constants
        constants = module.asarray(np.append(plan.program.constants, plan.dtype.type(0)))
        here.synchronize()

    def leaf_hook(
        walk: native.Kernel, samples: NDArray[Any], own: Sequence[Workspace]
    ) -> native.Kernel:
        with device_errors(FEWER):
            there = module.asarray(samples)
            here.synchronize()  # the batches' streams do not wait for this one
            inputs = constants, there, there[width + BLOCK :]
            frame = Frame(partial(module.cuda.Device, here.id), inputs, merge)
        of = {
            workspace.address: Thread(workspace, taken[2 * i : 2 * i + 2], frame)
            for i, workspace in enumerate(own)
        }

        def walk_and_send(address: int) -> int:
            unfinished = walk(address)
            of[address].turn(unfinished)
            return unfinished

        return walk_and_send

    yield leaf_hook
    kept.extend(taken)  # not after an exception: threads may still be using them


def _take(kept: list[Batch], room: Room) -> Batch | None:
    """A batch that another frame has left, if it has the room."""
    with suppress(IndexError):  # another thread may take the last one
        while True:
            batch = kept.pop()
            if batch.room == room:
                return batch
    return None
