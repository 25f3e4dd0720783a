"""The pass that writes programs: compiled code leaves the same arrays as Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.strategies import tapes

from intervalvm.compiler import assemble, nodes
from intervalvm.compiler.assembler import POOL, RECORDS
from intervalvm.compiler.passes import IN_PYTHON, Scratch, Table
from intervalvm.evaluate.arithmetic import ClauseBounds
from intervalvm.jit.runner import COMPILED
from intervalvm.ops import CODE, ROWS
from intervalvm.words import Meaning

DTYPES = [np.float32, np.float64]
dtypes = pytest.mark.parametrize("dtype", DTYPES, ids=["float32", "float64"])
OPERATIONS = {op.name for op in ROWS if op.arity} | {"const", "var-x", "var-y"}


@st.composite
def tables(draw: st.DrawFn, dtype: Any, meaning: Meaning) -> tuple[Table, ClauseBounds]:
    """A tape that need not be folded, and bounds that need not be true."""
    tape = draw(tapes(30, ops=OPERATIONS))
    n, is_const = len(tape), tape.codes == CODE["const"]
    low = np.where(is_const, tape.constants(np.dtype(dtype)), 0.0).astype(np.float64)
    high = low.copy()
    if meaning is Meaning.REAL:
        with np.errstate(all="ignore"):
            wider = np.nextafter(low, np.inf)
        high = np.where(draw(flags(n)), wider, low)
        low[np.isinf(high)] = high[np.isinf(high)] = np.nan
    lower = np.where(draw(flags(n)), 0.0, -np.inf).astype(dtype)
    bounds = ClauseBounds(lower, np.full(n, np.inf, dtype), draw(flags(n)))
    return Table(tape.codes, tape.left, tape.right, low, high), bounds


def flags(n: int) -> st.SearchStrategy[Any]:
    return st.lists(st.booleans(), min_size=n, max_size=n).map(lambda some: np.array(some, bool))


def written(arrays: dict[str, Any]) -> dict[str, Any]:
    """What the pass has written of its arrays."""
    state = arrays["state"]
    found = {"state": state, "asked": arrays["asked"]}
    for name in ("kind", "clause", "greater", "t_low", "t_high", "first", "second"):
        found[name] = arrays[name][: state[nodes.NODES]]
    found["records"] = arrays["records"][: 4 * state[RECORDS]]
    for name in ("pool_low", "pool_high"):
        found[name] = arrays[name][: state[POOL]]
    return found


@dtypes
@pytest.mark.parametrize("wanted", [assemble.VALUE, assemble.TRUTH, assemble.SIGNS])
@pytest.mark.parametrize("meaning", Meaning)
@given(data=st.data())
def test_compiled_code_leaves_the_same_arrays(
    meaning: Meaning, wanted: int, dtype: Any, data: st.DataObject
) -> None:
    table, bounds = data.draw(tables(dtype, meaning))
    found = []
    for runner in (IN_PYTHON, COMPILED):
        scratch = Scratch()
        arrays = assemble.arrays_of(
            table, wanted, bounds, np.dtype(dtype), meaning, scratch=scratch
        )
        with np.errstate(all="ignore"):
            runner.run(assemble.PASS, arrays, scratch)
        found.append(written(arrays))
    for name, array in found[0].items():
        np.testing.assert_array_equal(found[1][name].view(np.uint8), array.view(np.uint8), name)
