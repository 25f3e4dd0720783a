"""Checks of arguments, and how their values appear in messages.

A real number is a NumPy boolean, integer or float, or has ``__float__`` or ``__index__``; text,
dates, complex numbers and records are refused even where NumPy converts them. Errors name the
argument and what it takes.
"""

from __future__ import annotations

import math
import operator
import os
import reprlib
from collections.abc import Callable, Iterable, Mapping, Set
from decimal import ROUND_CEILING, ROUND_FLOOR, Context
from itertools import islice
from typing import Any

import numpy as np

from intervalvm.environment import in_default_environment
from intervalvm.errors import ArgumentTypeError, DoesNotFit, OptionError

REAL_KINDS = "biuf"
"""NumPy's kinds of dtypes that hold real numbers."""
UNORDERED = (Mapping, Set)
TEXT = (str, bytes, bytearray, memoryview)
MOST_PARTS = 8
"""More than a point, a region and the like have."""
MOST_LETTERS = 80
"""Longer words have no suggestion."""

DIGITS = 6
"""The most that are printed of a bound."""

_float = in_default_environment(float)

_brief = reprlib.Repr()
_brief.maxstring = _brief.maxother = _brief.maxlong = 80


def brief(value: object) -> str:
    """``repr(value)``, shortened, on one line; the type if ``repr`` raises."""
    try:
        return " ".join(line.strip() for line in _brief.repr(value).splitlines())
    except Exception:
        return f"<{type(value).__name__}>"


def bounds_text(low: float, high: float) -> tuple[str, str]:
    """The ends of an interval as ``%g`` prints them, rounded outwards to six digits."""
    return _rounded(low, ROUND_FLOOR), _rounded(high, ROUND_CEILING)


def _rounded(value: float, way: str) -> str:
    if not math.isfinite(value):
        return f"{value:g}"
    rounding = Context(prec=DIGITS, rounding=way)
    number = rounding.normalize(rounding.create_decimal_from_float(value + 0.0))
    power = number.adjusted()
    if -5 < power < DIGITS:
        return f"{number:f}"
    # not by way of a float: it would be rounded again among the subnormal numbers
    return f"{number.scaleb(-power, rounding):f}e{power:+03d}"


def real(name: str, value: Any) -> float:
    """A real number as a float, which may be NaN or infinite.

    Raises ArgumentTypeError for another type, OptionError for an integer beyond float64.
    """
    if type(value) is float:
        return value
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, (np.generic, np.ndarray)):
        is_real = value.ndim == 0 and value.dtype.kind in REAL_KINDS
    else:
        is_real = hasattr(type(value), "__float__") or hasattr(type(value), "__index__")
    try:
        if is_real:
            return _float(value)
    except OverflowError:
        raise OptionError(f"{name}={brief(value)} is beyond what a float64 holds") from None
    except (TypeError, ValueError):
        pass  # a symbol of SymPy, an array of another library
    raise ArgumentTypeError(
        f"{name}={brief(value)} is of type {type(value).__name__!r} and is not a number: "
        "give a real number"
    )


def reals(name: str, value: Any, dtype: np.dtype[Any], module: Any = np) -> Any:
    """An array of real numbers, of NumPy or of ``module``, each rounded to ``dtype``.

    Raises what ``real`` does, OptionError for rows of different lengths, and DoesNotFit.
    """
    if isinstance(value, UNORDERED):
        raise ArgumentTypeError(f"{name}={brief(value)}: give a real number or an array of them")
    try:
        return _reals(name, value, dtype, module)
    except DoesNotFit:
        raise
    except MemoryError as error:
        raise DoesNotFit(
            f"{name} does not fit into memory ({error}): give fewer points at a time"
        ) from None


def _reals(name: str, value: Any, dtype: np.dtype[Any], module: Any) -> Any:
    if not isinstance(value, module.ndarray):
        try:
            value = np.asarray(value)
        except ArgumentTypeError:
            raise
        except (TypeError, ValueError) as error:
            raise OptionError(f"{name} does not make an array: {error}") from None
    if value.dtype.kind == "O":
        floats = [real(name, part) for part in value.ravel().tolist()]
        value = np.array(floats, np.float64).reshape(value.shape)
    if value.dtype.kind not in REAL_KINDS:
        raise ArgumentTypeError(
            f"{name} is of dtype {brief(str(value.dtype))}: give a real number or an array of them"
        )
    return module.asarray(value, dtype)


def parts_of(name: str, value: Any, most: int = MOST_PARTS) -> tuple[Any, ...]:
    """The first ``most + 1`` parts of a sequence, which may be an endless iterator.

    Raises ArgumentTypeError for text, sets and anything else without an order.
    """
    if type(value) is tuple:
        return value[: most + 1]
    if not isinstance(value, Iterable) or isinstance(value, (*UNORDERED, *TEXT)):
        raise ArgumentTypeError(f"{name}={brief(value)} is not a sequence")
    try:
        return tuple(islice(value, most + 1))
    except TypeError:  # an array of no dimension
        raise ArgumentTypeError(f"{name}={brief(value)} is not a sequence") from None


def path_name(path: Any) -> str:
    """A path as text. Raises ArgumentTypeError for another type."""
    try:
        return os.fsdecode(path)
    except TypeError:
        raise ArgumentTypeError(
            f"{brief(path)} is no path: give the name of a file, as a str or a pathlib.Path"
        ) from None


def is_word(value: Any, choices: Iterable[str]) -> bool:
    """Whether an argument is one of some words; ``in`` would raise for an array."""
    return isinstance(value, str) and value in choices


def integer(value: Any) -> int:
    """``operator.index`` without bools."""
    if isinstance(value, bool):
        raise TypeError
    return operator.index(value)


def flag(name: str, value: Any) -> bool:
    """A bool of Python or NumPy. Raises ArgumentTypeError for another type."""
    if not isinstance(value, (bool, np.bool_)):
        raise ArgumentTypeError(f"{name}={brief(value)}: give True or False")
    return bool(value)


def mapping(name: str, value: Any, sample: str = "{'r': 0.5}") -> Mapping[str, Any]:
    """A dict with text as keys, empty for None. Raises ArgumentTypeError for another type."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or not all(isinstance(key, str) for key in value):
        raise ArgumentTypeError(f"{name}={brief(value)}: give a dict, as in {sample}")
    return value


def did_you_mean(word: str, candidates: Iterable[str], shown: Callable[[str], str] = str) -> str:
    """A suggestion, printed by ``shown``: the most similar of the first 5,000 candidates, or ""."""
    import difflib

    if len(word) > MOST_LETTERS:
        return ""
    near = difflib.get_close_matches(word, islice(candidates, 5000), n=5)
    if not near:
        return ""

    def letters_in_common(candidate: str) -> float:
        return difflib.SequenceMatcher(None, candidate, word).quick_ratio()

    # Transposed letters are likelier than wrong ones: 'mxa' is 'max', not 'mix'.
    return f" (did you mean {shown(max(near, key=letters_in_common))!r}?)"
