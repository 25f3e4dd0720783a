"""Kernels before anything is timed: the CPUs' are compiled, prepared ones are taken for the GPU."""

from __future__ import annotations

import time
from pathlib import Path

from bench.gpu.step import Job


def of_the_cpu(job: Job) -> None:
    """Those kernels of the host's CPUs that steps use, compiled by all of them."""
    from bench.subject import cpus
    from intervalvm.jit import native

    start = time.perf_counter()
    for dtype in ("float32", "float64"):  # the first is waited for by more
        keys = [key for key in native.kernels_of([dtype], proofs=False) if _is_used(key[0])]
        missing = [key for key in keys if not native.is_there(*key)]
        native.prepare(keys, cpus())
        found = f"{len(missing)} compiled of {len(keys)}, by {cpus()} CPUs"
        job.fact(f"kernels of the CPUs, {dtype}", f"{found}, {time.perf_counter() - start:.1f} s")
        still = [key for key in keys if not native.is_there(*key)]
        assert not still, f"not compiled: {still}"


def _is_used(kind: str) -> bool:
    """Whether pictures, points and boxes need a kernel: solids, meshes and outlines do not."""
    from intervalvm.jit.native import KINDS

    return KINDS[kind].module.count(".") == 1


def of_the_gpu(job: Job) -> None:
    """All kernels of the device are in the cache: prepared and loaded, or compiled here."""
    from bench.gpu.prepare import Unfit, compiled, load, prepared, put
    from intervalvm.gpu import devices

    start, device = time.perf_counter(), devices.current()
    if not isinstance(device, devices.CupyDevice):
        job.fact("kernels of the GPU", "are simulated")
        return
    known = None
    if job.kernels:
        try:
            known = prepared(Path(job.kernels), device.capability)
        except Unfit as error:
            job.fact("prepared kernels", f"not used: {error}")
    count = 0
    for kernels, code in known or compiled(device.capability):
        assert isinstance(code, bytes), f"{kernels[0]}: {code}"
        if known:
            load(device, code)
        for kernel in kernels:
            put(kernel, device.capability, code)
        count += len(kernels)
    how = "prepared" if known else "compiled here"
    job.fact("kernels of the GPU", f"{count} {how}, {time.perf_counter() - start:.1f} s")
