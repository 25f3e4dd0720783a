"""Kernels as machine code of a GPU: compiled once on a machine, then loaded.

numba-cuda compiles a kernel to PTX, which needs no GPU; nvJitLink compiles that for one compute
capability, for any driver of the same major version. The code is cached like that of the CPU's
kernels, under a digest of everything that could change it.
"""

from __future__ import annotations

import logging
import re
from importlib.metadata import PackageNotFoundError, version

from intervalvm.gpu.kernels import KINDS, Kernel
from intervalvm.gpu.target import types
from intervalvm.jit import cache

log = logging.getLogger("intervalvm")
Capability = tuple[int, int]
ENTRY = re.compile(r"\.visible \.entry (\w+)\(")
MOST_THREADS = dict.fromkeys(KINDS, 256) | {"split": 512}
"""Threads of a block, which limit the registers of each."""


def ptx(kernel: Kernel, capability: Capability) -> str:
    """A kernel as PTX for a compute capability and later ones."""
    from numba import cuda

    arrays = [
        types.int64 if dtype is None else getattr(types, dtype)[::1]
        for dtype in kernel.parameters.values()
    ]
    text, _ = cuda.compile(
        kernel.function,
        types.void(*arrays),
        device=False,
        abi="numba",
        cc=capability,
        launch_bounds=MOST_THREADS[kernel.kind],
    )
    found: str = text
    return found


def machine_code(text: str, capability: Capability) -> bytes:
    """PTX as machine code for one compute capability."""
    from cuda.bindings import nvjitlink

    options = [f"-arch=sm_{capability[0]}{capability[1]}", "-O3"]
    code = text.encode()
    handle = nvjitlink.create(len(options), options)
    try:
        nvjitlink.add_data(handle, nvjitlink.InputType.PTX, code, len(code), "kernel")
        nvjitlink.complete(handle)
        made = bytearray(nvjitlink.get_linked_cubin_size(handle))
        nvjitlink.get_linked_cubin(handle, made)
    finally:
        nvjitlink.destroy(handle)
    return bytes(made)


def code_of(kernel: Kernel, capability: Capability) -> tuple[bytes, str]:
    """The machine code of a kernel, and the name of its function."""

    def make() -> bytes:
        log.info("compiling the kernel %s for this GPU (once, some seconds)", kernel)
        text = ptx(kernel, capability)
        (name,) = ENTRY.findall(text)
        try:
            code = machine_code(text, capability)
        except (
            Exception
        ) as error:  # not installed, not found, too old: each has an error of its own
            log.warning("nvJitLink cannot be used, so the driver compiles the kernel: %s", error)
            code = text.encode() + b"\0"
        return str(name).encode() + b"\0" + code

    name = f"{str(kernel).replace(' ', '-')}-{_digest(kernel, capability)}.cubin"
    entry, _, code = cache.kept(name, make).partition(b"\0")
    return code, entry.decode()


def _digest(kernel: Kernel, capability: Capability) -> str:
    return cache.digest((kernel, capability, [_version(name) for name in COMPILERS]))


COMPILERS = ("numba-cuda", "cuda-bindings", "nvidia-nvvm", "nvidia-nvjitlink")


def _version(name: str) -> str | None:
    """The version of a package, or None if it is not installed."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None
