"""``warm_up``: kernels compiled before they are needed."""

from __future__ import annotations

from typing import Any

from intervalvm.api.limits import usable_cpus
from intervalvm.api.options import check_progress
from intervalvm.api.render import reporting
from intervalvm.arguments import flag
from intervalvm.arith.arrays import DTYPE_NAMES, as_dtype
from intervalvm.environment import in_default_environment
from intervalvm.raster.job import Progress


@in_default_environment  # numbers in what is compiled are read in it
def warm_up(*dtypes: Any, proofs: bool = True, progress: Progress | bool | None = None) -> None:
    """Compile or load all kernels for the CPU.

    The first call on a machine compiles them, on as many processors as the process may use, which
    takes about half a minute on two and is logged; later ones load them from the cache.

    Parameters
    ----------
    *dtypes : {"float32", "float64"}
        By default both.
    proofs : bool
        Whether to include the kernels of proofs.
    progress : callable or bool, optional
        Called with (done, total) kernels; True draws a bar.

    Raises
    ------
    OptionError, ArgumentTypeError
        For another dtype or an invalid argument.
    """
    from intervalvm.jit import native, notices

    proofs = flag("proofs", proofs)
    check_progress(progress)
    names = [DTYPE_NAMES[as_dtype(each)] for each in dtypes or DTYPE_NAMES]
    keys = native.kernels_of(names, proofs=proofs)
    with reporting(progress, "kernels") as report:
        reached = 0

        def reach(done: int, total: int, _share: float = 1.0) -> None:
            """``done`` of the last ``total`` kernels: the others are in the cache."""
            nonlocal reached
            all_done = len(keys) - total + done
            if report is not None and all_done > reached:
                report(all_done, len(keys))
            reached = max(reached, all_done)

        with notices.watched(reach):
            native.prepare(keys, usable_cpus())
            for done, key in enumerate(keys, 1):
                native.kernel(*key)
                reach(done, len(keys))
