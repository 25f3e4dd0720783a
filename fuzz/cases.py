"""A case: a tape, where it is looked at and how; drawn from a ``Source``, kept as a ``.vm`` file.

The file is the tape with one comment before it, ``# case {...}``, which holds the rest.
"""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

import intervalvm as ivm
from fuzz.source import Source
from intervalvm.ops import ROWS
from intervalvm.raster.grid import GRIDS, coordinates
from intervalvm.tape import TapeBuilder
from intervalvm.words import Grid

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intervalvm import Tape

MARK = "# case "
VARIABLES = ("r", "s")

TINY = float(np.finfo(np.float32).smallest_subnormal)
LARGEST = float(np.finfo(np.float32).max)
PECULIAR = (
    *(0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, 2.5, 3.0, 0.1, 1 / 3, math.pi, math.inf, -math.inf),
    *(math.nan, TINY, -TINY, LARGEST, -LARGEST, 2.0**-126, 1e-320, 1e300, 1e-30, 1e30, 2.0**23),
    *(2.0**24 + 2, 2.0**31, 1 + 2.0**-23, 1 - 2.0**-24, 2.0**53, 5e-324),
)


@dataclass(frozen=True)
class Case:
    """A tape and how to look at it. ``x`` and ``y`` are the sides of the region."""

    tape: Tape
    x: tuple[float, float] = (-1.0, 1.0)
    y: tuple[float, float] = (-1.0, 1.0)
    z: float = 0.0
    size: tuple[int, int] = (32, 32)
    depth: int | None = None
    grid: Grid = "linspace"
    dtype: str = "float32"
    mode: str = "bitmap"
    threads: int = 1
    seed: int = 0

    @property
    def region(self) -> ivm.Region:
        return ivm.Region(self.x, self.y)

    @property
    def variables(self) -> dict[str, float]:
        """A value for each free variable: the same for the same seed and name."""
        choices = (0.0, -0.5, 1.0, 3.25, math.nan, math.inf)
        return {name: choices[(self.seed + ord(name[0])) % 6] for name in self.tape.variables}

    def samples(self) -> tuple[NDArray[Any], NDArray[Any]]:
        """The coordinates of columns and rows; OptionError if the dtype does not hold them."""
        return coordinates(self.region, *self.size, self.grid, self.dtype)

    def __str__(self) -> str:
        facts = asdict(replace(self, tape=None))  # type: ignore[arg-type]
        del facts["tape"]
        # in hexadecimal, since a decimal a reader may round is not the float that failed
        for name in ("x", "y"):
            facts[name] = [end.hex() for end in facts[name]]
        facts["z"] = self.z.hex()
        return f"{MARK}{json.dumps(facts)}\n{self.tape}"

    @classmethod
    def parse(cls, text: str, name: str = "<string>") -> Case:
        """The case that ``str`` printed."""
        line = next(line for line in text.splitlines() if line.startswith(MARK))
        facts = json.loads(line.removeprefix(MARK))
        for axis in ("x", "y"):
            facts[axis] = tuple(map(float.fromhex, facts[axis]))
        facts |= {"z": float.fromhex(facts["z"]), "size": tuple(facts["size"])}
        return cls(ivm.parse(text, name=name), **facts)


def draw(source: Source) -> Case:
    """A case whose region its dtype holds."""
    dtype = source.pick(("float32", "float32", "float64"))
    size = source.integer(1, 80), source.integer(1, 80)
    # a case is rarely seen from where it is too small or too large to see: half are near 1
    x, y = _side(source, dtype), _side(source, dtype)
    deepest = max(size).bit_length() - 1
    case = Case(
        tape=ivm.parse("x var-x"),
        x=x,
        y=y if source.chance(2) else x,
        z=source.pick((0.0, 0.5, -0.0, 1e-40)),
        size=size,
        depth=None if source.chance(2) else source.integer(0, deepest),
        grid=source.pick(tuple(GRIDS)),
        dtype=dtype,
        mode=source.pick(("bitmap", "bitmap", "value")),
        threads=source.pick((1, 1, 2, 3)),
        seed=source.integer(0, 1 << 24),
    )
    tape = _scene(source, case) if source.chance(2) else _clauses(source, case)
    return replace(case, tape=_at_the_threshold(source, replace(case, tape=tape)))


def _magnitude(source: Source) -> float:
    """From 1e-30 to 1e30, each power as likely as any."""
    return float(10.0 ** (60 * source.share() - 30))


def _side(source: Source, dtype: str) -> tuple[float, float]:
    """Two finite ends: near 1, of any size, some floats wide, or denormal."""
    kind = source.integer(0, 7)
    info = np.finfo(dtype)
    if kind < 4:
        middle, half = 4 * source.share() - 2, 2 * source.share() + 2.0**-20
    elif kind == 4:
        middle, half = 0.0, _magnitude(source)
    elif kind == 5:
        middle, half = source.sign() * _magnitude(source), _magnitude(source)
    elif kind == 6:  # neighbouring floats
        middle = source.sign() * (_magnitude(source) if source.chance(2) else 1.0)
        half = abs(middle) * float(info.eps) * source.integer(1, 40)
    else:
        steps = source.integer(-50, 50), source.integer(1, 50)
        middle, half = (float(info.smallest_subnormal) * step for step in steps)
        if source.chance(2):
            middle += source.sign() * float(info.tiny)
    low, high = middle - half, middle + half
    return (low, high) if low < high else (low, math.nextafter(low, math.inf))


def _constant(source: Source, case: Case) -> float:
    """A peculiar number, a plain one, one of any size, or a coordinate of the image or beside."""
    kind = source.integer(0, 7)
    if kind == 0:
        return source.pick(PECULIAR)
    if kind == 1:
        return source.sign() * _magnitude(source)
    if kind < 5:
        return source.integer(-32, 32) / 16
    ends = np.array(source.pick((case.x, case.y)))
    with np.errstate(over="ignore", under="ignore"):
        at = np.array(ends[0] + (ends[1] - ends[0]) * source.share()).astype(case.dtype)
    return float(np.nextafter(at, at.dtype.type(source.pick((-math.inf, at, math.inf)))))


NAMES = {arity: tuple(op.name for op in ROWS if op.arity == arity) for arity in (1, 2)}


def _leaf(source: Source, case: Case, build: TapeBuilder) -> int:
    kind = source.integer(0, 9)
    if kind < 6:
        return build.clause(("var-x", "var-y")[kind % 2])
    if kind == 6:
        return build.clause("var-z")
    if kind == 7:
        return build.variable(source.pick(VARIABLES))
    return build.const(_constant(source, case))


def _clauses(source: Source, case: Case) -> Tape:
    """Any operations on any clauses, mostly on those that nobody reads yet."""
    build = TapeBuilder()
    unread: list[int] = []
    for _ in range(source.integer(1, source.pick((8, 30, 100)))):
        if len(unread) < 2 or source.chance(3):
            made = _leaf(source, case, build)
        else:
            arity = 1 if source.chance(3) else 2
            operands = [
                unread.pop() if unread and not source.chance(4) else source.integer(0, last)
                for last in [len(build) - 1] * arity
            ]
            made = build.clause(source.pick(NAMES[arity]), *operands)
        unread.append(made)
    while len(unread) > 1:
        unread.append(build.clause(source.pick(NAMES[2]), unread.pop(), unread.pop(0)))
    return build.build()


JOINS = ("min", "max", "min", "max", "min", "max", "and", "or", "add", "sub", "mul", "compare")


def _scene(source: Source, case: Case) -> Tape:
    """Shapes in view, joined mostly by min and max: tiles are proven and choices decided."""
    build = TapeBuilder()
    axes = [build.clause("var-x"), build.clause("var-y")]

    def joined(op: str, a: int) -> int:
        return build.clause(op, a, build.const(_constant(source, case)))

    def truth() -> int:
        """A comparison, or two that are joined, as ``expr.functions`` writes them."""
        if source.chance(3):
            return build.clause(source.pick(("and", "or")), truth(), truth())
        other = source.pick((*axes, build.const(_constant(source, case))))
        side = joined("sub", source.pick(axes))
        side = build.clause(source.pick(("sqrt", "recip", "copy")), side)
        compared = build.clause("compare", *((side, other) if source.chance(2) else (other, side)))
        op, number = source.pick((("add", 1.0), ("sub", 1.0), ("max", 0.0), ("min", 0.0)))
        found = build.clause("not", build.clause(op, compared, build.const(number)))
        return build.clause("not", found) if source.chance(3) else found

    def shape() -> int:
        kind = source.integer(0, 8)
        axis = source.pick(axes)
        if kind == 8:
            return build.clause("sub", build.const(0.5), truth())
        if kind == 0:
            return joined("sub", axis)
        if kind == 1:
            return build.clause("sub", joined("mul", axes[0]), joined("add", axes[1]))
        if kind in (2, 3):
            squares = [build.clause("square", joined("sub", side)) for side in axes]
            away = build.clause("add", *squares)
            return joined("sub", build.clause("sqrt", away) if kind == 3 else away)
        if kind == 4:
            sides = [build.clause("abs", joined("sub", side)) for side in axes]
            return joined("sub", build.clause("max", *sides))
        if kind == 5:
            return joined(source.pick(("sub", "compare", "mod")), joined("mod", axis))
        bent = build.clause(
            source.pick(("floor", "ceil", "round", "recip", "rand", "not", "sqrt", "neg")),
            joined("mul", axis),
        )
        return joined("sub", bent)

    made = [shape() for _ in range(source.integer(1, source.pick((3, 12, 40))))]
    while len(made) > 1:
        if source.chance(8):
            made.append(build.clause(source.pick(("neg", "abs", "not", "copy")), made.pop()))
        at = source.integer(0, len(made) - 2)
        made.append(build.clause(source.pick(JOINS), made.pop(at), made.pop()))
    return build.build()


def _at_the_threshold(source: Source, case: Case) -> Tape:
    """The tape less its own value at a pixel, or a float beside that: the sign hangs on one bit."""
    tape = case.tape
    if not source.chance(3):
        return tape
    try:
        x, y = case.samples()
    except ivm.OptionError:
        return tape
    value = ivm.evaluate(
        tape,
        x[source.integer(0, len(x) - 1)],
        y[source.integer(0, len(y) - 1)],
        case.z,
        variables=case.variables,
        dtype=case.dtype,
    )
    if not np.isfinite(value):
        return tape
    with np.errstate(over="ignore", under="ignore"):
        beside = np.nextafter(value, source.pick((-np.inf, value, np.inf)))
    text = f"{tape}threshold const {float(beside)!r}\nabove sub _{len(tape) - 1:x} threshold\n"
    return ivm.parse(text)
