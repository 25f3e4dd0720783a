"""Passes of the compiler as kernels: the source of ``compiler.passes``, compiled by numba.

The argument of such a kernel is the addresses of a pass's arrays, in the order of its fields. What
the source takes from Python, the bits of a float and operations on constants, is replaced by
instructions; operations are made of the rows' rules, as the arms of ``interpreter``.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, get_type_hints

import llvmlite.binding as llvm
import numpy as np
from numba import njit
from numba.core import types
from numpy.typing import NDArray

from intervalvm.compiler import assemble, balance, folding, passes
from intervalvm.compiler.passes import Pass
from intervalvm.jit import operations, thresholds
from intervalvm.jit.intrinsics import compile_flags, emitted
from intervalvm.jit.lanes import I64
from intervalvm.jit.work import Work, work_reader
from intervalvm.words import Meaning

SOURCES = (
    "intervalvm.jit.brackets",
    "intervalvm.compiler.",
    "intervalvm.jit.meshes.",
    "intervalvm.jit.outlines.",
    "intervalvm.jit.shading.",
)
"""Where functions stand that are compiled for those that call them."""
FLAGS = compile_flags() | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


@emitted(types.int64, types.float64)
def bits_of(builder, number):
    """The bits of a float64."""
    return builder.bitcast(number, I64)


Instructions = Mapping[Callable[..., Any], Any]
INSTRUCTIONS: Instructions = (
    {passes.bits_of: bits_of} | operations.INSTRUCTIONS | thresholds.INSTRUCTIONS
)
"""By the functions that they replace."""


def build_fold(_dtype: str, _meaning: Meaning) -> Any:
    """The kernel of ``folding``, for any arithmetic."""
    return built(folding.PASS, operations.FUNCTIONS)


def build_balance(_dtype: str, _meaning: Meaning) -> Any:
    """The kernel of ``balance``, for any arithmetic."""
    return built(balance.PASS, ())


def build_assemble(_dtype: str, _meaning: Meaning) -> Any:
    """The kernel of ``assemble``, for any arithmetic."""
    return built(assemble.PASS, thresholds.FUNCTIONS)


def built(of: Pass, linked: tuple[Any, ...], instructions: Instructions = INSTRUCTIONS) -> Any:
    """The kernel of a pass: ``run(address of the addresses of its arrays)``; what is linked."""
    for each in linked:
        # numba links what it compiles, although it is not run: any address will do
        llvm.add_symbol(each.name, ctypes.cast(ctypes.pythonapi.Py_IncRef, ctypes.c_void_p).value)
    work = Work(of)
    compiler = _Compiler(work, instructions)
    function, work_at = compiler.compiled(of.function), work_reader(work)

    def run(address):
        return np.int64(function(work_at(address)))

    return run, linked


class _Compiler:
    """Compiles functions of ``compiler`` that have a pass's named tuple."""

    def __init__(self, work: Any, instructions: Instructions) -> None:
        self.kinds = {Any: work, int: types.int64, float: types.float64}
        self.kinds[np.float32] = types.float32
        self.kinds[NDArray[np.float32]] = types.CPointer(types.float32)
        self.kinds[tuple[float, float]] = types.UniTuple(types.float64, 2)
        self.made: dict[Callable[..., Any], Any] = dict(instructions)

    def compiled(self, function: Callable[..., Any]) -> Any:
        """A function for numba, and those that it calls.

        It is compiled once, for the types of its annotations, instead of for each of its calls.
        None may call itself: numba leaves a symbol that only its own engine resolves.
        """
        if function not in self.made:
            assert isinstance(function, FunctionType)
            names = dict(function.__globals__)
            made = FunctionType(function.__code__, names, function.__name__)
            self.made[function] = njit(**FLAGS)(made)
            for name in function.__code__.co_names:
                called = names.get(name)
                if isinstance(called, FunctionType) and called.__module__.startswith(SOURCES):
                    names[name] = self.compiled(called)
            self.made[function].compile(self._types_of(function))
            self.made[function].disable_compile()
        return self.made[function]

    def _types_of(self, function: Callable[..., Any]) -> tuple[Any, ...]:
        hints = get_type_hints(function)
        return tuple(self.kinds[hint] for name, hint in hints.items() if name != "return")
