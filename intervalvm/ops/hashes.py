"""Hashes of the bits of the nearest float32; a real zero may have those of either zero."""

from __future__ import annotations

from typing import Any

from intervalvm.ops import rays, row
from intervalvm.ops.row import Demand, Interval, Names, Op, Slope, Values


def _hash(xp: Any, v: Any) -> Any:
    """PCG-RXS-M-XS on 32 bits, the hash that Fidget's ``rand`` and ``mix`` use."""
    s = v * xp.uint32(747796405) + xp.uint32(2891336453)
    w = ((s >> ((s >> xp.uint32(28)) + xp.uint32(4))) ^ s) * xp.uint32(277803737)
    return (w >> xp.uint32(22)) ^ w


def _rand(xp: Any, a: Any) -> Any:
    hashed = _hash(xp, xp.bits(a))
    return xp.from_bits((hashed >> xp.uint32(9)) | xp.uint32(0x3F800000)) - 1.0


def _mix(xp: Any, a: Any, b: Any) -> Any:
    return xp.from_bits(_hash(xp, xp.bits(a) + _hash(xp, xp.bits(b))))


def _is_single(xp: Any, a: Interval) -> Any:
    """Whether only one bit pattern is possible: 0 is not, since it may be either zero."""
    return (a.lower == a.upper) & (a.lower != 0.0) & ~a.maybe_nan


def _rand_floats(xp: Any, a: Interval) -> Interval:
    single, value = _is_single(xp, a), _rand(xp, a.lower)
    return Interval(xp.where(single, value, 0.0), xp.where(single, value, 1.0), a.maybe_nan & xp.no)


def _mix_floats(xp: Any, a: Interval, b: Interval) -> Interval:
    value = _mix(xp, a.lower, b.lower)
    known = _is_single(xp, a) & _is_single(xp, b) & ~xp.isnan(value)
    return Interval(xp.where(known, value, -xp.inf), xp.where(known, value, xp.inf), ~known)


def _hashed(xp: Any, a: Interval) -> tuple[Any, Any]:
    """The float32 nearest to the numbers, and whether they all have the same one, but not 0."""
    first, last = (xp.from_bits(xp.bits(end)) for end in (a.lower, a.upper))
    return first, (first == last) & (first != 0.0) & ~row.is_unbounded(xp, a)


def _rand_reals(xp: Any, a: Interval) -> tuple[Any, Any]:
    first, single = _hashed(xp, a)
    value = _rand(xp, first)
    return xp.where(single, value, 0.0), xp.where(single, value, 1.0)


def _mix_reals(xp: Any, a: Interval, b: Interval) -> tuple[Any, Any]:
    (first, a_single), (second, b_single) = _hashed(xp, a), _hashed(xp, b)
    value = _mix(xp, first, second)
    known = a_single & b_single & (xp.abs(value) < xp.inf)
    return xp.where(known, value, -xp.inf), xp.where(known, value, xp.inf)


def _continuity(xp: Any, *operands: Interval) -> tuple[Any, Any]:
    single = ~xp.no
    for operand in operands:
        single = single & _hashed(xp, operand)[1]
    return single, xp.no


ROWS = (
    Op(
        name="rand", operands=("a",), value="a number in [0, 1) made from the bits of a",
        edges="see below; -0 is not 0 here", is_input=False, function=None,
        point=_rand, temporaries=4,
        floats=_rand_floats, reals=_rand_reals, domain=row.everywhere, continuity=_continuity,
        slope=Slope((0,), rays.of_bits(_rand), None, None),
        choice=None, absorption=None, demand=Demand.VALUE, values=Values.NOT_NEGATIVE,
        names=Names(("rand",), None, None, None, None), commutes=False, associates=False,
    ),
    Op(
        name="mix", operands=("a", "b"),
        value="a float whose bits are made from those of a and b",
        edges="see below; may be NaN, and is not symmetric", is_input=False, function=None,
        point=_mix, temporaries=4,
        floats=_mix_floats, reals=_mix_reals, domain=row.where_bounded, continuity=_continuity,
        slope=Slope((0, 0), rays.of_bits(_mix), None, None),
        choice=None, absorption=None, demand=Demand.VALUE, values=Values.ANY,
        names=Names(("mix",), None, None, None, None), commutes=False, associates=False,
    ),
)  # fmt: skip
