"""``fold`` for a user: a tape to a shorter one, of the same bits or nearly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from intervalvm.arguments import brief, is_word, mapping
from intervalvm.arith.arrays import as_dtype
from intervalvm.compiler.pipeline import folded
from intervalvm.environment import in_default_environment
from intervalvm.errors import OptionError
from intervalvm.evaluate.evaluators import Floats
from intervalvm.expr import TapeLike, as_tape
from intervalvm.tape import Tape

HOW = ("exact", "fast")


@in_default_environment
def fold(
    tape: TapeLike,
    how: str = "exact",
    *,
    dtype: Any = "float32",
    variables: Mapping[str, float] | None = None,
) -> Tape:
    """A shorter tape of the same value: constants computed, common parts shared, identities used.

    Every bit is the same, for every float, in ``dtype``, to which its constants are rounded;
    rendering does this anyway. With "fast" identities of real numbers are used too, each of which
    breaks something: ``compiler.identities.FAST`` and the page on expressions list them. The given
    ``variables`` become constants, the rest stay free.

    Raises OptionError for another word or dtype, VariableError for a variable that the tape does
    not have.
    """
    bound = as_tape(tape).bind(**mapping("variables", variables))
    check_fold(how)
    return folded(bound, Floats(as_dtype(dtype)), fast=how == "fast")


def prefolded(tape: Tape, how: str, dtype: np.dtype[Any]) -> Tape:
    """What to draw of a tape that is folded exactly anyway: itself, or folded fast, once a tape."""
    check_fold(how)
    if how != "fast":
        return tape
    return tape.derived(("fast", dtype.name), lambda: fold(tape, how, dtype=dtype))


def check_fold(how: str) -> None:
    """Raise OptionError for a word that is none of ``HOW``."""
    if not is_word(how, HOW):
        raise OptionError(f"no way to fold {brief(how)}: choose {' or '.join(map(repr, HOW))}")
