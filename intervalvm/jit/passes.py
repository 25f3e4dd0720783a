"""Passes of the compiler as kernels: the source of ``compiler.passes``, compiled by numba.

The argument of such a kernel is the addresses of a pass's arrays, in the order of its fields. What
the source takes from Python, the bits of a float and operations on constants, is replaced by
instructions; operations are made of the rows' rules, as the arms of ``interpreter``.
"""

from __future__ import annotations

from collections.abc import Callable
from types import FunctionType
from typing import Any, get_type_hints

import numpy as np
from numba import njit
from numba.core import types
from numba.extending import intrinsic

from intervalvm.compiler import assemble, passes
from intervalvm.jit import thresholds
from intervalvm.jit.intrinsics import compile_flags, emitted
from intervalvm.jit.lanes import I64, load

PASSES = {each.name: each for each in (assemble.PASS,)}
SOURCES = "intervalvm.compiler."
FLAGS = compile_flags() | {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}


@emitted(types.int64, types.float64)
def bits_of(builder, number):
    """The bits of a float64."""
    return builder.bitcast(number, I64)


INSTRUCTIONS = {passes.bits_of: bits_of} | thresholds.INSTRUCTIONS
"""By the functions that they replace."""
FUNCTIONS = {"assemble": thresholds.FUNCTIONS}
"""The functions that a kernel calls, by its kind."""


def build(kind: str) -> Any:
    """The kernel of a pass: ``run(address of the addresses of its arrays)``."""
    of = PASSES[kind]
    pointers = [types.CPointer(getattr(types, dtype)) for dtype in of.fields.values()]
    work = types.NamedTuple(pointers, of.work)
    function, work_at = _Compiler(work).compiled(of.function), _work_at(work)

    def run(address):
        return np.int64(function(work_at(address)))

    return run


class _Compiler:
    """Compiles functions of ``compiler`` that have a pass's named tuple."""

    def __init__(self, work: Any) -> None:
        self.kinds = {Any: work, int: types.int64, float: types.float64}
        self.kinds[tuple[float, float]] = types.UniTuple(types.float64, 2)
        self.made: dict[Callable[..., Any], Any] = dict(INSTRUCTIONS)
        self.recursive: set[Callable[..., Any]] = set()
        self._entered: list[Callable[..., Any]] = []

    def compiled(self, function: Callable[..., Any]) -> Any:
        """A function for numba, and those that it calls.

        It is compiled once, for the types of its annotations, instead of for each of its calls:
        but one that calls itself, which numba must meet in a call.
        """
        if function in self._entered:
            self.recursive.update(self._entered[self._entered.index(function) :])
        if function not in self.made:
            assert isinstance(function, FunctionType)
            names = dict(function.__globals__)
            made = FunctionType(function.__code__, names, function.__name__)
            self.made[function] = njit(**FLAGS)(made)
            self._entered.append(function)
            for name in function.__code__.co_names:
                called = names.get(name)
                if isinstance(called, FunctionType) and called.__module__.startswith(SOURCES):
                    names[name] = self.compiled(called)
            self._entered.pop()
            if function not in self.recursive:
                self.made[function].compile(self._types_of(function))
                self.made[function].disable_compile()
        return self.made[function]

    def _types_of(self, function: Callable[..., Any]) -> tuple[Any, ...]:
        hints = get_type_hints(function)
        return tuple(self.kinds[hint] for name, hint in hints.items() if name != "return")


def _work_at(work: Any) -> Any:
    """work_at(address): the named tuple of pointers, from their addresses."""

    @intrinsic
    def work_at(_typingctx, _address):
        def codegen(context, builder, signature, args):
            found = []
            for k, pointer in enumerate(work.types):
                address = load(builder, args[0], 8 * k, I64)
                found.append(builder.inttoptr(address, context.get_value_type(pointer)))
            return context.make_tuple(builder, signature.return_type, found)

        return work(types.int64), codegen

    return work_at
