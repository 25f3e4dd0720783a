"""The meaning of records, over the namespaces of ``ops``, for loops of the CPU and a GPU."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from intervalvm.compiler.program import Variant
from intervalvm.evaluate.boxes import FLOAT_RULES, IntervalRules
from intervalvm.ops import OPS
from intervalvm.ops.row import Interval

LITERALS = ("less", "sum_less")
"""Operations from values to a truth."""


def is_combination(variant: Variant) -> bool:
    """Whether a record combines two truths."""
    return variant.kinds == "tt"


def compared(variant: Variant, add: Callable[[Any, Any], Any], operands: Any) -> tuple[Any, Any]:
    """The operands of a literal, whose truth is first < second."""
    if variant.op == "less":
        return operands[0], operands[1]
    if variant.kinds[0] == "k":
        return operands[0], add(operands[1], operands[2])
    return add(operands[0], operands[1]), operands[2]


def point_value(variant: Variant, xp: Any, operands: Any) -> Any:
    """A record at points: a value, or the mask of a literal. Not for combinations."""
    if variant.op in LITERALS:
        left, right = compared(variant, lambda a, b: a + b, operands)
        return left < right
    return OPS[_op(variant)].point(xp, *operands)


def interval_value(
    variant: Variant, xp: Any, operands: Any, rules: IntervalRules = FLOAT_RULES
) -> Interval:
    """The bounds of a record with a value."""
    return rules.intervals[_op(variant)](xp, *operands)


def choice(
    variant: Variant, xp: Any, operands: Any, rules: IntervalRules = FLOAT_RULES
) -> tuple[Any, Any]:
    """The masks of a record's choice: only the left, only the right operand matters."""
    return rules.choices[variant.op](xp, *operands)


def absorbed(
    variant: Variant, xp: Any, operands: Any, rules: IntervalRules = FLOAT_RULES
) -> tuple[Any, Any]:
    """The masks of where a record's result is only the left, only the right operand in floats."""
    return rules.absorptions[variant.op](xp, *operands)


def proven(
    variant: Variant, xp: Any, operands: Any, rules: IntervalRules = FLOAT_RULES
) -> tuple[Any, Any]:
    """The masks where a literal always holds, and where it never does.

    For the real function a sum always holds by its rounded bounds; that it never does needs no
    rounding, since a real sum that is not above a float does not round above it.
    """

    def sides(of: IntervalRules) -> tuple[Interval, Interval]:
        left, right = compared(variant, lambda p, q: of.intervals["add"](xp, p, q), operands)
        return left, right

    a, b = sides(rules)
    always = (a.upper < b.lower) & ~(a.maybe_nan | b.maybe_nan)
    if variant.op == "less" or rules is FLOAT_RULES:
        return always, a.lower >= b.upper
    a, b = sides(FLOAT_RULES)
    return always, a.lower > b.upper


def is_long(variant: Variant) -> bool:
    """Whether a record takes many instructions: one that gets a function of its own."""
    return variant.op not in LITERALS and OPS[_op(variant)].temporaries > 1


def either(always_a: Any, never_a: Any, always_b: Any, never_b: Any) -> Any:
    """``a or b`` as masks: always, never, only left matters, only right."""
    return always_a | always_b, never_a & never_b, never_b, never_a


def both(always_a: Any, never_a: Any, always_b: Any, never_b: Any) -> Any:
    """``a and b`` likewise."""
    return always_a & always_b, never_a | never_b, always_b, always_a


COMBINATIONS = {"or": either, "and": both}
"""By name. They are made of ``|`` and ``&`` alone, so masks, words and lanes all do."""


def _op(variant: Variant) -> str:
    return "copy" if variant.op == "spread" else variant.op
