"""The row of an operation in the table, with all fields required.

Rules are functions of a namespace ``xp`` and of operands, see ``ops``. Those of intervals also use
``lesser`` and ``greater`` (minimum and maximum of bounds, which are never NaN), ``inf``, ``no`` (a
false mask), ``isinf``, ``scalar`` (a number of the dtype) and ``slack`` (see ``arith.nearest``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple

from intervalvm.arith.directed import Function

Rule = Callable[..., Any]


class Interval(NamedTuple):
    """Bounds of a value over boxes, as arrays or lanes of one shape."""

    lower: Any
    upper: Any
    maybe_nan: Any


def constant(xp: Any, lower: Any, upper: Any) -> Interval:
    """The interval of a number between two floats; both are NaN if it is."""
    nan = xp.isnan(lower)
    return Interval(xp.where(nan, -xp.inf, lower), xp.where(nan, xp.inf, upper), nan)


def has_zero(a: Interval) -> Any:
    return (a.lower <= 0.0) & (a.upper >= 0.0)


def is_zero(a: Interval) -> Any:
    return (a.lower == 0.0) & (a.upper == 0.0)


def is_unbounded(xp: Any, a: Interval) -> Any:
    return xp.isinf(a.lower) | xp.isinf(a.upper)


class Demand(Enum):
    """How ``v < t`` of the operation is pushed down to its operands."""

    VALUE = auto()
    """Not at all: the value is compared."""
    SAME = auto()
    """``a < t``"""
    NEGATIVE = auto()
    """``a > -t``"""
    GROWS = auto()
    """Nondecreasing: ``a < t'``."""
    GROWS_FROM_ZERO = auto()
    """Nondecreasing for a >= 0, else NaN."""
    BY_SIZE = auto()
    """Even, and nondecreasing for a >= 0."""
    SUM = auto()
    """Nondecreasing in each operand, if the other is a finite constant."""
    DIFFERENCE = auto()
    """The sum of the left and the negative of the right; below 0 where the left is less."""
    PRODUCT = auto()
    """Nondecreasing in each operand, if the other is a positive constant."""
    QUOTIENT = auto()
    """Nondecreasing in the left operand, if the right is a positive constant."""
    LESSER = auto()
    """``a < t or b < t``"""
    GREATER = auto()
    """``a < t and b < t``"""
    BOTH = auto()
    """``and``: as LESSER if both operands are truths."""
    EITHER = auto()
    """``or``: as GREATER if both operands are truths."""
    NOT = auto()
    """1 or 0: whether the operand is 0."""
    ORDER = auto()
    """-1, 0 or 1: the order of the operands"""

    @property
    def is_monotone(self) -> bool:
        """Whether it is nondecreasing in its left operand, perhaps only ``from_zero``."""
        arithmetic = (Demand.SUM, Demand.DIFFERENCE, Demand.PRODUCT, Demand.QUOTIENT)
        return self.from_zero or self is Demand.GROWS or self in arithmetic

    @property
    def from_zero(self) -> bool:
        """Whether it is nondecreasing for a >= 0 only."""
        return self in (Demand.GROWS_FROM_ZERO, Demand.BY_SIZE)


class Values(Enum):
    """The range of an operation."""

    ANY = auto()
    NOT_NEGATIVE = auto()
    """>= 0 and not -0"""
    WHOLE = auto()
    """whole numbers, infinite or NaN"""
    TRUTH = auto()
    """1 or 0, also where an operand is NaN"""
    TRUTH_OF_TRUTHS = auto()
    """1 or 0 if both operands are truths"""


Choose = Callable[..., tuple[Any, Any]]
Partial = int | Rule
"""The derivative by one operand: 0, 1, -1, or a function of (xp, value, *operands)."""


@dataclass(frozen=True)
class Slope:
    """The derivative of an operation, and where it may not exist."""

    partials: tuple[Partial, ...] | None
    """By each operand; None for an operation with a choice, whose value is one of its operands."""
    ray: Rule
    """The ``Ray`` of the result, from (xp, *rays)."""
    kinks: Rule | None
    """Where two branches meet, of the operands: a kink, unless both have the same slope."""
    jumps: Rule | None
    """Where the value may jump, of (xp, value, *operands)."""


@dataclass(frozen=True)
class Choice:
    """Which operand of a ``min`` and the like matters.

    ``choose`` and ``choose_sign`` take (xp, *intervals) and give (only the left operand matters,
    only the right one does), never both.
    """

    choose: Choose
    choose_sign: Choose
    """The same if only ``v < 0`` is demanded."""
    takes_left: Rule
    """Whether the value is that of the left operand, of numbers."""
    taken: tuple[Rule, Rule]
    """Where each operand is the value, or may be near the point if neither jumps there."""


@dataclass(frozen=True)
class Names:
    """The names of the operation in other systems, or None."""

    python: tuple[str, ...]
    """The functions of this package; an expression prints as the first."""
    operator: str | None
    """What an expression prints as instead: an operator of Python's between two operands, or
    ``-``, ``**2`` or ``abs`` of one."""
    numpy: str | None
    """The ufunc that this operation is."""
    sympy: str | None
    """The class of SymPy; of two operands it takes more than two from left to right."""
    fidget: str | Callable[[Any, list[int]], int] | None
    """The word of Fidget, or what writes the clauses that stand for it: a function of the
    ``TapeBuilder`` and the places of the operands, which returns the result's."""


@dataclass(frozen=True, kw_only=True)
class Op:
    """One operation."""

    name: str
    """Its word in a ``.vm`` file."""
    operands: tuple[str, ...]
    """The letters of its operands in ``value``."""
    value: str
    """A description of the value."""
    edges: str
    """NaN, infinities and zeros; may be empty."""
    is_input: bool
    function: Function | None
    """Its function, if it is not correctly rounded."""
    point: Rule
    """Its value."""
    temporaries: int
    """The most temporary float64 arrays of ``point``."""
    floats: Callable[..., Interval]
    """The ``Interval`` of all float results, from (xp, *intervals)."""
    reals: Callable[..., tuple[Any, Any]]
    """(lower, upper) of the real function, from a number system and nonempty intervals, over the
    part in its domain."""
    domain: Callable[..., tuple[Any, Any]]
    """(nowhere, somewhere not) defined, from (xp, (lower, upper), *intervals), the bounds being
    those of ``reals``."""
    continuity: Callable[..., tuple[Any, Any]]
    """(whether it is continuous over the part of its domain in a box, and around each point of it
    too), from (xp, *intervals)."""
    slope: Slope
    choice: Choice | None
    """An interval can prove that only one operand matters."""
    absorption: Choose | None
    """Where floats of the result are an operand, bit for bit, since the other is too small to
    change it: (only left, only right) from (xp, *intervals), never both. Operands that are 0 are
    taken for +0. None if no bound tells."""
    demand: Demand
    values: Values
    names: Names
    commutes: bool
    """Whether exchanged operands give the same bits; those of ``min`` do not on a tie."""
    associates: bool
    """Whether regrouped operands, in their order, give the same bits."""

    def __post_init__(self) -> None:
        partials = self.slope.partials
        assert (partials is None) == (self.choice is not None), self.name
        assert partials is None or len(partials) == self.arity, self.name

    @property
    def arity(self) -> int:
        return len(self.operands)

    @property
    def has_choice(self) -> bool:
        return self.choice is not None

    @property
    def is_truth(self) -> bool:
        return self.values is Values.TRUTH

    @property
    def joins_truths(self) -> bool:
        return self.values is Values.TRUTH_OF_TRUTHS

    @property
    def is_whole(self) -> bool:
        """Whether its values are whole numbers, infinite or NaN."""
        return self.values in (Values.WHOLE, Values.TRUTH)


def everywhere(xp: Any, _found: Any, *_operands: Interval) -> tuple[Any, Any]:
    """The domain of an operation defined everywhere."""
    return xp.no, xp.no


def where_bounded(xp: Any, found: tuple[Any, Any], *_operands: Interval) -> tuple[Any, Any]:
    """The domain of an operation unbounded near each point where it is undefined."""
    lower, upper = found
    return xp.no, (lower == -xp.inf) | (upper == xp.inf)


def continuous(_xp: Any, *_operands: Interval) -> tuple[Any, Any]:
    return True, True


def bounds_of(rule: Callable[..., Interval]) -> Callable[..., tuple[Any, Any]]:
    """The real bounds of an exact operation, which are those of floats."""

    def reals(xp: Any, *operands: Interval) -> tuple[Any, Any]:
        found = rule(xp, *operands)
        return found.lower, found.upper

    return reals
