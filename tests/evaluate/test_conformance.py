"""Every interval evaluator on fixed cases: all are enclosed, arithmetic and decorations are exact.

The cases are those of ITF1788 for the operations of the standard, and of a grid for the others.
"""

from __future__ import annotations

import pytest
from support.itl import Case
from support.operations import FUNCTIONS

from bench.conformance import PAGE, Results, page, results, tables
from bench.conformance.enclosures import EVALUATORS, OUTWARD, Evaluator
from bench.conformance.vectors import FOLDER, NAMES, OUTSIDE, of_the_standard, outside_the_standard

needs_itf = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the test cases are not in ../shared/itf1788"
)
OPERATIONS = list(NAMES.values())
EXACT = [op for op in OPERATIONS if op not in FUNCTIONS]
every_evaluator = pytest.mark.parametrize("evaluator", EVALUATORS, ids=", ".join)


@pytest.fixture(scope="module")
def standard() -> Results:
    return results(of_the_standard())


@pytest.fixture(scope="module")
def outside() -> Results:
    return results(outside_the_standard())


@needs_itf
@every_evaluator
@pytest.mark.parametrize("op", OPERATIONS)
def test_every_case_of_the_standard_is_enclosed(
    op: str, evaluator: Evaluator, standard: Results
) -> None:
    assert len(standard[op][evaluator]) > 10
    assert [str(f) for f in standard[op][evaluator] if not f.enclosed] == []


@every_evaluator
@pytest.mark.parametrize("op", OUTSIDE)
def test_every_case_of_the_grid_is_enclosed(
    op: str, evaluator: Evaluator, outside: Results
) -> None:
    assert len(outside[op][evaluator]) > 100
    assert [str(f) for f in outside[op][evaluator] if not f.enclosed] == []


@needs_itf
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("op", EXACT)
def test_arithmetic_is_the_tightest(op: str, dtype: str, standard: Results) -> None:
    found = standard[op][Evaluator("outward", "NumPy", dtype)]
    assert [str(f) for f in found if f.tight is False] == []


@needs_itf
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("op", EXACT)
def test_arithmetic_in_proofs_is_a_float_from_the_tightest(
    op: str, dtype: str, standard: Results
) -> None:
    """Where a float may be divided by 0 of either sign, bounds are infinite."""
    defined = [
        f
        for f in standard[op][Evaluator("proofs", "lanes", dtype)]
        if not (f.case.expected.is_empty or (op in ("div", "recip") and ends_with_zero(f.case)))
    ]
    assert defined
    assert [str(f) for f in defined if f.tight is not None and not f.near] == []


def ends_with_zero(case: Case) -> bool:
    return case.operands[-1].lower <= 0 <= case.operands[-1].upper


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("op", ["round", "not", "compare", "and"])
def test_what_the_grid_spans_is_the_tightest(op: str, dtype: str, outside: Results) -> None:
    """``mod`` never reaches its divisor, and ``or`` never takes a 0 from the left."""
    found = outside[op][Evaluator("outward", "NumPy", dtype)]
    assert [str(f) for f in found if not f.tight] == []


@needs_itf
@pytest.mark.parametrize("op", OPERATIONS)
def test_decorations_are_those_expected(op: str, standard: Results) -> None:
    decorated = [f for f in standard[op][OUTWARD] if f.case.expected.decoration]
    assert decorated
    assert [str(f) for f in decorated if f.decoration != f.case.expected.decoration] == []


@needs_itf
def test_four_of_five_bounds_are_the_tightest_in_float64(standard: Results) -> None:
    tight = [f.tight for columns in standard.values() for f in columns[OUTWARD]]
    assert sum(tight) >= 0.8 * len(tight)


@needs_itf
def test_the_page_shows_the_tables_as_they_are_made(standard: Results, outside: Results) -> None:
    assert page(tables(standard, outside)) == PAGE.read_text(encoding="utf-8")
