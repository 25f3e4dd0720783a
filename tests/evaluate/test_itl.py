"""The reader of test cases: each kind of interval, and what is refused."""

from __future__ import annotations

from math import inf

import pytest
from support.itl import Case, Operand, cases

TEXT = """\
/* A comment; with [1,2] = [1,2]; in it. */
testcase some.test {
    add [1.0,2] [-infinity, 0X1.8P-1]_dac = [-infinity,2.75]_dac;  // and another
    neg [empty] = [empty];
    neg [nai] = [nai]; neg [entire]_def
        = [entire]_def;
    pown [1.0, 2.0] 3 = [1.0, 8.0];
}
testcase none { }
"""


def test_cases_of_the_operations_asked_for_are_read() -> None:
    found = list(cases(TEXT, {"add", "neg"}))
    assert [case.op for case in found] == ["add", "neg", "neg", "neg"]
    operands = Operand(1.0, 2.0), Operand(-inf, 0.75, "dac")
    expected = Operand(-inf, 2.75, "dac")
    text = "add [1.0,2] [-infinity, 0X1.8P-1]_dac = [-infinity,2.75]_dac"
    assert found[0] == Case("add", operands, expected, text)
    assert [case.expected.is_empty for case in found] == [False, True, True, False]
    assert [case.expected.decoration for case in found] == ["dac", None, "ill", "def"]
    assert found[3].operands == (Operand(-inf, inf, "def"),)


def test_a_statement_that_is_no_case_is_named() -> None:
    with pytest.raises(ValueError, match=r"some.test: not a case: 'pown \[1.0, 2.0\] 3"):
        list(cases(TEXT, {"pown"}))
