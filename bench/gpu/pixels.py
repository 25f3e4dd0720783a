"""Every engine's pixels, and what each was compared with.

Dense NumPy, the definition, says what is right at the first size; the compiled walk on the CPU is
compared with it there and says what is right beyond, for it is quick.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

import intervalvm as ivm
from bench.gpu.report import BACK, DENSE
from bench.gpu.step import Job

WALK, NUMPY = "the compiled walk", "dense NumPy"
Draw = Callable[[], ivm.Image]


def pixels(job: Job) -> None:
    """Bitmaps at every size, the values of one more; each is compared, whatever others do."""
    failures = []
    for size in job.sizes:
        right, against = _walk(job, size), WALK
        if size == job.sizes[0]:
            expected = job.subject.dense(size).pixels
            _compare(job, WALK, size, NUMPY, right, expected)
            right, against = expected, NUMPY
        for name, draw in ways(job.subject.tape, size):
            try:
                _compare(job, name, size, against, draw().pixels, right)
            except Exception as error:  # the others may do better
                failures.append(f"{name} at {size}: {type(error).__name__}: {error}")
                job.fact("failed", failures[-1])
    assert not failures, "; ".join(failures)


def ways(tape: ivm.Tape, size: int) -> Iterator[tuple[str, Draw]]:
    """The engines that draw on the device."""
    yield BACK, partial(ivm.render, tape, size=size, backend="cuda")
    yield DENSE, partial(ivm.render, tape, size=size, engine="dense", backend="cupy")
    yield "leaf batches", partial(ivm.render, tape, size=size, backend="cupy")


def checked(job: Job, draw: Draw, what: str, size: int) -> ivm.Image:
    """A picture, drawn and found right: nothing is timed before. Raises AssertionError."""
    image = draw()
    _compare(job, what, size, WALK, image.pixels, _walk(job, size))
    job.ended()
    return image


def _walk(job: Job, size: int) -> NDArray[np.uint8]:
    found: NDArray[np.uint8] = ivm.render(job.subject.tape, size=size).pixels
    job.subject.check_known(found)
    return found


def _compare(
    job: Job, what: str, size: int, against: str, found: NDArray[Any], right: NDArray[Any]
) -> None:
    assert found.shape == right.shape, f"{what} at {size}: an image of {found.shape}"
    job.check(what, against, int(np.count_nonzero(found != right)), right.size, size)
