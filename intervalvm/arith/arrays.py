"""The namespace in which NumPy and CuPy arrays run the rules of ``ops``."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from types import ModuleType
from typing import Any

import numpy as np

from intervalvm.arguments import brief
from intervalvm.errors import OptionError
from intervalvm.late import cached_property

CANONICAL_NAN = 0x7FC00000
MAX_WIDE = float(np.finfo(np.float64).max)
CALL_BLOCK = 1 << 13
"""Values that a function of ``elementary`` is evaluated at together: 64 KiB an array."""
DTYPE_NAMES = {np.dtype(name): name for name in ("float32", "float64")}
"""``dtype.name`` takes NumPy as long as a kernel takes for a hundred records."""


def as_dtype(dtype: Any) -> np.dtype[Any]:
    """float32 or float64 as a NumPy dtype; None is the default, float32, and not NumPy's.

    Raises OptionError for any other.
    """
    chosen: np.dtype[Any]
    try:
        chosen = np.dtype("float32" if dtype is None else dtype)
    except (TypeError, ValueError, SyntaxError):  # NumPy reads a text as a list of dtypes
        chosen = np.dtype(object)
    if chosen not in DTYPE_NAMES:
        raise OptionError(f"dtype {brief(dtype)} is not 'float32' or 'float64'")
    return chosen


def tame_limit(dtype: Any) -> float:
    """The bounds of what is tame are finite, with a margin: between this and its negative."""
    return float(np.finfo(dtype).max) / 4


@lru_cache
def _ties_take_right(module: ModuleType, name: str, dtype: np.dtype[Any]) -> bool:
    """Whether the library's minimum (maximum) returns the right operand for +0 and -0.

    IEEE 754 leaves this open, and libraries differ by processor, so it is tested: for each length
    of a vector loop and its tail, contiguous, strided and with a scalar.
    """
    choose = getattr(module, name)
    zeros = module.zeros(2 * 67, dtype)
    for n in range(1, 68) if module is np else (1, 67):
        for step in (1, 2):
            plus = zeros[: n * step : step]
            minus = -plus
            for a, b in ((plus, minus), (minus, plus), (plus[:1], minus), (plus, minus[:1])):
                result = module.signbit(choose(a, b))
                if bool((result != module.signbit(b)).any()):
                    return False
    return True


class Arrays:
    """Array functions in one dtype, specified in ``ops``."""

    def __init__(self, module: ModuleType, dtype: np.dtype[Any]) -> None:
        self.module, self.dtype, self.itemsize = module, dtype, dtype.itemsize
        self.nan = dtype.type(np.nan)
        self.inf = dtype.type(np.inf)
        self.abs, self.floor, self.ceil, self.trunc = (
            getattr(module, name) for name in ("abs", "floor", "ceil", "trunc")
        )
        self.sqrt, self.fmod, self.copysign = module.sqrt, module.fmod, module.copysign
        self.isnan = module.isnan
        self.below = lambda a: module.nextafter(a, dtype.type(0))
        self.minimum = self._choosing("minimum")
        self.maximum = self._choosing("maximum")

    def _choosing(self, name: str) -> Any:
        choose = getattr(self.module, name)
        if _ties_take_right(self.module, name, self.dtype):
            return choose

        def right_of_ties(a: Any, b: Any) -> Any:
            chosen = choose(a, b)
            return self.where((chosen == 0) & (a == b), b, chosen)

        return right_of_ties

    def scalar(self, value: Any) -> Any:
        """A Python number as a scalar of the dtype; an array as it is."""
        return self.dtype.type(value) if isinstance(value, float) else value

    def where(self, condition: Any, a: Any, b: Any) -> Any:
        return self.module.where(condition, self.scalar(a), self.scalar(b))

    def uint32(self, value: int) -> np.uint32:
        return np.uint32(value)

    def bits(self, a: Any) -> Any:
        single = self.module.asarray(a, np.float32)
        canonical = np.uint32(CANONICAL_NAN)
        return self.module.where(
            self.isnan(single),
            canonical,
            single.view(np.uint32),
        )

    def from_bits(self, bits: Any) -> Any:
        single = self.module.asarray(bits, np.uint32).view(np.float32)
        return self.module.asarray(single, self.dtype)

    @property
    def is_single(self) -> bool:
        """Whether numbers are float32."""
        return self.dtype == np.float32

    def wide(self, a: Any) -> Any:
        return self.module.asarray(a, np.float64)

    def narrow(self, a: Any) -> Any:
        return self.module.asarray(a, self.dtype)

    @cached_property
    def doubles(self) -> Arrays:
        """This namespace in float64."""
        return self if self.dtype == np.float64 else Arrays(self.module, np.dtype(np.float64))

    def call(self, function: Any, *operands: Any, results: int = 1, rare: bool = False) -> Any:
        """``function`` of float64 operands, on the CPU in blocks that fit the cache."""
        del rare  # a whole block costs less than picking from it
        xp, arrays = self.doubles, [self.wide(operand) for operand in operands]
        shape = np.broadcast_shapes(*(array.shape for array in arrays))
        size = math.prod(shape)
        if size <= CALL_BLOCK or self.module is not np:
            return function(xp, *arrays)
        assert results == 1, "a function that is called within another has a block already"
        flat = [np.broadcast_to(array, shape).ravel() for array in arrays]
        found = np.empty(size)
        for start in range(0, size, CALL_BLOCK):
            block = slice(start, start + CALL_BLOCK)
            found[block] = function(xp, *(array[block] for array in flat))
        return found.reshape(shape)

    def rarely(
        self, mask: Any, compute: Callable[[], tuple[Any, ...]], other: tuple[Any, ...]
    ) -> tuple[Any, ...]:
        if not mask.any():
            return other
        return tuple(self.where(mask, a, b) for a, b in zip(compute(), other, strict=True))

    def uint64(self, value: int) -> np.uint64:
        return np.uint64(value)

    def bits64(self, a: Any) -> Any:
        return self.module.asarray(a, np.float64).view(np.uint64)

    def from_bits64(self, bits: Any) -> Any:
        return self.module.asarray(bits, np.uint64).view(np.float64)

    def take(self, table: tuple[int, ...], places: Any) -> Any:
        return self.module.asarray(table, np.uint64)[places.astype(np.intp)]


class IntervalArrays(Arrays):
    """The NumPy namespace of interval rules."""

    no = np.False_
    slack = 1.0

    def __init__(self, dtype: np.dtype[Any]) -> None:
        super().__init__(np, dtype)
        self.isinf = np.isinf
        self.lesser, self.greater = np.minimum, np.maximum
        self.next_below = lambda a: np.nextafter(a, -self.inf)
        self.next_above = lambda a: np.nextafter(a, self.inf)
