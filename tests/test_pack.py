"""Slots and records: how long a value lives, and how a tape is laid out for the compiled walk."""

from __future__ import annotations

from textwrap import dedent

import numpy as np
import pytest
from hypothesis import given
from strategies import tapes

import intervalvm as ivm
from intervalvm import Tape
from intervalvm.compiler import pack as packing
from intervalvm.compiler.fold import fold
from intervalvm.compiler.pack import VARIANTS, pack
from intervalvm.compiler.slots import dying, last_use, peak_live
from intervalvm.errors import DoesNotFit
from intervalvm.evaluate.arrays import Arrays
from intervalvm.ops import ROWS


def held_at_once(tape: Tape) -> int:
    """What ``peak_live`` claims, by evaluating with a set of the values that are held."""
    held: set[int] = set()
    most = 0
    for i in range(len(tape)):
        held.add(i)
        most = max(most, len(held))
        still_read = {operand for j in range(i + 1, len(tape)) for operand in tape.operands(j)}
        held &= still_read | {len(tape) - 1}
    return most


@given(tapes(max_clauses=40, variables=("r",)))
def test_peak_is_what_an_evaluation_holds(tape: Tape) -> None:
    assert peak_live(tape) == held_at_once(tape)


@given(tapes(max_clauses=40, variables=("r",)))
def test_a_value_dies_once_where_it_is_read_last(tape: Tape) -> None:
    n, last, dead = len(tape), last_use(tape).tolist(), dying(tape)
    for i in range(n - 1):
        readers = [j for j in range(n) if i in tape.operands(j)]
        assert last[i] == max(readers, default=i)
    assert last[n - 1] == n, "the result outlives the tape"
    assert sorted(clause for clauses in dead for clause in clauses) == list(range(n - 1))
    assert all(last[clause] == i for i, clauses in enumerate(dead) for clause in clauses)


def packed(*lines: str, dtype: str = "float32", sign_only: bool = False) -> str:
    tape = ivm.parse("\n".join(lines))
    kind = np.dtype(dtype)
    return str(pack(fold(tape, Arrays(np, kind), {}), kind, sign_only=sign_only))


def test_records_print() -> None:
    lines = ["x var-x", "y var-y", "c const 0.1", "a sub x c", "b sub c y", "m min a b", "v abs m"]
    expected = dedent("""\
        s2 = sub vk s0 0.10000000149011612
        s3 = sub kv 0.10000000149011612 s1
        s4 = min vv s2 s3
        s5 = abs v s4""")
    assert packed(*lines) == expected
    assert packed(*lines, dtype="float64") == expected.replace("0.10000000149011612", "0.1")


def test_records_say_where_only_the_sign_is_asked() -> None:
    lines = ["x var-x", "y var-y", "a min x y", "b neg a", "m max x b"]
    assert packed(*lines, sign_only=True) == dedent("""\
        s2 = min vv s0 s1
        s3 = neg v s2
        s4 = max vv sign s0 s3""")
    assert "sign" not in packed(*lines)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("v var-x", "s2 = copy v s0"),
        ("v var-y", "s2 = copy v s1"),
        ("v const 2", "s2 = copy k 2.0"),
    ],
)
def test_a_tape_without_operations_has_one_record(line: str, expected: str) -> None:
    assert packed(line) == expected


def test_every_operation_has_its_variants() -> None:
    """One for each place that an operand may come from; never constants alone, which are folded."""
    names = [str(variant) for variant in VARIANTS]
    assert len(set(names)) == len(names)
    for op in ROWS:
        own = [name for name in names if name.split()[0] == op.name]
        expected = {0: 0, 1: 1, 2: 3}[op.arity]
        expected += 3 if op.name in ("min", "max") else 1 if op.name == "copy" else 0
        assert len(own) == expected, op.name


def test_a_tape_beyond_the_operand_bits_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packing, "MOST_CLAUSES", 2)
    with pytest.raises(DoesNotFit, match="a tape of 3 clauses is too long: the most is 2"):
        packed("x var-x", "y var-y", "v add x y")
