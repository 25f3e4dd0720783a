"""The memory that an image is drawn into: new, or the caller's."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.arguments import brief
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.memory import aligned


def canvas(shape: tuple[int, int], dtype: np.dtype[Any], *, clear: bool) -> NDArray[Any]:
    """New memory for an image of ``shape`` (height, width), all 0 if ``clear``.

    It starts on a cache line, so that threads do not share one.
    """
    n_bytes = shape[0] * shape[1] * dtype.itemsize
    return np.ndarray(shape, dtype, aligned(n_bytes, clear=clear))


def check_out(out: Any) -> None:
    """Raise unless a result can be written into ``out``.

    ArgumentTypeError for what is no NumPy array; OptionError for rows with gaps or in another
    order, and for read-only memory.
    """
    if not isinstance(out, np.ndarray):
        hint = ".pixels of that image" if hasattr(out, "pixels") else "one as by np.empty"
        raise ArgumentTypeError(f"out={brief(out)} is no NumPy array: give {hint}")
    if not out.flags.c_contiguous:
        raise OptionError("out has gaps or another order: give one as by np.empty")
    if not out.flags.writeable or not out.flags.aligned:
        fault = "lies at an odd address" if out.flags.writeable else "is read-only"
        raise OptionError(f"out {fault}: give one as by np.empty")


def check_fits(out: NDArray[Any], shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
    """Raise OptionError unless ``out`` is an image of ``shape`` (height, width) and dtype."""
    if out.shape != shape or out.dtype != dtype:
        raise OptionError(
            f"out is {out.dtype}{list(out.shape)}, but the image is {dtype}{list(shape)}, "
            f"[height, width]: give np.empty({shape}, np.{dtype.name})"
        )
