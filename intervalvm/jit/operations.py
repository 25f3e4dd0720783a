"""Operations on constants, for passes: made of the rows' rules, as the arms of ``interpreter``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llvmlite import ir
from numba.core import cgutils, types

from intervalvm.compiler import folding
from intervalvm.jit.intrinsics import emitted
from intervalvm.jit.lanes import DOUBLE, FLOAT, I64, Lanes, spread_number
from intervalvm.ops import ROWS


@dataclass(frozen=True)
class Apply:
    """A function of (code, a, b): the operation on numbers of ``dtype``, given as float64."""

    dtype: str

    @property
    def name(self) -> str:
        """Its symbol."""
        return f"intervalvm_apply_{self.dtype}"

    @property
    def signature(self) -> ir.FunctionType:
        return ir.FunctionType(DOUBLE, [I64, DOUBLE, DOUBLE])

    def write(self, module: ir.Module) -> None:
        """Add the function to a module."""
        function = ir.Function(module, self.signature, self.name)
        builder = ir.IRBuilder(function.append_basic_block())
        code, *numbers = function.args
        other = function.append_basic_block("other")
        switch = builder.switch(code, other)
        for at, op in enumerate(ROWS):
            if op.arity:
                block = function.append_basic_block()
                switch.add_case(ir.Constant(I64, at), block)
                builder.position_at_end(block)
                self._arm(builder, op, numbers[: op.arity])
        builder.position_at_end(other)
        builder.unreachable()

    def _arm(self, builder: ir.IRBuilder, op: Any, numbers: list[ir.Value]) -> None:
        xp, first = Lanes(builder, self.dtype, 1, tame=False), ir.Constant(ir.IntType(32), 0)
        if self.dtype == "float32":
            numbers = [builder.fptrunc(number, FLOAT) for number in numbers]
        found = xp._lift(op.point(xp, *(spread_number(builder, number, 1) for number in numbers)))
        result = builder.extract_element(found.value, first)
        builder.ret(builder.fpext(result, DOUBLE) if self.dtype == "float32" else result)


FUNCTIONS = (Apply("float32"), Apply("float64"))


@emitted(types.float64, types.int64, types.int64, types.float64, types.float64)
def apply(builder, is_wide, code, a, b):
    """An operation on constants, in float64 if ``is_wide``, else in float32."""
    narrow, wide = (
        cgutils.get_or_insert_function(builder.module, each.signature, each.name)
        for each in FUNCTIONS
    )
    with builder.if_else(builder.icmp_signed("!=", is_wide, ir.Constant(I64, 0))) as (yes, no):
        with yes:
            double = builder.call(wide, [code, a, b])
            from_yes = builder.block
        with no:
            single = builder.call(narrow, [code, a, b])
            from_no = builder.block
    found = builder.phi(DOUBLE)
    found.add_incoming(double, from_yes)
    found.add_incoming(single, from_no)
    return found


INSTRUCTIONS = {folding.apply: apply}
"""By the function that it replaces."""
