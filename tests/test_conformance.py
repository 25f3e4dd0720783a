"""The ITF1788 cases, on every evaluator: all are enclosed, arithmetic and decorations are exact."""

from __future__ import annotations

import conformance
import pytest
from conformance import EVALUATORS, FOLDER, NAMES, PAGE, page, read, tabled
from itl import Case

from intervalvm.ops import OPS

pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="the test cases are not in ../shared/itf1788"
)
OPERATIONS = list(NAMES.values())
EXACT = [op for op in OPERATIONS if not OPS[op].is_libm]


@pytest.fixture(scope="module")
def cases() -> dict[str, list[Case]]:
    return read()


@pytest.mark.parametrize("evaluator", EVALUATORS)
@pytest.mark.parametrize("op", OPERATIONS)
def test_every_case_is_enclosed(op: str, evaluator: str, cases: dict[str, list[Case]]) -> None:
    found = list(EVALUATORS[evaluator](op, cases[op]))
    assert len(found) > 10
    assert [str(f) for f in found if not f.enclosed] == []


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("op", EXACT)
def test_arithmetic_is_the_tightest(op: str, dtype: str, cases: dict[str, list[Case]]) -> None:
    found = conformance.outward(dtype, op, cases[op])
    assert [str(f) for f in found if f.tight is False] == []


@pytest.mark.parametrize("op", OPERATIONS)
def test_decorations_are_those_expected(op: str, cases: dict[str, list[Case]]) -> None:
    found = [f for f in conformance.outward("float64", op, cases[op]) if f.case.expected.decoration]
    assert found
    assert [str(f) for f in found if f.decoration != f.case.expected.decoration] == []


def test_four_of_five_bounds_are_the_tightest_in_float64(cases: dict[str, list[Case]]) -> None:
    found = [f for op in cases for f in conformance.outward("float64", op, cases[op])]
    assert sum(bool(f.tight) for f in found) >= 0.8 * len(found)


def test_the_page_shows_the_table_as_it_is_made(cases: dict[str, list[Case]]) -> None:
    assert page(tabled(cases)) == PAGE.read_text(encoding="utf-8")
