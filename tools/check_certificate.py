"""Check a certificate that ``intervalvm`` wrote, without it: only mpmath and the tape are trusted.

    python tools/check_certificate.py CERTIFICATE TAPE.vm [--sample N] [--seconds S]

A certificate is JSON lines: a first one with the claims, one for each box ("all of it is inside",
"outside", or "unproven"), and a last one with their numbers. This script checks that

1. the tape is the one that the certificate names, by its SHA-256, and z and all of its free
   variables are given, and no others;
2. the boxes cover the region, and no two overlap;
3. there are as many of each verdict as the last line says;
4. the bounds of area and place follow from the boxes' verdicts, in exact arithmetic;
5. the verdicts hold: the tape is evaluated over each box (or some, with ``--sample``) in interval
   arithmetic, and a box is cut in four until it is confirmed.

That is all there may be: a line with another key, or a key twice, is refused. Inside is where the
tape's real function is defined and below 0; outside is the rest. Every number is the float64 that
is nearest to its text.

Exit status: 0 verified; 1 refuted, or not confirmed, in time; 2 a file that cannot be read, a wrong
command line, or no mpmath. Files may come from anybody: sizes, numbers, exponents and time are
bounded.

It stands outside the package, in a single file, so that it can be read and carried off alone.

Sums, products, quotients and roots are rounded outwards to 200 bits, and are exact where they fit.
mpmath's functions are not that certain (``iv.exp`` is known to miss the truth by a last place), so
they are computed at points, and widened by 2**-180 of their size.
"""

from __future__ import annotations

import argparse
import bisect
import hashlib
import io
import json
import math
import random
import re
import secrets
import struct
import sys
import time
from collections import Counter, deque
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

try:
    from mpmath import libmp
    from mpmath.libmp import (
        finf,
        fninf,
        fnone,
        fone,
        from_float,
        from_int,
        from_man_exp,
        from_rational,
        fzero,
        mpf_add,
        mpf_ceil,
        mpf_cmp,
        mpf_div,
        mpf_floor,
        mpf_mul,
        mpf_neg,
        mpf_pos,
        mpf_shift,
        mpf_sqrt,
        mpf_sub,
        to_int,
    )
except ModuleNotFoundError:
    if __name__ != "__main__":
        raise
    print("error: mpmath is not installed, which this needs: pip install mpmath", file=sys.stderr)
    sys.exit(2)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PRECISION, SURE = 200, 180
"""Bits that are computed, and of a function's result those that are trusted."""
DOWN, UP = "f", "c"
MOST_EXPONENT = 4096
"""Bounds are at most 2 to this power in size, or none, and at least its inverse, or 0: what is
computed of larger and of smaller numbers takes more and more memory and time."""
MOST_TRIES = 3000
"""Parts of one box that are tried before it counts as not confirmed."""
MOST_TAPE, MOST_LINE, MOST_BOXES = 32 << 20, 1 << 20, 1_000_000
"""Bytes of a tape and of a line of a certificate, and boxes of one, that are read."""
SECONDS = 3600.0
"""How long the verdicts are checked, unless the command line says otherwise."""
VERDICTS = ("inside", "outside", "unproven")

Number = Any
"""A number of mpmath's lowest layer: (sign, mantissa, exponent, bits)."""


class Refused(Exception):
    """The certificate is not confirmed, and why."""


class Unreadable(Exception):
    """A file is not what it should be."""


class OutOfTime(Exception):
    """Not all of it is checked."""


# --- intervals --------------------------------------------------------------------------------


class Interval(NamedTuple):
    """Bounds of a function over a box, and whether it is ``defined`` at every point of it.

    Where it is defined nowhere there is None instead.
    """

    low: Number
    high: Number
    defined: bool = True


Value = Interval | None
LINE = Interval(fninf, finf)
HALF = from_rational(1, 2, PRECISION)


def less(a: Number, b: Number) -> bool:
    return bool(mpf_cmp(a, b) < 0)


def least(*numbers: Number) -> Number:
    found = numbers[0]
    for number in numbers[1:]:
        found = number if less(number, found) else found
    return found


def greatest(*numbers: Number) -> Number:
    return mpf_neg(least(*map(mpf_neg, numbers)))


def is_finite(a: Interval) -> bool:
    return bool(a.low != fninf and a.high != finf)


def is_zero(a: Interval) -> bool:
    return bool(a.low == a.high == fzero)


def has_zero(a: Interval) -> bool:
    return not less(fzero, a.low) and not less(a.high, fzero)


def tamed(end: Number, way: str) -> Number:
    """The nearest number of bounded exponent that is not before ``end``, seen along ``way``."""
    sign, mantissa, exponent, bits = end
    size = exponent + bits
    if not mantissa or abs(size) <= MOST_EXPONENT:
        return end
    away = bool(sign) == (way == DOWN)  # from 0
    if size > 0:
        found = finf if away else mpf_shift(fone, MOST_EXPONENT)
    else:
        found = mpf_shift(fone, -MOST_EXPONENT) if away else fzero
    return mpf_neg(found) if sign else found


def hull(a: Interval, b: Interval) -> Interval:
    return Interval(least(a.low, b.low), greatest(a.high, b.high))


def add(a: Interval, b: Interval) -> Value:
    low, high = mpf_add(a.low, b.low, PRECISION, DOWN), mpf_add(a.high, b.high, PRECISION, UP)
    return Interval(low, high)


def neg(a: Interval) -> Interval:
    return Interval(mpf_neg(a.high), mpf_neg(a.low))


def absolute(a: Interval) -> Interval:
    if not less(a.low, fzero):
        return Interval(a.low, a.high)
    return neg(a) if not less(fzero, a.high) else Interval(fzero, greatest(mpf_neg(a.low), a.high))


def corners(step: Any, a: Interval, b: Interval) -> Interval:
    """The least and the greatest of ``step(p, q, way)`` for ends p and q, rounded that way."""
    pairs = [(p, q) for p in a[:2] for q in b[:2]]
    return Interval(
        least(*(step(p, q, DOWN) for p, q in pairs)), greatest(*(step(p, q, UP) for p, q in pairs))
    )


def times(p: Number, q: Number, way: str) -> Number:
    """0 beside something unbounded: there the products come close to 0."""
    return fzero if fzero in (p, q) else mpf_mul(p, q, PRECISION, way)


def over(p: Number, q: Number, way: str) -> Number:
    """For q >= 0; divided by 0 a number grows without end, divided by infinity it vanishes."""
    if p == fzero or q == finf:
        return fzero
    if q == fzero:
        return fninf if less(p, fzero) else finf
    return mpf_div(p, q, PRECISION, way)


def mul(a: Interval, b: Interval) -> Value:
    return corners(times, a, b)


def square(a: Interval) -> Value:
    size = absolute(a)
    return mul(size, size)


def div(a: Interval, b: Interval) -> Value:
    if is_zero(b):
        return None
    if less(b.low, fzero) and less(fzero, b.high) and not is_zero(a):
        return LINE._replace(defined=False)
    if less(b.low, fzero):
        a, b = neg(a), neg(b)
    return corners(over, a, b)._replace(defined=not has_zero(b))


def sqrt(a: Interval) -> Value:
    if less(a.high, fzero):
        return None
    high = finf if a.high == finf else mpf_sqrt(a.high, PRECISION, UP)
    return Interval(mpf_sqrt(greatest(a.low, fzero), PRECISION, DOWN), high, not less(a.low, fzero))


# --- steps ------------------------------------------------------------------------------------


def stepped(step: Any) -> Any:
    """The rule of a function that never decreases and is exact; infinity stays."""

    def rule(a: Interval) -> Value:
        low, high = (end if end in (finf, fninf) else step(end) for end in a[:2])
        return Interval(low, high)

    return rule


def rounded(a: Number) -> Number:
    """Half away from zero."""
    if less(a, fzero):
        return mpf_neg(rounded(mpf_neg(a)))
    return mpf_floor(mpf_add(a, HALF))


def mod(a: Interval, b: Interval) -> Value:
    """From 0 to abs(b); closer where ``b`` is one number and ``a`` stays in one of its periods."""
    if is_zero(b):
        return None
    size = absolute(b)
    anything = Interval(fzero, size.high, not has_zero(b))
    if b.low != b.high or not (is_finite(a) and is_finite(b)):
        return anything
    exponent = min(number[2] for number in (*a[:2], size.low))
    low, high, period = (to_int(mpf_shift(n, -exponent)) for n in (*a[:2], size.low))
    if low // period != high // period:
        return anything
    first, last = (from_man_exp(n % period, exponent) for n in (low, high))
    return Interval(mpf_pos(first, PRECISION, DOWN), mpf_pos(last, PRECISION, UP))


def compare(a: Interval, b: Interval) -> Value:
    low = fone if less(b.high, a.low) else fnone if less(a.low, b.high) else fzero
    high = fnone if less(a.high, b.low) else fone if less(b.low, a.high) else fzero
    return Interval(low, high)


def not_(a: Interval) -> Value:
    if is_zero(a):
        return Interval(fone, fone)
    return Interval(fzero, fone if has_zero(a) else fzero)


def and_(a: Interval, b: Interval) -> Value:
    if is_zero(a):
        return a
    return hull(b, Interval(fzero, fzero)) if has_zero(a) else b


def or_(a: Interval, b: Interval) -> Value:
    if is_zero(a):
        return b
    return hull(a, b) if has_zero(a) else a


# --- functions --------------------------------------------------------------------------------


def widened(low: Number, high: Number) -> Interval:
    """Bounds of results that are right to SURE bits, which 0 is exactly."""
    some = mpf_shift(fone, -SURE)
    low = mpf_sub(low, mpf_mul(mpf_abs(low), some), PRECISION, DOWN)
    return Interval(low, mpf_add(high, mpf_mul(mpf_abs(high), some), PRECISION, UP))


def mpf_abs(a: Number) -> Number:
    return mpf_neg(a) if less(a, fzero) else a


def growing(function: Any, low: Number, high: Number) -> Interval:
    """Bounds of a function that grows."""
    return widened(*(function(end, PRECISION, "n") for end in (low, high)))


def exp(a: Interval) -> Value:
    low, high = (_exp(least(greatest(end, FLOOR), CEILING)) for end in a[:2])
    found = widened(low, high)
    low = fzero if less(a.low, FLOOR) else found.low
    high = finf if less(CEILING, a.high) else found.high
    return Interval(
        low if less(a.low, fzero) else greatest(low, fone),  # exp 0 is 1
        high if less(fzero, a.high) else least(high, fone),
    )


CEILING, FLOOR = from_int(MOST_EXPONENT), from_int(-MOST_EXPONENT)
"""Beyond these exp is as good as unbounded, or 0."""


def _exp(a: Number) -> Number:
    return libmp.mpf_exp(a, PRECISION, "n")


def ln(a: Interval) -> Value:
    if not less(fzero, a.high):
        return None
    defined = less(fzero, a.low)
    low = libmp.mpf_log(a.low, PRECISION, "n") if defined else fninf
    high = finf if a.high == finf else libmp.mpf_log(a.high, PRECISION, "n")
    found = widened(low if defined else fzero, fzero if high == finf else high)
    return Interval(found.low if defined else fninf, finf if high == finf else found.high, defined)


def asin(a: Interval) -> Value:
    return _within_one(a, lambda low, high: growing(libmp.mpf_asin, low, high))


def acos(a: Interval) -> Value:
    return _within_one(a, lambda low, high: growing(libmp.mpf_acos, high, low))


def _within_one(a: Interval, rule: Any) -> Value:
    if less(a.high, fnone) or less(fone, a.low):
        return None
    low, high = greatest(a.low, fnone), least(a.high, fone)
    return rule(low, high)._replace(  # type: ignore[no-any-return]
        defined=(low, high) == (a.low, a.high)
    )


def quarters(a: Interval) -> set[int]:
    """At least the n, modulo 4, for which n * pi/2 lies in the interval.

    One beside an end of it may be too many.
    """
    bits = PRECISION + max(0, *(end[2] + end[3] for end in a[:2]))
    quarter = mpf_shift(libmp.mpf_pi(bits), -1)
    slack = mpf_shift(fone, -SURE // 2)
    low, high = (mpf_div(end, quarter, bits, "n") for end in a[:2])
    first = to_int(mpf_ceil(mpf_sub(low, slack)))
    last = to_int(mpf_floor(mpf_add(high, slack)))
    return {n % 4 for n in range(first, min(last, first + 3) + 1)}


def wave(function: Any, top: int) -> Any:
    """The rule of cos (whose tops are at n = 0, 4, ...) or sin (1, 5, ...)."""

    def rule(a: Interval) -> Value:
        if not is_finite(a):
            return Interval(fnone, fone)
        at = [function(end, PRECISION, "n") for end in a[:2]]
        ends = [  # at 0 they are exact
            Interval(value, value) if end == fzero else widened(value, value)
            for end, value in zip(a[:2], at, strict=True)
        ]
        found = hull(*ends)
        turns = quarters(a)
        low = fnone if (top + 2) % 4 in turns else greatest(found.low, fnone)
        return Interval(low, fone if top in turns else least(found.high, fone))

    return rule


def tan(a: Interval) -> Value:
    if not is_finite(a) or any(n % 2 for n in quarters(a)):
        return LINE._replace(defined=False)
    return growing(libmp.mpf_tan, *a[:2])


def atan2(y: Interval, x: Interval) -> Value:
    """Of the points above the x axis or on it, and of those below, mirrored.

    In either half the angle falls as x grows, and grows with y where x > 0.
    """
    found = []
    for mirrored, half in ((False, y), (True, neg(y))):
        if less(half.high, fzero) or (half.high == fzero and (mirrored or is_zero(x))):
            continue
        bottom, top, left = greatest(half.low, fzero), half.high, less(x.low, fzero)
        least_angle = angle(bottom if less(fzero, x.high) else top, x.high, not less(fzero, x.high))
        most_angle = angle(bottom if left else top, x.low, left)
        angles = widened(least_angle, most_angle)
        found.append(neg(angles) if mirrored else angles)
    if not found:
        return None
    return hull(found[0], found[-1])._replace(defined=not (has_zero(y) and has_zero(x)))


def angle(y: Number, x: Number, left: bool) -> Number:
    """Of a point with y >= 0; where both are 0, of the axis to its ``left`` or right."""
    if x == finf or (y == fzero and not left):
        return fzero
    if x == fninf or y == fzero:
        return libmp.mpf_pi(PRECISION)
    if x == fzero or y == finf:
        return mpf_shift(libmp.mpf_pi(PRECISION), -1)
    return libmp.mpf_atan2(y, x, PRECISION, "n")


# --- hashes -----------------------------------------------------------------------------------


def single_bits(a: Number) -> int:
    """The bits of the float32 nearest to a number, ties to even."""
    sign, mantissa, exponent, bits = a
    quantum = max(exponent + bits - 24, -149)
    size = round(Fraction(int(mantissa)) * Fraction(2) ** (int(exponent) - int(quantum)))
    value = math.inf if size * Fraction(2) ** quantum >= 2**128 else math.ldexp(size, quantum)
    return int(struct.unpack("<I", struct.pack("<f", -value if sign else value))[0])


def hashed(v: int) -> int:
    """PCG-RXS-M-XS."""
    s = (v * 747796405 + 2891336453) % 2**32
    w = ((s >> ((s >> 28) + 4)) ^ s) * 277803737 % 2**32
    return w >> 22 ^ w


def one_single(a: Interval) -> int | None:
    """The bits of the one float32 that all numbers round to, which is not 0."""
    if not is_finite(a):
        return None
    first, last = map(single_bits, a[:2])
    return first if first == last and first % 2**31 else None


def as_single(bits: int) -> float:
    return float(struct.unpack("<f", struct.pack("<I", bits))[0])


def rand(a: Interval) -> Value:
    bits = one_single(a)
    if bits is None:
        return Interval(fzero, fone)
    value = from_float(as_single(hashed(bits) >> 9 | 0x3F800000) - 1.0)
    return Interval(value, value)


def mix(a: Interval, b: Interval) -> Value:
    first, second = one_single(a), one_single(b)
    if first is None or second is None:
        return Interval(fninf, finf, False)
    value = as_single(hashed((first + hashed(second)) % 2**32))
    return Interval(from_float(value), from_float(value)) if math.isfinite(value) else None


UNARY = {
    "copy": lambda a: a, "neg": neg, "abs": absolute, "square": square, "sqrt": sqrt,
    "recip": lambda a: div(Interval(fone, fone), a),
    "floor": stepped(mpf_floor), "ceil": stepped(mpf_ceil), "round": stepped(rounded),
    "sin": wave(libmp.mpf_sin, 1), "cos": wave(libmp.mpf_cos, 0), "tan": tan,
    "asin": asin, "acos": acos, "atan": lambda a: atan2(a, Interval(fone, fone)),
    "exp": exp, "ln": ln, "not": not_, "rand": rand,
}  # fmt: skip
BINARY = {
    "add": add, "sub": lambda a, b: add(a, neg(b)), "mul": mul, "div": div,
    "min": lambda a, b: Interval(least(a.low, b.low), least(a.high, b.high)),
    "max": lambda a, b: Interval(greatest(a.low, b.low), greatest(a.high, b.high)),
    "atan2": atan2, "mod": mod, "compare": compare, "and": and_, "or": or_, "mix": mix,
}  # fmt: skip


# --- the tape ---------------------------------------------------------------------------------


class Clause(NamedTuple):
    op: str
    operands: tuple[int, ...]
    value: Any = None


def read_tape(text: str) -> list[Clause]:
    """The clauses of ``.vm`` text, operands by number."""
    clauses: list[Clause] = []
    known: dict[str, int] = {}
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text.removeprefix("\ufeff")), 1):
        words = re.sub(r"(?<!\S)#.*", "", line).split()
        if not words:
            continue
        try:
            clauses.append(_clause(words, known))
        except (LookupError, ValueError):
            raise Unreadable(f"line {number} of the tape is not understood: {line!r:.80}") from None
        if known.setdefault(words[0], len(clauses) - 1) != len(clauses) - 1:
            raise Unreadable(f"line {number} of the tape defines {words[0]:.80} again")
    if not clauses:
        raise Unreadable("the tape has no clause")
    return clauses


def _clause(words: list[str], known: dict[str, int]) -> Clause:
    op, *operands = words[1:]
    if op == "const":
        (text,) = operands
        if "_" in text or not text.isascii():
            raise ValueError(text)
        value = float(text)
        return Clause(op, (), from_float(value) if math.isfinite(value) else None)
    if op.startswith("var-") and op != "var-" and not operands:
        return Clause("var", (), op.removeprefix("var-"))
    if len(operands) != (1 if op in UNARY else 2) or op not in UNARY.keys() | BINARY.keys():
        raise LookupError(op)
    return Clause(op, tuple(known[operand] for operand in operands))


def evaluate(tape: list[Clause], inputs: dict[str, Interval], until: float = math.inf) -> Value:
    """The interval of the tape. What has an undefined operand is undefined."""
    values: list[Value] = []
    for op, operands, constant in tape:
        if time.monotonic() > until:
            raise OutOfTime
        if op == "var":
            values.append(inputs[constant])
        elif op == "const":
            values.append(None if constant is None else Interval(constant, constant))
        else:
            given = [a for i in operands if (a := values[i]) is not None]
            found = None
            if len(given) == len(operands):
                found = (UNARY if op in UNARY else BINARY)[op](*given)
            if found is not None:
                defined = found.defined and all(a.defined for a in given)
                found = Interval(tamed(found.low, DOWN), tamed(found.high, UP), defined)
            values.append(found)
    return values[-1]


# --- boxes ------------------------------------------------------------------------------------


Side = tuple[float, float]


class Box(NamedTuple):
    verdict: str
    x: Side
    y: Side

    def __str__(self) -> str:
        (x0, x1), (y0, y1) = self.x, self.y
        return f"the {self.verdict} box x {x0!r}..{x1!r}, y {y0!r}..{y1!r}"


def seen(value: Value) -> str:
    if value is None or not less(value.low, fzero):
        return "outside"
    return "inside" if value.defined and less(value.high, fzero) else "unproven"


def confirm(
    tape: list[Clause], inputs: dict[str, Interval], box: Box, until: float = math.inf
) -> None:
    """Return if the verdict holds at every point; Refused if it does not, or may not."""
    # the largest parts first, so that the points that are tried lie all over the box
    parts = deque([tuple((from_float(low), from_float(high)) for low, high in (box.x, box.y))])
    for _ in range(MOST_TRIES):
        if not parts:
            return
        x, y = parts.popleft()
        found = seen(evaluate(tape, inputs | {"x": Interval(*x), "y": Interval(*y)}, until))
        if found == box.verdict:
            continue
        middle = [mpf_shift(mpf_add(low, high), -1) for low, high in (x, y)]
        point = {"x": Interval(middle[0], middle[0]), "y": Interval(middle[1], middle[1])}
        if seen(evaluate(tape, inputs | point, until)) not in (box.verdict, "unproven"):
            at = ", ".join(f"{n} {libmp.to_float(m)!r}" for n, m in zip("xy", middle, strict=True))
            raise Refused(f"{box} is wrong at {at}")
        (x0, x1), (y0, y1) = x, y
        parts += [
            (across, down)
            for across in dict.fromkeys([(x0, middle[0]), (middle[0], x1)])
            for down in dict.fromkeys([(y0, middle[1]), (middle[1], y1)])
        ]
    raise Refused(f"{box} is not confirmed, cut into {MOST_TRIES} parts")


def check_cover(boxes: list[Box], region: tuple[Side, Side]) -> None:
    """The boxes lie in the region, do not overlap, and have its area: so they cover it."""
    for box in boxes:
        if not _holds(region, box):
            raise Refused(f"{box} is not within the region")
        if box.x[0] == box.x[1] or box.y[0] == box.y[1]:
            raise Refused(f"{box} has no area")
    if not area_of(Box("", *region)):
        raise Refused("the region has no area, so nothing would have to cover it")
    if sum(map(area_of, boxes)) != area_of(Box("", *region)):
        raise Refused("the boxes do not have the area of the region: some are missing, or too many")
    # a line sweeps over the boxes from left to right: those that it meets must not overlap in y
    events = sorted(
        event for box in boxes for event in ((box.x[0], 1, box.y), (box.x[1], 0, box.y))
    )
    met: list[Side] = []
    for _, begins, side in events:
        place = bisect.bisect_left(met, side)
        if not begins:
            del met[place]
            continue
        beside = met[max(0, place - 1) : place + 1]
        if any(low < side[1] and side[0] < high for low, high in beside):
            raise Refused(f"two boxes overlap in y {side[0]!r}..{side[1]!r}")
        met.insert(place, side)


def area_of(box: Box) -> Fraction:
    (x0, x1), (y0, y1) = box.x, box.y
    return (Fraction(x1) - Fraction(x0)) * (Fraction(y1) - Fraction(y0))


# --- the certificate --------------------------------------------------------------------------


class Claims(NamedTuple):
    """The first line. ``bounds`` hold all that is inside; None if nothing is."""

    sha256: str
    z: float
    variables: dict[str, float]
    region: tuple[Side, Side]
    area: Side
    bounds: tuple[Side, Side] | None

    @property
    def given(self) -> dict[str, float]:
        return {"z": self.z, **self.variables}

    def __str__(self) -> str:
        (x0, x1), (y0, y1) = self.region
        given = ", ".join(
            f"{name if name.isprintable() else ascii(name)} {value!r}"
            for name, value in self.given.items()
        )
        (low, high), place = self.area, None if self.bounds is None else [*map(list, self.bounds)]
        return (
            f"in x {x0!r}..{x1!r}, y {y0!r}..{y1!r}, with {given}: "
            f"the area inside is between {low!r} and {high!r}, within {place}"
        )


def check_inputs(claims: Claims, tape: list[Clause]) -> None:
    """What the tape reads is given, and nothing else."""
    read = {clause.value for clause in tape if clause.op == "var"} - {"x", "y", "z"}
    if unset := sorted(read - claims.variables.keys()):
        raise Refused(f"the certificate does not say what {unset[0]} is")
    if unread := sorted(claims.variables.keys() - read):
        raise Refused(f"the certificate sets {unread[0]!r:.80}, which is no variable of the tape")


def check_claims(claims: Claims, boxes: list[Box], counts: dict[str, float]) -> None:
    """Counts, area and place, from the verdicts."""
    found = Counter(dict.fromkeys(VERDICTS, 0))
    found.update(box.verdict for box in boxes)
    if found != counts:
        raise Refused(
            f"there are {_listed(found)} boxes, but the last line counts {_listed(counts)}"
        )
    low, high = claims.area
    proven = sum((area_of(box) for box in boxes if box.verdict == "inside"), Fraction(0))
    possible = sum((area_of(box) for box in boxes if box.verdict != "outside"), Fraction(0))
    if not (low <= proven and possible <= high):
        raise Refused(
            f"the area inside is between {_near(proven)!r} and {_near(possible)!r} by the boxes, "
            f"which {low!r} to {high!r} does not enclose"
        )
    for box in boxes:
        if box.verdict != "outside" and not _holds(claims.bounds, box):
            raise Refused(f"{box} is not within the bounds {claims.bounds}")


def _listed(counts: Mapping[str, float]) -> str:
    return ", ".join(f"{counts[verdict]:.17g} {verdict}" for verdict in VERDICTS)


def _near(area: Fraction) -> float:
    return float(area) if area <= MOST_FLOAT else math.inf


MOST_FLOAT = Fraction(sys.float_info.max)


def _holds(bounds: tuple[Side, Side] | None, box: Box) -> bool:
    return bounds is not None and all(
        low <= first and last <= high
        for (low, high), (first, last) in zip(bounds, (box.x, box.y), strict=True)
    )


FIRST = {
    "format": "intervalvm certificate", "version": 2, "tape": {"sha256": str}, "z": float,
    "variables": dict, "region": {"x": [float, float], "y": [float, float]},
    "area": [float, float], "bounds": [[float, float], [float, float]],
}  # fmt: skip
EMPTY = FIRST | {"bounds": None}
EACH = {"verdict": str, "x": [float, float], "y": [float, float]}
LAST = {"boxes": dict.fromkeys(VERDICTS, float)}


def has_form(found: Any, form: Any) -> bool:
    """Whether a value of JSON has these keys and no others, these lengths and these types."""
    if isinstance(form, dict):
        same = isinstance(found, dict) and found.keys() == form.keys()
        return same and all(has_form(found[key], form[key]) for key in form)
    if isinstance(form, list):
        same = isinstance(found, list) and len(found) == len(form)
        return same and all(map(has_form, found, form))
    return isinstance(found, form) if isinstance(form, type) else bool(found == form)


def read_certificate(path: Path) -> tuple[Claims, list[Box], dict[str, float]]:
    """The claims, the boxes and their counts."""
    claims, counts = None, None
    boxes: list[Box] = []
    for number, line in enumerate(_lines(path), 1):
        try:
            found = _object(line)
            if claims is None:
                claims = _claims(found)
            elif counts is not None or len(boxes) == MOST_BOXES:
                raise ValueError("it comes behind the last one, or there are too many")
            elif has_form(found, LAST):
                counts = found["boxes"]
            else:
                boxes.append(_box(found))
        except json.JSONDecodeError as error:
            order = "" if claims else "; the certificate is the first argument, the tape the second"
            raise Refused(
                f"{path} is not a certificate: line {number} is no JSON ({error.msg}){order}"
            ) from error
        except (ValueError, RecursionError) as error:
            raise Refused(f"{path} is not a certificate, at line {number}: {error}") from error
    if claims is None or counts is None:
        raise Refused(f"{path} is cut off: no last line counts the boxes")
    return claims, boxes, counts


def _lines(path: Path) -> Iterator[str]:
    with regular(path).open("rb") as file:
        while line := file.readline(MOST_LINE + 1):
            if len(line) > MOST_LINE:
                raise Unreadable(f"{path} has a line of more than {MOST_LINE} bytes")
            yield text_of(path, line, "certificate")


def text_of(path: Path, data: bytes, what: str) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"{path} is not a {what}: it is not text in UTF-8") from error


def regular(path: Path) -> Path:
    """A file that has an end, unlike a pipe or a device."""
    if not path.is_file():
        raise Unreadable(f"{path} is not a file")
    return path


def _object(line: str) -> Any:
    """Of a line of JSON. All numbers are finite float64; no other type passes for one."""
    return json.loads(
        line, parse_int=_number, parse_float=_number, parse_constant=_number,
        object_pairs_hook=_each_once,
    )  # fmt: skip


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"{text:.80} is not a finite number")
    return number


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _claims(found: Any) -> Claims:
    if not (has_form(found, FIRST) or has_form(found, EMPTY)):
        raise ValueError("it does not have the form of version 2")
    variables, region, bounds = (found[key] for key in ("variables", "region", "bounds"))
    if not all(isinstance(value, float) for value in variables.values()):
        raise ValueError("a variable is no number")
    return Claims(
        found["tape"]["sha256"],
        found["z"],
        variables,
        (_side(region["x"]), _side(region["y"])),
        _side(found["area"]),
        None if bounds is None else (_side(bounds[0]), _side(bounds[1])),
    )


def _box(found: Any) -> Box:
    if not has_form(found, EACH) or found["verdict"] not in VERDICTS:
        raise ValueError("it does not have the form of a box")
    return Box(found["verdict"], _side(found["x"]), _side(found["y"]))


def _side(ends: list[float]) -> Side:
    low, high = ends
    if low > high:
        raise ValueError(f"{ends} has the upper end first")
    return low, high


def read_bytes(path: Path) -> bytes:
    with regular(path).open("rb") as file:
        data = file.read(MOST_TAPE + 1)
    if len(data) > MOST_TAPE:
        raise Unreadable(f"{path} has more than {MOST_TAPE} bytes")
    return data


def check(
    certificate: Path, tape_path: Path, sample: int | None, seed: int, seconds: float = SECONDS
) -> str:
    """What was verified. Raises Refused or Unreadable."""
    until = time.monotonic() + seconds
    claims, boxes, counts = read_certificate(certificate)
    data = read_bytes(tape_path)
    if hashlib.sha256(data).hexdigest() != claims.sha256:
        raise Refused(f"{tape_path} is not the tape that the certificate is about")
    tape = read_tape(text_of(tape_path, data, "tape"))
    check_inputs(claims, tape)
    check_cover(boxes, claims.region)
    check_claims(claims, boxes, counts)
    proven = [box for box in boxes if box.verdict != "unproven"]
    chosen, how = proven, ""
    if sample is not None and sample < len(proven):
        chosen, how = random.Random(seed).sample(proven, sample), f" (--seed {seed})"
    inputs = {name: Interval(from_float(v), from_float(v)) for name, v in claims.given.items()}
    for confirmed, box in enumerate(chosen):
        try:
            confirm(tape, inputs, box, until)
        except OutOfTime:
            raise Refused(
                f"{confirmed} of {len(chosen)} proven boxes are confirmed after {seconds:g} s, and "
                "the rest is not: give it more --seconds, or --sample some"
            ) from None
    return f"verified: {len(chosen)} of {len(proven)} proven boxes confirmed{how}\n{claims}"


def main() -> int:
    parser = argparse.ArgumentParser(description="Check a certificate of intervalvm.")
    parser.add_argument("certificate", type=Path)
    parser.add_argument("tape", type=Path, help="the .vm file that it is about")
    parser.add_argument("--sample", type=int, metavar="N", help="boxes to confirm (all)")
    parser.add_argument("--seed", type=int, help="which ones (nobody can know before)")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help=f"for confirming boxes ({SECONDS:g})"
    )
    options = parser.parse_args()
    if options.sample is not None and options.sample < 1:
        parser.error("--sample: give a number from 1")
    if not options.seconds >= 0:
        parser.error("--seconds: give a number from 0")
    seed = secrets.randbits(32) if options.seed is None else options.seed
    if isinstance(sys.stdout, io.TextIOWrapper):  # there is none where the shell has closed it
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        print(check(options.certificate, options.tape, options.sample, seed, options.seconds))
    except Refused as error:
        print(f"refused: {error!s:.1000}", file=sys.stderr)
        return 1
    except (OSError, Unreadable) as error:
        print(f"error: {error!s:.1000}", file=sys.stderr)
        return 2
    except MemoryError:
        print("refused: there is too little memory to check it", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
