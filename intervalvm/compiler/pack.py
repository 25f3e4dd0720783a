"""A tape as 8-byte records for the compiled walk.

A record is ``variant << 52 | left << 26 | right``. Operands are slots: 0 is x, 1 is y, 2 + i the
value of record i; or, where the variant says so, places in the pool of constants. A *variant* is an
operation together with where its operands come from and whether only its sign is asked, so that
the compiled steps have one arm for each and no test inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.compiler.simplify import sign_demanded
from intervalvm.errors import DoesNotFit
from intervalvm.ops import ROWS
from intervalvm.tape import Tape

OPERAND_BITS = 26
MOST_CLAUSES = (1 << OPERAND_BITS) - 2
INPUT_SLOTS = 2
"""Slots 0 and 1 hold x and y."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One arm of a compiled step: ``constant`` has a flag an operand."""

    op: str
    constant: tuple[bool, ...]
    sign: bool = False

    def __str__(self) -> str:
        operands = "".join("k" if is_constant else "v" for is_constant in self.constant)
        return f"{self.op} {operands}{' sign' if self.sign else ''}"


def _variants() -> tuple[Variant, ...]:
    found = []
    for op in ROWS:
        if op.name == "copy":
            found += [Variant("copy", (False,)), Variant("copy", (True,))]
        elif op.arity == 1:
            found.append(Variant(op.name, (False,)))
        elif op.arity == 2:
            signs = (False, True) if op.name in ("min", "max") else (False,)
            for sign in signs:
                for pattern in ((False, False), (False, True), (True, False)):
                    found.append(Variant(op.name, pattern, sign))
    return tuple(found)


VARIANTS = _variants()
"""Every variant; a record stores its place here. Operations on constants alone are folded."""

NUMBER = {variant: number for number, variant in enumerate(VARIANTS)}
COPY_CONSTANT = NUMBER[Variant("copy", (True,))]


@dataclass(frozen=True)
class Packed:
    """Records uint64[n] and the constants they use, in the dtype of the evaluation."""

    records: NDArray[np.uint64]
    constants: NDArray[Any]

    def __str__(self) -> str:
        mask = (1 << OPERAND_BITS) - 1
        lines = []
        for i, record in enumerate(self.records.tolist()):
            variant = VARIANTS[record >> 2 * OPERAND_BITS]
            operands = (record >> OPERAND_BITS, record)
            words = [
                repr(float(self.constants[o & mask])) if k else f"s{o & mask}"
                for o, k in zip(operands, variant.constant, strict=False)
            ]
            lines.append(f"s{i + INPUT_SLOTS} = {variant} {' '.join(words)}")
        return "\n".join(lines)


def pack(tape: Tape, dtype: np.dtype[Any], *, sign_only: bool) -> Packed:
    """Pack a folded tape whose inputs are x and y alone. Raises DoesNotFit beyond 2**26 clauses."""
    if len(tape) > MOST_CLAUSES:
        raise DoesNotFit(f"a tape of {len(tape)} clauses is too long: the most is {MOST_CLAUSES}")
    demanded = sign_demanded(tape) if sign_only else np.zeros(len(tape), bool)
    values = tape.constants(dtype)
    slot: list[int] = []  # of each clause; a constant has ~(its place in the pool)
    pool: list[Any] = []
    records: list[int] = []

    def add(op: str, operands: list[int], sign: bool = False) -> None:
        number = NUMBER[Variant(op, tuple(o < 0 for o in operands), sign)]
        left, right = (~o if o < 0 else o for o in (*operands, 0)[:2])
        slot.append(len(records) + INPUT_SLOTS)
        records.append(number << 2 * OPERAND_BITS | left << OPERAND_BITS | right)

    for i, code in enumerate(tape.codes.tolist()):
        name = ROWS[code].name
        if name == "const":
            slot.append(~len(pool))
            pool.append(values[i])
        elif name in ("var-x", "var-y"):
            slot.append(0 if name == "var-x" else 1)
        else:
            sign = bool(demanded[i]) and name in ("min", "max")
            add(name, [slot[operand] for operand in tape.operands(i)], sign)
    if not records:
        add("copy", [slot[-1]])
    return Packed(np.array(records, np.uint64), np.array(pool or [0], dtype))
