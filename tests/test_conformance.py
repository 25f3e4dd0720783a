"""The ITF1788 cases, on every evaluator: all are enclosed, arithmetic and decorations are exact."""

from __future__ import annotations

import pytest
from conformance import EVALUATORS, FOLDER, NAMES, OUTWARD, PAGE, Results, page, results, tabled

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the test cases are not in ../shared/itf1788"
)
OPERATIONS = list(NAMES.values())
FUNCTIONS = {"sin", "cos", "tan", "asin", "acos", "atan", "atan2", "exp", "ln"}
EXACT = [op for op in OPERATIONS if op not in FUNCTIONS]


@pytest.fixture(scope="module")
def found() -> Results:
    return results()


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("op", OPERATIONS)
def test_every_case_is_enclosed(op: str, evaluator: str, found: Results) -> None:
    assert len(found[op][evaluator]) > 10
    assert [str(f) for f in found[op][evaluator] if not f.enclosed] == []


@pytest.mark.parametrize("evaluator", ["outward, float32", OUTWARD])
@pytest.mark.parametrize("op", EXACT)
def test_arithmetic_is_the_tightest(op: str, evaluator: str, found: Results) -> None:
    assert [str(f) for f in found[op][evaluator] if f.tight is False] == []


@pytest.mark.parametrize("op", OPERATIONS)
def test_decorations_are_those_expected(op: str, found: Results) -> None:
    decorated = [f for f in found[op][OUTWARD] if f.case.expected.decoration]
    assert decorated
    assert [str(f) for f in decorated if f.decoration != f.case.expected.decoration] == []


def test_four_of_five_bounds_are_the_tightest_in_float64(found: Results) -> None:
    tight = [f.tight for columns in found.values() for f in columns[OUTWARD]]
    assert sum(tight) >= 0.8 * len(tight)


def test_the_page_shows_the_table_as_it_is_made(found: Results) -> None:
    assert page(tabled(found)) == PAGE.read_text(encoding="utf-8")
