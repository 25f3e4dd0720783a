"""Which versions of what, on which device: found first, so that the rest can be read."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

from bench.gpu.step import Job

PACKAGES = {
    "numpy": "numpy",
    "llvmlite": "llvmlite.binding",
    "numba": "numba",
    "numba-cuda": "numba.cuda",
    "cupy-cuda13x": "cupy",
    "cuda-bindings": "cuda.bindings.driver",
    "cuda-core": "cuda.core",
    "cuda-pathfinder": "cuda.pathfinder",
    "nvidia-nvjitlink": "",
    "nvidia-nvvm": "",
    "nvidia-cuda-runtime": "",
    "nvidia-cuda-nvrtc": "",
    "pillow": "PIL",
    "psutil": "psutil",
    "pytest": "pytest",
    "hypothesis": "hypothesis",
}
"""Packages, and what is imported of each."""
ATTRIBUTES = (
    "MultiProcessorCount", "ClockRate", "MemoryClockRate", "GlobalMemoryBusWidth", "L2CacheSize",
    "MaxThreadsPerBlock", "MaxThreadsPerMultiProcessor", "MaxRegistersPerMultiprocessor",
    "MaxSharedMemoryPerBlock", "MaxSharedMemoryPerBlockOptin", "MaxSharedMemoryPerMultiprocessor",
)  # fmt: skip


def stack(job: Job) -> None:
    """All that can be asked is asked, then the device: DeviceError where there is none."""
    job.fact("Python", f"{platform.python_version()} at {sys.executable}")
    job.fact("system", platform.platform())
    for name, module in PACKAGES.items():
        job.fact(name, _package(name, module))
    import intervalvm
    from bench.subject import cpus, machine

    job.fact("intervalvm", intervalvm.__version__)
    job.fact("machine", machine())
    job.fact("CPUs", cpus())
    job.fact("memory of the host, GiB", round(_host_bytes() / (1 << 30), 1))
    job.fact("subject", str(job.subject))
    for name, value in os.environ.items():
        if name.startswith(("INTERVALVM_", "CUDA_VISIBLE", "NUMBA_")):
            job.fact(name, value)
    _device(job)


def _package(name: str, module: str) -> str:
    """The version of a package, and what is wrong with it if it cannot be imported."""
    try:
        found = version(name)
    except PackageNotFoundError:
        found = "not installed"
    try:
        where = getattr(import_module(module), "__file__", "") if module else ""
    except Exception as error:
        return f"{found}; cannot be imported: {type(error).__name__}: {error}"
    return f"{found} ({where})" if where else found


def _host_bytes() -> int:
    import psutil

    return int(psutil.virtual_memory().total)


def _device(job: Job) -> None:
    from intervalvm.gpu import device

    module = device.cupy()
    runtime = module.cuda.runtime
    found = runtime.getDeviceProperties(module.cuda.Device().id)
    job.fact("device", found["name"].decode())
    job.fact("device in full", _name(module))
    job.fact("memory of the device, GiB", round(found["totalGlobalMem"] / (1 << 30), 1))
    job.fact("compute capability", str(module.cuda.Device().compute_capability))
    attributes = module.cuda.Device().attributes
    for name in ATTRIBUTES:
        if name in attributes:
            job.fact(name, int(attributes[name]))
    for what, value in _clocks():
        job.fact(what, value)
    if not job.rehearses:
        found = int(module.arange(1000, dtype="int64").sum())  # by a kernel that NVRTC compiles
        job.check("a sum by CuPy", "its formula", found != 1000 * 999 // 2, 1)


def _name(module: ModuleType) -> str:
    """The device, its memory and the versions of what drives it, in a line."""
    runtime = module.cuda.runtime
    found = runtime.getDeviceProperties(module.cuda.Device().id)
    versions = [
        f"{version // 1000}.{version % 1000 // 10}"
        for version in (runtime.driverGetVersion(), runtime.runtimeGetVersion())
    ]
    memory = found["totalGlobalMem"] / (1 << 30)
    return (
        f"{found['name'].decode()} ({memory:.0f} GiB; driver for CUDA {versions[0]}, "
        f"CUDA {versions[1]})"
    )


def _clocks() -> Iterator[tuple[str, Any]]:
    """What ``nvidia-smi`` says of clocks, power and the driver."""
    fields = ("driver_version", "clocks.sm", "clocks.max.sm", "clocks.mem", "power.limit")
    words = ["nvidia-smi", f"--query-gpu={','.join(fields)}", "--format=csv,noheader"]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=15, check=True)
        values = done.stdout.splitlines()[0].split(", ")
    except (OSError, subprocess.SubprocessError, IndexError) as error:
        yield "nvidia-smi", f"does not answer: {error}"
        return
    yield from zip(fields, values, strict=False)
