"""The kernels by name, with the types of what they take, and as machine code of a GPU.

numba-cuda compiles a kernel to PTX, which needs no GPU; nvJitLink compiles that for one compute
capability, for any driver of the same major version. The code is cached like that of the CPU's
kernels, under a digest of everything that could change it. ``switches`` has the ways round both.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from inspect import signature
from typing import Any

from intervalvm.errors import BackendError
from intervalvm.gpu import cells, pixels, points, splits, switches
from intervalvm.gpu.layout import DIVIDES, LANES, MOST_WARPS
from intervalvm.gpu.target import types
from intervalvm.jit import cache

log = logging.getLogger("intervalvm")
COMPILERS = ("numba-cuda", "cuda-bindings", "nvidia-nvvm", "nvidia-nvjitlink")
BOUNDS = re.compile(r"^\.maxntid (\d+), 1, 1$", re.MULTILINE)
ALL_REGISTERS = 1 << 16
"""Of a multiprocessor: the same on all architectures."""
ENTRY = re.compile(r"\.visible \.entry (\w+)\(")
VERSION = re.compile(r"^\.version \S+$", re.MULTILINE)
OLDEST_VERSION = ".version 9.0"
"""That of CUDA 13.0, the version of PTX that the oldest driver supported here takes."""
Capability = tuple[int, int]
INTEGERS = {
    "control": "int64",
    "items": "int64",
    "programs": "uint32",
    "words": "uint32",
    "verdicts": "uint8",
    "marks": "uint8",
    "flags": "uint8",
    "runs": "uint64",
    "columns": "int32",
    "rows": "int32",
    "blocks": "int32",
    "records": "uint32",
    "frames": "float64",
    "cells": "int32",
    "ranks": "int32",
    "counts": "int32",
    "starts": "int32",
    "leaf_items": "int32",
    "order": "int64",
}
"""The types of array parameters, but for those of numbers; what is no array is an int64."""
NUMBERS = (
    *("coordinates", "constants", "values", "scratch", "inputs", "out", "edges", "ends", "numbers"),
    *"abxyz",
)
"""The array parameters of numbers, which have the kernel's dtype."""


@dataclass(frozen=True)
class Kernel:
    """One kernel: ``kind`` of ``BUILDERS``, for a dtype, careful or tame, for bitmaps or values."""

    kind: str
    dtype: str
    tame: bool
    is_bitmap: bool

    def __str__(self) -> str:
        manner = "tame" if self.tame else "careful"
        return f"{self.kind} {self.dtype} {manner} {'bitmap' if self.is_bitmap else 'value'}"

    @property
    def function(self) -> Any:
        """The kernel as a Python function."""
        return _function(self)

    @property
    def most_threads(self) -> int:
        """Threads of a block, at most. The more there are, the fewer registers has each."""
        return LANES * MOST_WARPS if self.kind in DIVIDES else 256

    @property
    def most_registers(self) -> int | None:
        """Registers of a thread, at most; None for as many as its threads leave it."""
        return None if self.kind in DIVIDES else int(switches.value(switches.REGISTERS))

    @property
    def parameters(self) -> dict[str, str | None]:
        """The dtype of each parameter that is an array; None for a number."""
        known = INTEGERS | dict.fromkeys(NUMBERS, self.dtype)
        known["other"] = "float64" if self.dtype == "float32" else "float32"
        known["image"] = "uint8" if self.is_bitmap else self.dtype
        known["results"] = "uint32" if self.is_bitmap else self.dtype
        return {name: known.get(name) for name in signature(self.function).parameters}


BUILDERS: dict[str, Callable[[Kernel], Any]] = {
    # of the walk on the device
    "split": lambda k: splits.build(k.dtype, tame=k.tame, is_bitmap=k.is_bitmap),
    "leaves": lambda k: pixels.build_leaves(k.dtype, tame=k.tame, is_bitmap=k.is_bitmap),
    "paint": lambda _: pixels.paint,
    # of the leaf batches
    "short": lambda k: pixels.build_batch(k.dtype, is_bitmap=k.is_bitmap, is_long=False),
    "long": lambda k: pixels.build_batch(k.dtype, is_bitmap=k.is_bitmap, is_long=True),
    # of dense evaluation
    "clause": lambda k: pixels.build_clause(k.dtype),
    "inside": lambda _: pixels.inside,
    # of arrays that callers give
    "convert": lambda _: pixels.convert,
    # of evaluators
    "values": lambda k: points.build_values(k.dtype),
    "duals": lambda k: points.build_duals(k.dtype),
    "boxes": lambda k: points.build_boxes(k.dtype),
    # of points in cells
    "extremes": lambda _: cells.extremes,
    "find_cells": lambda _: cells.find_cells,
    "sort": lambda _: cells.sort,
    "divide": lambda k: cells.build_divide(k.dtype, strict=False),
    "divide_strict": lambda k: cells.build_divide(k.dtype, strict=True),
    "cell_values": lambda k: cells.build_cell_values(k.dtype, is_long=False),
    "cell_values_long": lambda k: cells.build_cell_values(k.dtype, is_long=True),
    "cell_duals": lambda k: cells.build_cell_duals(k.dtype),
}


@lru_cache
def _function(kernel: Kernel) -> Any:
    return BUILDERS[kernel.kind](kernel)


def ptx(kernel: Kernel, capability: Capability) -> str:
    """A kernel as PTX for a compute capability and later ones.

    numba-cuda's compiler states the newest version of PTX, which older drivers and linkers of the
    same CUDA refuse, whatever is in it. Nothing of a later version is; ptxas would say so.
    """
    from numba import cuda

    arrays = [
        types.int64 if dtype is None else getattr(types, dtype)[::1]
        for dtype in kernel.parameters.values()
    ]
    text: str
    text, _ = cuda.compile(
        kernel.function,
        types.void(*arrays),
        device=False,
        abi="numba",
        cc=capability,
        launch_bounds=kernel.most_threads,
    )
    return VERSION.sub(OLDEST_VERSION, text, count=1)


def machine_code(text: str, capability: Capability, registers: int | None = None) -> bytes:
    """PTX as machine code for one compute capability, by so many registers a thread at most.

    Raises BackendError with what ptxas says, or what nvJitLink raises where it cannot start.
    """
    from cuda.bindings import nvjitlink

    level = switches.value(switches.OPTIMIZE)
    # nvJitLink's own -O takes 0 and 3 only
    options = [f"-arch=sm_{capability[0]}{capability[1]}", f"-Xptxas=-O{level}"]
    text, limits = limited(text, registers)
    options, code = options + limits, text.encode()
    handle = nvjitlink.create(len(options), options)
    try:
        nvjitlink.add_data(handle, nvjitlink.InputType.PTX, code, len(code), "kernel")
        nvjitlink.complete(handle)
        made = bytearray(nvjitlink.get_linked_cubin_size(handle))
        nvjitlink.get_linked_cubin(handle, made)
    except nvjitlink.nvJitLinkError as error:
        said = bytearray(nvjitlink.get_error_log_size(handle))
        nvjitlink.get_error_log(handle, said)
        why = " ".join(said.decode(errors="replace").replace("\0", " ").split())
        raise BackendError(
            f"nvJitLink failed ({error}; {why}): set {switches.LINKER.name}="
            f"{switches.LINKER.values[1]}, or choose backend='numba'"
        ) from error
    finally:
        nvjitlink.destroy(handle)
    return bytes(made)


def limited(text: str, registers: int | None) -> tuple[str, list[str]]:
    """PTX, and options of nvJitLink, that leave a thread so many registers; None for no limit."""
    if registers is None:
        return text, []

    def with_blocks(bounds: re.Match[str]) -> str:
        return f"{bounds[0]}\n.minnctapersm {ALL_REGISTERS // (registers * int(bounds[1]))}"

    # functions have the option for their limit; kernels, whose blocks have bounds, how many run
    return BOUNDS.sub(with_blocks, text), [f"-maxrregcount={registers}"]


def code_of(kernel: Kernel, capability: Capability) -> tuple[bytes, str]:
    """A kernel for a driver to load, as machine code or else as PTX, and its function's name."""

    def make() -> bytes:
        log.info("compiling the kernel %s for this GPU (once, some seconds)", kernel)
        text = ptx(kernel, capability)
        (name,) = ENTRY.findall(text)
        code = text.encode() + b"\0"
        if switches.is_default(switches.LINKER):
            try:
                code = machine_code(text, capability, kernel.most_registers)
            except Exception as error:  # not installed, not found, too old: each has its own error
                log.warning("the driver compiles the kernel, since %s", error)
        return str(name).encode() + b"\0" + code

    made_by = [_version(name) for name in COMPILERS]
    settings = [switches.value(switch) for switch in (switches.LINKER, switches.OPTIMIZE)]
    key = kernel, capability, made_by, settings, kernel.most_registers
    digest = cache.digest(key, "gpu.kernels")
    name = f"{str(kernel).replace(' ', '-')}-{digest}.cubin"
    entry, _, code = cache.kept(name, make).partition(b"\0")
    return code, entry.decode()


def _version(name: str) -> str | None:
    """The version of a package, or None if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
