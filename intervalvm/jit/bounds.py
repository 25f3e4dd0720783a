"""The arrays of the kernel that bounds the clauses of a tape over one box (see ``bounding``)."""

from __future__ import annotations

from functools import cache
from typing import Any

from intervalvm.compiler.passes import Pass

CLAUSES, SLOTS, CHOICES = range(3)
"""In ``state``: the number of clauses; addresses of memory for the loop."""


@cache
def bounds_pass(dtype: str) -> Pass:
    """The arrays of the kernel: constants have their bounds in ``lower`` and ``upper`` before."""
    return Pass("bounds", _nothing, {
        "records": "uint32", "pool": dtype,
        "codes": "uint8", "left": "int32", "right": "int32",
        "lower": dtype, "upper": dtype, "maybe_nan": "uint8",
        "place": "int32", "arity": "uint8", "words": "int64", "state": "int64",
    })  # fmt: skip


def _nothing(_: Any) -> int:
    raise AssertionError("NumPy's bounds are the definition")
