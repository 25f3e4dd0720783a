"""The kernels by name, with the types of what they take."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from inspect import signature
from typing import Any

from intervalvm.gpu import blocks, clauses, leaves, paint, splits

KINDS = ("split", "leaves", "paint", "short", "long", "clause", "inside")
"""Of the walk on the device; of the leaf batches; of dense evaluation."""
INTEGERS = {
    "control": "int64",
    "items": "int64",
    "programs": "uint32",
    "words": "uint32",
    "verdicts": "uint8",
    "runs": "uint64",
    "columns": "int32",
    "rows": "int32",
    "blocks": "int32",
    "records": "uint32",
}
"""The types of array parameters, but for those of numbers; what is no array is an int64."""
NUMBERS = ("coordinates", "constants", "values", "numbers", "x", "y", "scratch", *"ab")


@dataclass(frozen=True)
class Kernel:
    """One kernel: ``kind`` of ``KINDS``, for a dtype, careful or tame, for bitmaps or values."""

    kind: str
    dtype: str
    tame: bool
    is_bitmap: bool

    def __str__(self) -> str:
        manner = "tame" if self.tame else "careful"
        return f"{self.kind} {self.dtype} {manner} {'bitmap' if self.is_bitmap else 'value'}"

    @property
    def function(self) -> Any:
        """The kernel as a Python function."""
        return _function(self)

    @property
    def parameters(self) -> dict[str, str | None]:
        """The dtype of each parameter that is an array; None for a number."""
        known = INTEGERS | dict.fromkeys(NUMBERS, self.dtype)
        known["image"] = "uint8" if self.is_bitmap else self.dtype
        known["results"], known["out"] = "uint32" if self.is_bitmap else self.dtype, self.dtype
        return {name: known.get(name) for name in signature(self.function).parameters}


@lru_cache
def _function(kernel: Kernel) -> Any:
    if kernel.kind == "paint":
        return paint.build()
    if kernel.kind == "clause":
        return clauses.build_clause(kernel.dtype)
    if kernel.kind == "inside":
        return clauses.build_inside()
    if kernel.kind in ("short", "long"):
        is_long = kernel.kind == "long"
        return blocks.build(kernel.dtype, is_bitmap=kernel.is_bitmap, is_long=is_long)
    make = splits.build if kernel.kind == "split" else leaves.build
    return make(kernel.dtype, tame=kernel.tame, is_bitmap=kernel.is_bitmap)
