"""The named tuple of a pass's arrays in compiled code: pointers, read from their addresses."""

from __future__ import annotations

from typing import Any

from numba.core import types
from numba.extending import intrinsic

from intervalvm.compiler.passes import Pass
from intervalvm.jit.lanes import I64, load


def work_type(of: Pass) -> Any:
    """The named tuple's type for numba."""
    pointers = [types.CPointer(getattr(types, dtype)) for dtype in of.fields.values()]
    return types.NamedTuple(pointers, of.work)


def work_reader(work: Any) -> Any:
    """work_at(address): the named tuple, from the addresses of its arrays."""

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
