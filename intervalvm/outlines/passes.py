"""Runs the passes of ``jit.outlines``."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from intervalvm.jit import native
from intervalvm.jit.outlines import layout as c
from intervalvm.jit.outlines.tasks import PASS
from intervalvm.memory import address_of


def run_task(
    task: int, sizes: dict[int, int], arrays: dict[str, NDArray[Any]]
) -> tuple[NDArray[np.int64], bool]:
    """Run a pass; returns its sizes, and whether there was no room for what it found."""
    found = np.zeros(c.SIZES, np.int64)
    found[c.TASK] = task
    for field, size in sizes.items():
        found[field] = size
    given = {"sizes": found, **arrays}
    for name, array in given.items():
        assert array.dtype == c.FIELDS[name], name
        assert array.flags.c_contiguous, name
    addresses = [address_of(given[name]) if name in given else 0 for name in PASS.fields]
    status = native.kernel(PASS.name, "float64")(address_of(np.array(addresses, np.int64)))
    return found, status != 0
