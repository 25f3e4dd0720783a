"""The GPU through CuPy: detection, free memory, and translation of its errors.

Only ``cupy`` imports the library. All work on the device runs inside ``device_errors``, which
raises errors of this package, each with a way out. There is no fallback to another back end.
"""

from __future__ import annotations

from contextlib import ContextDecorator
from functools import lru_cache
from types import ModuleType

from intervalvm.errors import BackendError, DeviceError, DoesNotFit, install_line

LEAST_CAPABILITY = (7, 5)
"""Turing, the oldest architecture of CUDA 13's compilers."""
REPORTERS = ("cupy.cuda.", "cupy_backends.", "numba.cuda.cudadrv.", "cuda.")
"""The modules whose errors are the device's; the last two are numba-cuda's."""
NO_DRIVER = ("cudaErrorInsufficientDriver", "cudaErrorSystemDriverMismatch")
OUT_OF_MEMORY = ("cudaErrorMemoryAllocation", "CUDA_ERROR_OUT_OF_MEMORY")
SPARE = 8
"""1 / SPARE of the free memory is left: pools round sizes up, and drivers use some."""


@lru_cache(1)
def cupy() -> ModuleType:
    """CuPy, on a machine with a device that it can use.

    Raises BackendError where it is not installed, DeviceError where no device can be used.
    """
    try:
        import cupy
    except ImportError as error:
        raise BackendError(
            f"this back end needs CuPy, which is not installed or cannot be loaded ({error}): "
            f"{install_line('cuda')}"
        ) from error
    _check_device(cupy)
    module: ModuleType = cupy
    return module


def _check_device(module: ModuleType) -> None:
    """Raise DeviceError where CuPy finds no device, or one that it has no code for."""
    runtime, way_out = module.cuda.runtime, "or choose backend='numba' or backend='numpy'"
    try:
        count = runtime.getDeviceCount()
    except runtime.CUDARuntimeError as error:
        if _named(error, NO_DRIVER):
            raise DeviceError(
                "no NVIDIA driver for CUDA 13 was found: install or update the driver "
                f"(version 580 or later), {way_out} ({error})"
            ) from error
        raise DeviceError(
            f"no NVIDIA GPU can be used: look what `nvidia-smi` says, {way_out} ({error})"
        ) from error
    if count == 0:
        raise DeviceError(
            "there is no NVIDIA GPU that this process may use: look what `nvidia-smi` says and "
            f"what CUDA_VISIBLE_DEVICES is set to, {way_out}"
        )
    with device_errors():
        found = module.cuda.Device()
        capability = int(found.compute_capability[:-1]), int(found.compute_capability[-1])
    if capability < LEAST_CAPABILITY:
        have, need = (".".join(map(str, version)) for version in (capability, LEAST_CAPABILITY))
        raise DeviceError(
            f"the GPU has compute capability {have}, but CUDA 13 makes code for {need} (Turing, "
            f"2018) and later: use a newer GPU, {way_out}"
        )


class device_errors(ContextDecorator):  # noqa: N801
    """Raise errors of CUDA as DoesNotFit, with the way out ``fewer``, or as DeviceError.

    No generator, whose frame would be part of a circle with the error: the arrays that the error's
    frames hold would stay until Python looks for circles, and be missed by who tries again.
    """

    def __init__(self, fewer: str = "evaluate fewer points at a time") -> None:
        self._fewer = fewer

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        if not isinstance(error, Exception):
            return
        if not f"{type(error).__module__}.".startswith(REPORTERS):
            return
        if isinstance(error, MemoryError) or _named(error, OUT_OF_MEMORY):
            raise DoesNotFit(f"the GPU ran out of memory ({error}): {self._fewer}") from error
        raise DeviceError(
            f"the GPU failed ({error}): nothing was written, and this process may not be able to "
            "use the GPU again, so start a new one; if it fails there too, look what `nvidia-smi` "
            "says, or choose backend='numba'"
        ) from error


def _named(error: Exception, names: tuple[str, ...]) -> bool:
    """Whether CUDA's name of an error, with which its message begins, is one of ``names``."""
    return any(name in str(error) for name in names)


def free_bytes() -> int:
    """Bytes for arrays on the device: free memory and unused memory of CuPy's pool."""
    module = cupy()
    with device_errors():
        free, _ = module.cuda.runtime.memGetInfo()
        pooled = module.get_default_memory_pool().free_bytes()
    return int(free + pooled) * (SPARE - 1) // SPARE


def release() -> None:
    """Give what CuPy's pool holds unused back to the device, so that larger blocks fit."""
    cupy().get_default_memory_pool().free_all_blocks()
