"""A pass's arrays in compiled code: the address of their addresses, whose fields are pointers."""

from __future__ import annotations

from typing import Any

from numba.core import types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    infer_getattr,
    intrinsic,
    lower_getattr_generic,
    models,
    register_model,
)

from intervalvm.compiler.passes import Pass
from intervalvm.jit.lanes import I64, load


class Work(types.Type):
    """The type of a pass's arrays for numba.

    One number: a named tuple of pointers would be copied at each call, dozens of words.
    """

    def __init__(self, of: Pass) -> None:
        super().__init__(name=f"Work({of.name}, {', '.join(of.fields.values())})")
        self.pointers = {
            name: types.CPointer(getattr(types, dtype)) for name, dtype in of.fields.items()
        }


@register_model(Work)
class _Address(models.PrimitiveModel):
    def __init__(self, manager: Any, work: Work) -> None:
        super().__init__(manager, work, I64)


@infer_getattr
class _Fields(AttributeTemplate):
    key = Work

    def generic_resolve(self, work: Any, name: str) -> Any:  # type: ignore[override]
        return work.pointers.get(name)


@lower_getattr_generic(Work)
def _pointer(context: Any, builder: Any, work: Work, address: Any, name: str) -> Any:
    at = 8 * list(work.pointers).index(name)
    found = load(builder, address, at, I64)
    # the addresses never change, whatever is written to arrays
    found.set_metadata("invariant.load", builder.module.add_metadata([]))
    return builder.inttoptr(found, context.get_value_type(work.pointers[name]))


def work_reader(work: Work) -> Any:
    """work_at(address): a pass's arrays, from the address of their addresses."""

    @intrinsic
    def work_at(_typingctx, _address):
        return work(types.int64), lambda _context, _builder, _signature, args: args[0]

    return work_at
