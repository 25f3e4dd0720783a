"""What callers give on a GPU: arrays that are read in place, or converted there as NumPy would.

CuPy makes arrays over the memory of other libraries, by DLPack or by the CUDA array interface, so
that work on its current stream comes after theirs. Its own functions are compiled with
``-ftz=true``, where a subnormal float32 counts as 0: they neither convert nor compare floats here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from intervalvm.arguments import brief, reals
from intervalvm.arith.arrays import DTYPE_NAMES
from intervalvm.errors import ArgumentTypeError, IntervalvmError, OptionError
from intervalvm.gpu import device
from intervalvm.gpu.device import device_errors

ON_CUDA = (2, 13)
"""DLPack's types of devices: CUDA, and its managed memory."""


def in_place(name: str, value: Any) -> Any:
    """The CuPy array over the memory of an array on the current GPU; None for anything else.

    Raises OptionError for one that its library does not give away, or that cannot be read here.
    """
    module = device.cupy()
    try:
        with device_errors():
            array = _shared(module, value)
    except IntervalvmError:
        raise
    except Exception as error:  # of any library: BufferError, RuntimeError, TypeError, …
        raise OptionError(
            f"{name} is an array on a GPU that its library does not share ({error}): give one "
            "without gradients, as by .detach(), or a copy"
        ) from None
    if array is None:
        return None
    here = int(module.cuda.runtime.getDevice())
    if array.device.id != here:
        raise OptionError(
            f"{name} lies on GPU {array.device.id}, and the current one is GPU {here}: copy it, or "
            f"call inside `with cupy.cuda.Device({array.device.id}):`"
        )
    if any(number % array.itemsize for number in (array.data.ptr, *array.strides)):
        raise OptionError(f"{name} lies at an odd address: give a copy")
    return array


def _shared(module: Any, value: Any) -> Any:
    if isinstance(value, module.ndarray):
        return value
    # first, since it says what to wait for; the other says so in its third version only
    if hasattr(value, "__dlpack_device__") and value.__dlpack_device__()[0] in ON_CUDA:
        return module.from_dlpack(value)
    if hasattr(value, "__cuda_array_interface__"):
        return module.asarray(value)
    return None


def is_shared(value: Any) -> bool:
    """Whether it is an array that ``in_place`` made."""
    return isinstance(value, device.cupy().ndarray)


def of_host(name: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """``arguments.reals``, also of a tensor that its library does not give away: OptionError."""
    try:
        return reals(name, value, dtype)
    except IntervalvmError:
        raise
    except RuntimeError as error:  # of a tensor with gradients
        raise OptionError(f"{name} does not make an array: {error}") from None


def read(name: str, value: Any, dtype: np.dtype[Any]) -> Any:
    """An input as an array of the GPU, each number rounded to ``dtype``; in place if it fits.

    Raises what ``in_place`` and ``of_host`` do.
    """
    array = in_place(name, value)
    if array is None:
        with np.errstate(all="ignore"):
            host = of_host(name, value, dtype)
        with device_errors():
            # an array without dimensions is filled with its number, and loses the sign of a zero
            return device.cupy().asarray(np.ascontiguousarray(host)).reshape(host.shape)
    return converted(reals(name, array, array.dtype, device.cupy()), dtype)


def converted(array: Any, dtype: np.dtype[Any]) -> Any:
    """A CuPy array of real numbers, each rounded to ``dtype``; itself if it is of that dtype."""
    if array.dtype == dtype:
        return array
    with device_errors():
        if array.dtype not in DTYPE_NAMES:
            # integers, and float16, whose least numbers are no subnormal float32
            return array.astype(dtype)
        # what is of one dtype need not wait for numba
        from intervalvm.gpu import devices
        from intervalvm.gpu.kernels import Kernel
        from intervalvm.gpu.layout import THREADS

        kernel = Kernel("convert", dtype.name, tame=False, is_bitmap=False)
        out = device.cupy().empty(array.shape, dtype)
        if count := array.size:
            gpu = devices.current()
            gpu.load(kernel)
            source = device.cupy().ascontiguousarray(array)
            gpu.launch(kernel, -(-count // THREADS), THREADS, count, out, source)
        return out


def in_order(low: Any, high: Any) -> bool:
    """Whether ``low <= high`` in all of two arrays that broadcast, of one dtype. Waits for them."""
    from intervalvm.gpu.arrays import Clauses

    with device_errors():
        compared = Clauses(device.cupy(), low.dtype).run("compare", low, high)
        return bool((compared <= 0).all())  # -1, 0, 1 and NaN are no subnormal numbers


def broadcast(*arrays: Any) -> list[Any]:
    """Views of one shape."""
    module, shape = device.cupy(), np.broadcast_shapes(*(array.shape for array in arrays))
    return [module.broadcast_to(array, shape) for array in arrays]


def writable(out: Any) -> Any:
    """The CuPy array over ``out``, into which a result can be written.

    Raises ArgumentTypeError for what is no array on a GPU; OptionError as ``in_place`` does, for
    rows with gaps or in another order, and for read-only memory.
    """
    array = in_place("out", out)
    if array is None:
        raise ArgumentTypeError(f"out={brief(out)} is no array on a GPU: give one as by cupy.empty")
    if not array.flags.c_contiguous:
        raise OptionError("out has gaps or another order: give one as by cupy.empty")
    interface = getattr(out, "__cuda_array_interface__", None)
    if interface is not None and interface["data"][1]:
        raise OptionError("out is read-only: give one as by cupy.empty")
    return array


def on_host(array: Any) -> Any:
    """A CuPy array copied to the host; one of NumPy's is there."""
    if isinstance(array, np.ndarray):
        return array
    with device_errors():
        return array.get()
