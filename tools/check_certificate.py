"""Check a certificate that ``intervalvm`` wrote, without it: only mpmath and the tape are trusted.

    python tools/check_certificate.py CERTIFICATE TAPE.vm [--sample N]

A certificate is JSON lines: a first one with the claims (bounds on the area inside, a box around
it), one for each box ("all of it is inside", "outside", or "unproven"), and a last one with their
numbers. This script checks that

1. the tape is the one that the certificate names, by its SHA-256;
2. the boxes cover the region, and no two overlap;
3. the boxes and cells are as many as is said;
4. the bounds of area and place follow from the boxes' verdicts, in exact arithmetic;
5. the verdicts hold: the tape is evaluated over each box (or some, with ``--sample``) in interval
   arithmetic, and a box is cut in four until it is confirmed.

Inside is where the tape's real function is defined and below 0; outside is the rest. A constant is
the float64 nearest to its text. Exit status: 0 verified; 1 refuted, or not confirmed; 2 a file that
cannot be read.

It stands outside the package, in a single file, so that it can be read and carried off alone.

Sums, products, quotients and roots are rounded outwards to 200 bits, and are exact where they fit.
mpmath's functions are not that certain (``iv.exp`` is known to miss the truth by a last place), so
they are computed at points, and widened by 2**-180 of their size.
"""

from __future__ import annotations

import argparse
import bisect
import hashlib
import json
import math
import random
import re
import struct
import sys
from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

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

PRECISION, SURE = 200, 180
"""Bits that are computed, and of a function's result those that are trusted."""
DOWN, UP = "f", "c"
MOST_EXPONENT = 4096
"""Functions of numbers beyond 2 to this power are not computed: they would take for ever."""
MOST_TRIES = 3000
"""Parts of one box that are tried before it counts as not confirmed."""

Number = Any
"""A number of mpmath's lowest layer: (sign, mantissa, exponent, bits)."""


class Refused(Exception):
    """The certificate is not confirmed, and why."""


class Unreadable(Exception):
    """A file is not what it should be."""


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


def is_tame(a: Interval) -> bool:
    """Whether functions of it can be computed."""
    return is_finite(a) and all(end[2] + end[3] < MOST_EXPONENT for end in a[:2])


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


def mul(a: Interval, b: Interval) -> Value:
    if is_zero(a) or is_zero(b):
        return Interval(fzero, fzero)
    if not (is_finite(a) and is_finite(b)):
        return LINE
    corners = [mpf_mul(p, q) for p in a[:2] for q in b[:2]]
    return Interval(
        mpf_pos(least(*corners), PRECISION, DOWN), mpf_pos(greatest(*corners), PRECISION, UP)
    )


def square(a: Interval) -> Value:
    size = absolute(a)
    return mul(size, size) if is_finite(size) else Interval(fzero, finf)


def div(a: Interval, b: Interval) -> Value:
    if is_zero(b):
        return None
    if not (is_finite(a) and is_finite(b)) or (less(b.low, fzero) and less(fzero, b.high)):
        return Interval(fninf, finf, not has_zero(b))
    if less(b.low, fzero):
        a, b = neg(a), neg(b)
    if b.low == fzero:  # the quotients grow without end on the side of a's sign
        low = mpf_div(a.low, b.high, PRECISION, DOWN) if not less(a.low, fzero) else fninf
        high = mpf_div(a.high, b.high, PRECISION, UP) if not less(fzero, a.high) else finf
        return Interval(low, high, False)
    return Interval(
        least(*(mpf_div(a.low, q, PRECISION, DOWN) for q in b[:2])),
        greatest(*(mpf_div(a.high, q, PRECISION, UP) for q in b[:2])),
    )


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
    if b.low != b.high or not (is_tame(a) and is_tame(b)):
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


def growing(function: Any) -> Any:
    """The rule of a function that grows; numbers that are too large for it give no bound."""

    def rule(a: Interval) -> Value:
        if not is_tame(a):
            return LINE
        return widened(*(function(end, PRECISION, "n") for end in a[:2]))

    return rule


def exp(a: Interval) -> Value:
    low, high = (_exp(least(greatest(end, FLOOR), CEILING)) for end in a[:2])
    found = widened(low, high)
    low = fzero if less(a.low, FLOOR) else found.low
    high = finf if less(CEILING, a.high) else found.high
    return Interval(
        low if less(a.low, fzero) else greatest(low, fone),  # exp 0 is 1
        high if less(fzero, a.high) else least(high, fone),
    )


CEILING, FLOOR = from_int(1 << 20), from_int(-(1 << 20))
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
    return _within_one(a, lambda low, high: growing(libmp.mpf_asin)(Interval(low, high)))


def acos(a: Interval) -> Value:
    return _within_one(
        a, lambda low, high: widened(*(libmp.mpf_acos(e, PRECISION, "n") for e in (high, low)))
    )


def _within_one(a: Interval, rule: Any) -> Value:
    if less(a.high, fnone) or less(fone, a.low):
        return None
    low, high = greatest(a.low, fnone), least(a.high, fone)
    found = rule(low, high)
    return Interval(found.low, found.high, (low, high) == (a.low, a.high))


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
        if not is_tame(a):
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
    if not is_tame(a) or any(n % 2 for n in quarters(a)):
        return Interval(fninf, finf, False)
    return growing(libmp.mpf_tan)(a)  # type: ignore[no-any-return]


def atan(a: Interval) -> Value:
    half_pi = mpf_shift(libmp.mpf_pi(PRECISION, UP), -1)
    if not is_tame(a):
        return Interval(mpf_neg(half_pi), half_pi)
    return growing(libmp.mpf_atan)(a)  # type: ignore[no-any-return]


def atan2(y: Interval, x: Interval) -> Value:
    """At the corners are the least and the greatest angle, unless the box meets the cut."""
    if is_zero(y) and is_zero(x):
        return None
    at_origin = has_zero(y) and has_zero(x)
    on_cut = less(y.low, fzero) and not less(y.high, fzero) and less(x.low, fzero)
    if at_origin or on_cut or not (is_tame(x) and is_tame(y)):
        most = libmp.mpf_pi(PRECISION, UP)
        if not less(x.low, fzero):
            most = fzero if is_zero(y) else mpf_shift(most, -1)
        low = fzero if not less(y.low, fzero) else mpf_neg(most)
        return Interval(low, fzero if less(y.high, fzero) else most, not at_origin)
    angles = [libmp.mpf_atan2(p, q, PRECISION, "n") for p in y[:2] for q in x[:2]]
    return widened(least(*angles), greatest(*angles))


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
    if not is_tame(a):
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
    "asin": asin, "acos": acos, "atan": atan, "exp": exp, "ln": ln, "not": not_, "rand": rand,
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
        except (LookupError, ValueError) as error:
            raise Unreadable(f"line {number} of the tape is not understood: {line!r}") from error
        if known.setdefault(words[0], len(clauses) - 1) != len(clauses) - 1:
            raise Unreadable(f"line {number} of the tape defines {words[0]} again")
    if not clauses:
        raise Unreadable("the tape has no clause")
    return clauses


def _clause(words: list[str], known: dict[str, int]) -> Clause:
    op, *operands = words[1:]
    if op == "const":
        (text,) = operands
        value = float(text)
        return Clause(op, (), from_float(value) if math.isfinite(value) else None)
    if op.startswith("var-") and not operands:
        return Clause("var", (), op.removeprefix("var-"))
    if len(operands) != (1 if op in UNARY else 2) or op not in UNARY.keys() | BINARY.keys():
        raise LookupError(op)
    return Clause(op, tuple(known[operand] for operand in operands))


def evaluate(tape: list[Clause], inputs: dict[str, Interval]) -> Value:
    """The interval of the tape. What has an undefined operand is undefined."""
    values: list[Value] = []
    for op, operands, constant in tape:
        if op == "var":
            values.append(inputs[constant])
        elif op == "const":
            values.append(None if constant is None else Interval(constant, constant))
        else:
            given = [a for i in operands if (a := values[i]) is not None]
            found = None
            if len(given) == len(operands):
                found = (UNARY if op in UNARY else BINARY)[op](*given)
            if found is not None and not all(a.defined for a in given):
                found = found._replace(defined=False)
            values.append(found)
    return values[-1]


# --- boxes ------------------------------------------------------------------------------------


class Box(NamedTuple):
    verdict: str
    x: tuple[float, float]
    y: tuple[float, float]
    cells: tuple[int, int]

    def __str__(self) -> str:
        (x0, x1), (y0, y1) = self.x, self.y
        return f"the {self.verdict} box x {x0!r}..{x1!r}, y {y0!r}..{y1!r}"


def seen(value: Value) -> str:
    if value is None or not less(value.low, fzero):
        return "outside"
    return "inside" if value.defined and less(value.high, fzero) else "unproven"


def confirm(tape: list[Clause], inputs: dict[str, Interval], box: Box) -> None:
    """Return if the verdict holds at every point; Refused if it does not, or may not."""
    # the largest parts first, so that the points that are tried lie all over the box
    parts = deque([tuple((from_float(low), from_float(high)) for low, high in (box.x, box.y))])
    for _ in range(MOST_TRIES):
        if not parts:
            return
        x, y = parts.popleft()
        found = seen(evaluate(tape, inputs | {"x": Interval(*x), "y": Interval(*y)}))
        if found == box.verdict:
            continue
        middle = [mpf_shift(mpf_add(low, high), -1) for low, high in (x, y)]
        point = {"x": Interval(middle[0], middle[0]), "y": Interval(middle[1], middle[1])}
        if seen(evaluate(tape, inputs | point)) not in (box.verdict, "unproven"):
            at = ", ".join(f"{n} {libmp.to_float(m)!r}" for n, m in zip("xy", middle, strict=True))
            raise Refused(f"{box} is wrong at {at}")
        (x0, x1), (y0, y1) = x, y
        parts += [
            (across, down)
            for across in dict.fromkeys([(x0, middle[0]), (middle[0], x1)])
            for down in dict.fromkeys([(y0, middle[1]), (middle[1], y1)])
        ]
    raise Refused(f"{box} is not confirmed, cut into {MOST_TRIES} parts")


def check_cover(boxes: list[Box], region: dict[str, Any]) -> None:
    """The boxes lie in the region, do not overlap, and have its area: so they cover it."""
    for box in boxes:
        for axis, (low, high) in (("x", box.x), ("y", box.y)):
            if not region[axis][0] <= low <= high <= region[axis][1]:
                raise Refused(f"{box} is not within the region")
    whole = Fraction(1)
    for low, high in region.values():
        whole *= Fraction(high) - Fraction(low)
    if whole <= 0 or sum(map(area_of, boxes)) != whole:
        raise Refused("the boxes do not have the area of the region: some are missing, or too many")
    # a line sweeps over the boxes from left to right: those that it meets must not overlap in y
    events = sorted(
        event
        for box in boxes
        if box.x[0] < box.x[1] and box.y[0] < box.y[1]
        for event in ((box.x[0], 1, box.y), (box.x[1], 0, box.y))
    )
    met: list[tuple[float, float]] = []
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


def check_claims(claims: dict[str, Any], boxes: list[Box], counts: dict[str, int]) -> None:
    """Counts, area and place, from the verdicts."""
    found, cells = (dict.fromkeys(("inside", "outside", "unproven"), 0) for _ in range(2))
    for box in boxes:
        found[box.verdict] += 1
        cells[box.verdict] += box.cells[0] * box.cells[1]
    if found != counts:
        raise Refused(f"the boxes are {found}, but the last line counts {counts}")
    if cells != claims["pixels"] or sum(cells.values()) != math.prod(claims["size"]):
        raise Refused(f"the boxes hold {cells} cells, but the first line counts {claims['pixels']}")
    low, high = claims["area"]
    proven = sum((area_of(box) for box in boxes if box.verdict == "inside"), Fraction(0))
    possible = sum((area_of(box) for box in boxes if box.verdict != "outside"), Fraction(0))
    if not (low <= proven and possible <= high):
        raise Refused(
            f"the area inside is between {float(proven)!r} and {float(possible)!r} by the boxes, "
            f"which {low!r} to {high!r} does not enclose"
        )
    for box in boxes:
        if box.verdict != "outside" and not _holds(claims["bounds"], box):
            raise Refused(f"{box} is not within the bounds {claims['bounds']}")


def _holds(bounds: Any, box: Box) -> bool:
    return bounds is not None and all(
        low <= first and last <= high
        for (low, high), (first, last) in zip(bounds, (box.x, box.y), strict=True)
    )


def read_certificate(path: Path) -> tuple[dict[str, Any], list[Box], dict[str, int]]:
    """The claims, the boxes and their counts."""
    lines = path.read_text(encoding="utf-8").splitlines()
    try:
        objects = [json.loads(line, parse_constant=_no_number) for line in lines]
        claims, last = objects[0], objects[-1]
        if (claims["format"], claims["version"]) != ("intervalvm certificate", 1):
            raise Unreadable(f"{path} is not a certificate of version 1")
        if "boxes" not in last:
            raise Refused(f"{path} is cut off: its last line does not count the boxes")
        boxes = [
            Box(o["verdict"], _side(o["x"]), _side(o["y"]), (o["cells"][0], o["cells"][1]))
            for o in objects[1:-1]
        ]
        claims["region"] = {axis: _side(claims["region"][axis]) for axis in "xy"}
        claims["area"] = _side(claims["area"])
    except (LookupError, TypeError, ValueError) as error:
        raise Refused(f"{path} is not a whole certificate: {error!r}") from error
    for box in boxes:
        if box.verdict not in ("inside", "outside", "unproven") or min(box.cells) < 1:
            raise Refused(f"{box}: there is no such verdict, or no cell")
    return claims, boxes, last["boxes"]


def _side(ends: list[float]) -> tuple[float, float]:
    low, high = map(float, ends)
    if not (math.isfinite(low) and low <= high < math.inf):
        raise ValueError(f"{ends} are not two numbers, the lower first")
    return low, high


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is not a number of JSON")


def check(certificate: Path, tape_path: Path, sample: int | None, seed: int) -> str:
    """What was verified. Raises Refused or Unreadable."""
    claims, boxes, counts = read_certificate(certificate)
    data = tape_path.read_bytes()
    if hashlib.sha256(data).hexdigest() != claims["tape"]["sha256"]:
        raise Refused(f"{tape_path} is not the tape that the certificate is about")
    tape = read_tape(data.decode("utf-8"))
    inputs = {
        name: Interval(from_float(float(value)), from_float(float(value)))
        for name, value in {"z": claims["z"], **claims["variables"]}.items()
    }
    read = {clause.value for clause in tape if clause.op == "var"} - {"x", "y"}
    if unset := sorted(read - inputs.keys()):
        raise Refused(f"the certificate does not say what {unset[0]} is")
    check_cover(boxes, claims["region"])
    check_claims(claims, boxes, counts)
    proven = [box for box in boxes if box.verdict != "unproven"]
    chosen = proven
    if sample is not None and sample < len(proven):
        chosen = random.Random(seed).sample(proven, sample)
    for box in chosen:
        confirm(tape, inputs, box)
    low, high = claims["area"]
    (x0, x1), (y0, y1) = claims["region"].values()
    given = ", ".join(
        f"{name} {value!r}" for name, value in {"z": claims["z"], **claims["variables"]}.items()
    )
    return (
        f"verified: {len(chosen)} of {len(proven)} proven boxes confirmed\n"
        f"in x {x0!r}..{x1!r}, y {y0!r}..{y1!r}, with {given}: "
        f"the area inside is between {low!r} and {high!r}, within {claims['bounds']}"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description="Check a certificate of intervalvm.")
    parser.add_argument("certificate", type=Path)
    parser.add_argument("tape", type=Path, help="the .vm file that it is about")
    parser.add_argument("--sample", type=int, metavar="N", help="boxes to confirm (all)")
    parser.add_argument("--seed", type=int, default=0, help="which ones (0)")
    options = parser.parse_args()
    if options.sample is not None and options.sample < 1:
        parser.error("--sample: give a number from 1")
    try:
        print(check(options.certificate, options.tape, options.sample, options.seed))
    except Refused as error:
        print(f"refused: {error}", file=sys.stderr)
        return 1
    except (OSError, UnicodeDecodeError, Unreadable) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (LookupError, TypeError, ValueError) as error:
        print(f"refused: the certificate is not what it should be: {error!r}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
