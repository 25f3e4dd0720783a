"""How long a value lives in an evaluation that frees what nobody reads any more."""

from __future__ import annotations

from hypothesis import given
from support.strategies import tapes

from intervalvm import Tape
from intervalvm.tape.liveness import dying, last_use, peak_live


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
