"""The tape: clauses in evaluation order, as frozen arrays.

Each clause writes one value; its operands are the indices of earlier clauses (SSA); the value of
the tape is that of its last clause. ``str(tape)`` is ``.vm`` text that reads back as the same tape.
"""

from __future__ import annotations

import operator
from collections import Counter
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from intervalvm import late
from intervalvm.arguments import brief, did_you_mean, mapping, real
from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, OptionError, VariableError
from intervalvm.late import Drawable
from intervalvm.ops import AXES, CODE, ROWS
from intervalvm.tape.numbers import constant_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

T = TypeVar("T")
NONE = -1
"""No operand."""


class Tape(Drawable):
    """A list of clauses, whose value is that of the last one. Immutable, hashable, picklable.

    ``str(tape)`` is ``.vm`` text, and ``tape(x, y)`` evaluates.

    Attributes
    ----------
    codes : uint8[n]
        Indices into ``ops.ROWS``. All arrays are read-only.
    left, right : int32[n]
        Operands, or -1; ``left`` of a ``var`` clause is an index into ``variables``.
    wide : float64[n]
    single : float32[n]
        Values of ``const`` clauses, each rounded once from its text.
    variables : tuple of str
        The names of free variables.
    """

    __slots__ = ("_derived", "codes", "left", "right", "single", "variables", "wide")

    codes: NDArray[np.uint8]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    wide: NDArray[np.float64]
    single: NDArray[np.float32]
    variables: tuple[str, ...]
    _derived: dict[object, Any]

    def __init__(
        self,
        codes: Any,
        left: Any,
        right: Any,
        wide: Any,
        single: Any,
        variables: tuple[str, ...] = (),
    ) -> None:
        arrays: dict[str, NDArray[Any]] = {
            "codes": np.array(codes, np.uint8),
            "left": np.array(left, np.int32),
            "right": np.array(right, np.int32),
            "wide": np.array(wide, np.float64),
            "single": np.array(single, np.float32),
        }
        for name in ("wide", "single"):
            # one NaN, whatever its sign: in text and for equality all are the same
            arrays[name][np.isnan(arrays[name])] = np.nan
        self._set(*arrays.values(), tuple(variables))

    @classmethod
    def of_arrays(cls, arrays: Iterable[NDArray[Any]], variables: tuple[str, ...]) -> Tape:
        """A tape that takes over its arrays, in the order of ``__init__`` and of their dtypes.

        They are not checked; all NaN are the same.
        """
        tape = cls.__new__(cls)
        tape._set(*arrays, variables)
        return tape

    def _set(self, *values: Any) -> None:
        names = "codes", "left", "right", "wide", "single", "variables", "_derived"
        for name, value in zip(names, (*values, {}), strict=True):
            object.__setattr__(self, name, value)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Tape is immutable: {name!r} cannot be set")

    def _bytes(self) -> tuple[bytes, ...]:
        return tuple(
            a.tobytes() for a in (self.codes, self.left, self.right, self.wide, self.single)
        )

    def __len__(self) -> int:
        return len(self.codes)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tape):
            return NotImplemented
        return self.variables == other.variables and self._bytes() == other._bytes()

    def __hash__(self) -> int:
        return self.derived("hash", lambda: hash((self.variables, *self._bytes())))

    def __reduce__(self) -> tuple[Any, ...]:
        return Tape, (self.codes, self.left, self.right, self.wide, self.single, self.variables)

    def __str__(self) -> str:
        return "".join(f"{self._clause(i)}\n" for i in range(len(self)))

    def __repr__(self) -> str:
        free = f", variables={list(self.variables)}" if self.variables else ""
        return f"<Tape of {len(self)} clauses in {', '.join(self.axes) or 'no axis'}{free}>"

    def __call__(self, x: Any, y: Any, z: Any = 0.0, **options: Any) -> Any:
        """The value at each point: ``intervalvm.evaluate(self, x, y, z)``."""
        return late.call("evaluate", self, x, y, z, **options)

    def clause(self, i: int) -> str:
        """Clause ``i``, from 0, as a line of ``.vm`` text. Raises OptionError if there is none."""
        return self._clause(self._place(i))

    def _place(self, i: int) -> int:
        try:
            place = operator.index(i)
        except TypeError:
            raise ArgumentTypeError(f"a clause has a number, not {brief(i)}") from None
        if not 0 <= place < len(self):
            raise OptionError(f"there is no clause {brief(i)}: there are 0 to {len(self) - 1}")
        return place

    def _clause(self, i: int) -> str:
        op = ROWS[self.codes[i]]
        name = op.name
        if name == "const":
            return f"_{i:x} const {constant_text(float(self.wide[i]), self.single[i])}"
        if name == "var":
            name = f"var-{self.variables[self.left[i]]}"
        operands = (self.left[i], self.right[i])[: op.arity]
        return " ".join([f"_{i:x}", name, *(f"_{operand:x}" for operand in operands)])

    @property
    def axes(self) -> tuple[str, ...]:
        """The coordinates that the tape reads: some of "x", "y" and "z"."""
        present = set(np.unique(self.codes).tolist())
        return tuple(axis for axis, op in AXES.items() if CODE[op] in present)

    def counts(self) -> dict[str, int]:
        """The number of clauses of each operation, most frequent first."""
        return {ROWS[code].name: n for code, n in Counter(self.codes.tolist()).most_common()}

    def constants(self, dtype: np.dtype[Any]) -> NDArray[Any]:
        """The values of ``const`` clauses in ``dtype`` (float32 or float64), 0 for others."""
        return self.single if dtype == np.float32 else self.wide

    def operands(self, i: int) -> tuple[int, ...]:
        """The indices of the operands of clause ``i``."""
        return (int(self.left[i]), int(self.right[i]))[: ROWS[self.codes[i]].arity]

    def settings(self, variables: Mapping[str, Any] | None) -> tuple[Any, ...]:
        """The value of each free variable, in the order of ``self.variables``.

        Raises VariableError for a missing or an unknown one.
        """
        given = self.known(variables)
        if missing := [name for name in self.variables if name not in given]:
            first = missing[0]
            raise VariableError(
                f"the free variable {', '.join(map(repr, missing))} of the tape has no value: "
                f"pass variables={{{first!r}: ...}} (on the command line: --set {first}=VALUE)"
            )
        return tuple(given[name] for name in self.variables)

    def known(self, variables: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """``variables``, a dict or None. Raises VariableError for an unknown one."""
        given = mapping("variables", variables)
        if unknown := sorted(given.keys() - set(self.variables)):
            known = ", ".join(map(repr, self.variables)) or "none"
            hint = did_you_mean(unknown[0], self.variables)
            raise VariableError(
                f"the tape has no free variable {unknown[0]!r}{hint}; it has {known}"
            )
        return given

    @in_default_environment
    def bind(self, /, **values: float) -> Tape:
        """This tape with constants for the named free variables.

        Raises VariableError for an unknown name.
        """
        numbers = values_to_bind(self.variables, values)
        free = {name: 0 for name in self.variables if name not in numbers}
        free |= {name: place for place, name in enumerate(free)}
        codes, left, wide = self.codes.copy(), self.left.copy(), self.wide.copy()
        single = self.single.copy()
        for i in np.flatnonzero(codes == CODE["var"]).tolist():
            name = self.variables[left[i]]
            if name in numbers:
                codes[i], left[i], wide[i] = CODE["const"], NONE, numbers[name]
                with np.errstate(over="ignore", under="ignore"):
                    single[i] = np.float32(numbers[name])
            else:
                left[i] = free[name]
        return Tape(codes, left, self.right, wide, single, tuple(free))

    def to_dot(self) -> str:
        """The graph of the clauses in Graphviz's language.

        Raises OptionError for a tape of too many clauses.
        """
        text: str = late.call("to_dot", self)
        return text

    def derived(self, key: object, make: Callable[[], T]) -> T:
        """The result of ``make()``, cached with the tape under ``key``.

        Two threads may both compute it, but get the same result.
        """
        known = self._derived
        if key not in known:
            known.setdefault(key, make())
        result: T = known[key]
        return result

    def bare(self) -> Tape:
        """The same tape without what is cached with this one.

        What is cached refers to it: a cycle would keep its memory until Python looks for cycles.
        """
        arrays = self.codes, self.left, self.right, self.wide, self.single
        return Tape.of_arrays(arrays, self.variables)

    def check(self) -> Self:
        """Assert the invariants of a tape, and return it."""
        assert len(self) > 0, "a tape has at least one clause"
        for i, code in enumerate(self.codes.tolist()):
            assert code < len(ROWS), f"clause {i}: no operation {code}"
            op = ROWS[code]
            for side, operand in enumerate((int(self.left[i]), int(self.right[i]))):
                if side < op.arity:
                    assert 0 <= operand < i, f"clause {i}: operand {operand} is not earlier"
                elif op.name != "var" or side:
                    assert operand == NONE, f"clause {i}: {op.name} takes {op.arity} operands"
            if op.name == "var":
                assert 0 <= self.left[i] < len(self.variables), f"clause {i}: no such variable"
        return self


def values_to_bind(variables: tuple[str, ...], values: Mapping[str, Any]) -> dict[str, float]:
    """``values`` as floats. Raises VariableError for an unknown name."""
    names = set(variables)
    for name in values:
        if name not in names:
            known = ", ".join(map(repr, variables)) or "none"
            raise VariableError(f"there is no free variable {name!r} to bind; there is {known}")
    try:
        return {name: real(name, value) for name, value in values.items()}
    except ArgumentTypeError as error:
        raise OptionError(str(error)) from None


def wrong_name(name: str) -> str | None:
    """What is wrong with the name of a free variable, which must be a word in UTF-8."""
    if name in AXES:
        return "is a coordinate"
    if name.split() != [name]:
        return "is not one word"
    if not name.isascii() and any("\ud800" <= char <= "\udfff" for char in name):
        return "has half of a surrogate pair, which no file can hold"
    return None


class TapeBuilder:
    """Collects clauses into a Tape. Each method returns the index of its clause."""

    def __init__(self, variables: tuple[str, ...] = ()) -> None:
        self.codes: list[int] = []
        self.left: list[int] = []
        self.right: list[int] = []
        self.constants: dict[int, tuple[float, np.float32]] = {}
        self.variables: dict[str, int] = {name: i for i, name in enumerate(variables)}

    def __len__(self) -> int:
        return len(self.codes)

    def clause(self, op: str, left: int = NONE, right: int = NONE) -> int:
        """Append operation ``op`` on earlier clauses."""
        self.codes.append(CODE[op])
        self.left.append(left)
        self.right.append(right)
        return len(self.codes) - 1

    @in_default_environment
    def const(self, wide: float, single: np.float32 | None = None) -> int:
        """Append a constant; ``single`` is given if ``wide`` would be rounded twice."""
        i = self.clause("const")
        if single is None:
            with np.errstate(over="ignore", under="ignore"):
                single = np.float32(wide)
        self.constants[i] = (wide, single)
        return i

    def variable(self, name: str) -> int:
        """Append a read of the free variable ``name``."""
        if why := wrong_name(name):
            raise OptionError(f"{name!r} {why}: a free variable needs another name")
        return self.clause("var", self.variables.setdefault(name, len(self.variables)))

    def build(self) -> Tape:
        """The tape so far; its value is that of the clause appended last."""
        wide = np.zeros(len(self.codes))
        single = np.zeros(len(self.codes), np.float32)
        if self.constants:
            where = np.fromiter(self.constants, np.int64, len(self.constants))
            values = list(self.constants.values())
            wide[where] = [value[0] for value in values]
            single[where] = [value[1] for value in values]
        return Tape(self.codes, self.left, self.right, wide, single, tuple(self.variables))


def select(tape: Tape, kept: NDArray[np.bool_], alias: NDArray[np.int64]) -> Tape:
    """The tape of the clauses in ``kept``, operands followed through ``alias``.

    ``alias[i]`` is the clause that stands for clause ``i`` (itself, if it has none). The kept
    clause of the highest index becomes the root; all free variables stay declared.
    """
    old = np.flatnonzero(kept)
    new = np.full(len(tape) + 1, NONE, np.int64)
    new[old] = np.arange(len(old))
    is_variable = tape.codes[old] == CODE["var"]

    def renumber(operands: NDArray[np.int32]) -> NDArray[np.int64]:
        source = operands[old].astype(np.int64)
        clause = np.where(is_variable, NONE, source)  # a variable's place is not that of a clause
        target = new[np.where(clause == NONE, len(tape), alias[clause])]
        return np.where(is_variable, source, target)

    return Tape(
        tape.codes[old],
        renumber(tape.left),
        renumber(tape.right),
        tape.wide[old],
        tape.single[old],
        tape.variables,
    )
