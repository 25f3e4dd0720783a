"""Where choices come from: a random number generator, or the bytes that a fuzzer hands over.

A case is drawn by the same code from either, so what coverage leads to is what the soak draws.
"""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")


class Source(ABC):
    """Choices, one after the other."""

    @abstractmethod
    def integer(self, low: int, high: int) -> int:
        """One of ``low`` to ``high``, both included."""

    def pick(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]

    def chance(self, one_in: int) -> bool:
        return self.integer(1, one_in) == 1

    def share(self) -> float:
        """A number from 0 to 1 in steps of 2**-24."""
        return self.integer(0, 1 << 24) / (1 << 24)

    def sign(self) -> float:
        return self.pick((1.0, -1.0))


class Dice(Source):
    """Choices at random, the same for the same seed."""

    def __init__(self, seed: int | str) -> None:
        self._random = random.Random(seed)

    def integer(self, low: int, high: int) -> int:
        return self._random.randint(low, high)


class Bytes(Source):
    """Choices read from bytes; where these end, always the first."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def integer(self, low: int, high: int) -> int:
        size = ((high - low).bit_length() + 7) // 8
        word = self._data[self._at : self._at + size]
        self._at += size
        return low + int.from_bytes(word, "little") % (high - low + 1)
