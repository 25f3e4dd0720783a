"""What callers give on a GPU: read in place, and rounded as NumPy does. On a stand-in for CuPy.

Tests at the end, marked ``gpu``, run on a device and skip with the reason where there is none.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_array_equal
from support.cuda_simulator import run_simulated
from support.fake_cupy import Described, FakeArray, FakeDevice, Tensor, fake_cupy, install
from support.operations import DTYPES, bits

import intervalvm as ivm
from intervalvm import ArgumentTypeError, DeviceError, OptionError
from intervalvm.gpu import exchange

FLOATS = "float32", "float64", "float16"
KINDS = [*FLOATS, "bool", "int8", "uint8", "int16", "int32", "uint32", "int64", "uint64"]
SUBNORMAL = np.array([1e-40, -1e-40, 1e-45, 3e-39, 0.0, -0.0])
X = ivm.parse("x var-x")


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeDevice:
    found = FakeDevice()
    install(monkeypatch, found)
    return found


def test_the_stand_in_takes_subnormal_numbers_for_0(fake: FakeDevice) -> None:
    """As CuPy compiles its functions; what copies keeps them."""
    module = fake_cupy(fake)
    small = module.array(SUBNORMAL.astype(np.float32))
    assert_array_equal(small.get(), SUBNORMAL.astype(np.float32))
    assert not small.astype(np.float64).get().any()
    assert not module.array(SUBNORMAL).astype(np.float32).get().any()
    assert not (small < 0.0).any()
    assert not (small + small).get().any()
    assert not np.signbit(module.array(np.float32(-0.0)).get())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), kind=st.sampled_from(KINDS), dtype=st.sampled_from(DTYPES))
def test_numbers_are_rounded_as_numpy_rounds_them(
    fake: FakeDevice, data: st.DataObject, kind: str, dtype: str
) -> None:
    """Also between float32 and float64, where CuPy would make 0 of subnormal numbers."""
    given = data.draw(arrays(kind, st.sampled_from([(), (3,), (0,), (2, 3)])))
    if given.ndim == 2 and data.draw(st.booleans()):
        given = given.T
    with np.errstate(all="ignore"):
        expected = given.astype(dtype)
    for array in (FakeArray(fake, given), given):
        found = exchange.read("x", array, np.dtype(dtype))
        assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
        assert_array_equal(bits(found.get()), bits(expected))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("kind", ["float32", "float64"])
def test_evaluate_reads_subnormal_numbers_of_any_dtype(
    fake: FakeDevice, kind: str, dtype: str
) -> None:
    values = SUBNORMAL.astype(kind)
    found = ivm.evaluate(X, FakeArray(fake, values), 0, backend="cupy", dtype=dtype)
    assert_array_equal(bits(found.get()), bits(ivm.evaluate(X, values, 0, dtype=dtype)))


def test_a_number_keeps_the_sign_of_its_zero(fake: FakeDevice) -> None:
    for number in (-0.0, np.float32(-0.0), np.array(-0.0)):
        assert np.signbit(ivm.evaluate(X, number, 0, backend="cupy").get())


def test_an_array_of_the_dtype_is_read_in_place(fake: FakeDevice) -> None:
    array = FakeArray(fake, np.arange(6, dtype=np.float32).reshape(2, 3))
    tensor = Tensor(array)
    others = tensor, Tensor(array, on=(13, 0)), Described(array), array
    copies, dtype = fake.kernels, np.dtype(np.float32)
    for other in others:
        found = exchange.read("x", other, dtype)
        assert np.shares_memory(found.values, array.values)
        assert found.shape == (2, 3)
    assert fake.kernels == copies
    assert tensor.streams == [1], "the current stream waits for what has been asked of its own"
    assert_array_equal(exchange.read("x", Tensor(array), np.dtype(np.float64)).get(), array.get())


def test_what_lies_on_the_host_is_copied(fake: FakeDevice) -> None:
    class OnHost(Tensor):
        def __array__(self, *_: Any, **__: Any) -> Any:
            return self.array.values

    tensor = OnHost(FakeArray(fake, np.ones(3, np.float32)), on=(1, 0))
    tensor.__class__.__cuda_array_interface__ = property()  # type: ignore[assignment]
    for values in (tensor, [1, 1, 1], np.ones(3)):
        assert exchange.in_place("x", values) is None
        assert_array_equal(exchange.read("x", values, np.dtype(np.float32)).get(), [1, 1, 1])


def other_gpu(_: FakeDevice) -> Any:
    found = FakeDevice()
    found.id = 1
    return FakeArray(found, np.ones(3, np.float32))


def odd(fake: FakeDevice) -> Any:
    return FakeArray(fake, np.zeros(13, np.uint8)[1:].view(np.float32))


def with_gradients(fake: FakeDevice) -> Any:
    return Tensor(FakeArray(fake, np.ones(3, np.float32)), grad=True)


class OnTheHost:
    """A tensor with gradients, as PyTorch's."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach()")


READ: list[Any] = [
    (other_gpu, OptionError, r"x lies on GPU 1, and the current one is GPU 0: .*cuda.Device\(1\)"),
    (with_gradients, OptionError, r"x is an array on a GPU .*Can't export.*as by \.detach\(\)"),
    (odd, OptionError, "x lies at an odd address"),
    (lambda _: OnTheHost(), OptionError, r"x does not make an array: .*tensor\.detach\(\)"),
    (
        lambda fake: FakeArray(fake, np.ones(3, complex)),
        ArgumentTypeError,
        "x is of dtype 'complex",
    ),
    (lambda _: "text", ArgumentTypeError, "x is of dtype"),
]


@pytest.mark.parametrize(("make", "error", "words"), READ)
def test_what_cannot_be_read_is_said(
    fake: FakeDevice, make: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        ivm.evaluate(X, make(fake), 0, backend="cupy")


def test_a_device_that_is_lost_is_not_the_array_s_fault(fake: FakeDevice) -> None:
    class Lost(Tensor):
        def __dlpack__(self, *, stream: int) -> FakeArray:
            fake.lost_after = 0
            fake.answer()
            raise AssertionError

    with pytest.raises(DeviceError, match="the GPU failed"):
        exchange.in_place("x", Lost(FakeArray(fake, np.ones(3, np.float32))))


ZEROS = np.zeros(3, np.float32)
WRITTEN: list[Any] = [
    (lambda _: ZEROS, ArgumentTypeError, "is no array on a GPU: give one as by cupy.empty"),
    (lambda fake: FakeArray(fake, np.zeros(6))[::2], OptionError, "has gaps or another order"),
    (
        lambda fake: Described(FakeArray(fake, ZEROS), read_only=True),
        OptionError,
        "out is read-only",
    ),
    (with_gradients, OptionError, "as by .detach"),
]


@pytest.mark.parametrize(("make", "error", "words"), WRITTEN)
def test_what_cannot_be_written_to_is_said(
    fake: FakeDevice, make: Any, error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        exchange.writable(make(fake))


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (SUBNORMAL, SUBNORMAL, True),
        (SUBNORMAL, -abs(SUBNORMAL), False),
        (-1e-40, 1e-40, True),
        (1e-40, -1e-40, False),
        (np.array([[0.0], [1.0]]), np.array([1.0, 2.0]), True),
        (np.array([[0.0], [1.5]]), np.array([1.0, 2.0]), False),
        (np.nan, 1.0, False),
        (-np.inf, np.inf, True),
        (np.zeros(0), np.zeros(0), True),
    ],
)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_order_of_ends_counts_subnormal_numbers(
    fake: FakeDevice, low: Any, high: Any, expected: bool, dtype: str
) -> None:
    ends = (FakeArray(fake, np.asarray(end, dtype)) for end in (low, high))
    assert exchange.in_order(*ends) is expected


def test_evaluators_as_callers_see_them() -> None:
    run_simulated("exchange")


# --- on a device ----------------------------------------------------------------------------------

BUMPS = ivm.parse(
    "x var-x\ny var-y\na mul x x\nb mul y y\nc add a b\nk const 0.5\nd sub c k\ne sin x\nf min d e"
)


def points(count: int, dtype: str) -> Any:
    """Also subnormal numbers of float32, and zeros of both signs."""
    random = np.random.default_rng(1).normal(size=(2, count))
    random[:, : SUBNORMAL.size] = SUBNORMAL
    return random.astype(dtype)


def of_another_library(array: Any) -> Any:
    """The same memory, by DLPack alone."""

    class Shared:
        __dlpack__, __dlpack_device__ = array.__dlpack__, array.__dlpack_device__

    return Shared()


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
@pytest.mark.parametrize("kind", FLOATS)
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("size", [20, 5000, 1_000_000])
def test_an_evaluator_has_the_bits_of_numpy(kind: str, dtype: str, size: int) -> None:
    import cupy

    x, y = points(size, kind)
    on_gpu = ivm.Evaluator(BUMPS, dtype=dtype, backend="cuda")
    expected = ivm.Evaluator(BUMPS, dtype=dtype)
    given = cupy.asarray(x), of_another_library(cupy.asarray(y))
    assert_array_equal(bits(on_gpu.values(*given).get()), bits(expected.values(x, y)))
    assert_array_equal(bits(on_gpu.values(x, -0.0).get()), bits(expected.values(x, -0.0)))
    out = cupy.empty((3, size), dtype)
    assert on_gpu.gradients(*given, out=out) is out
    assert_array_equal(bits(out.get()), bits(expected.gradients(x, y)))
    sides = (x, x + x.dtype.type(0.25)), (y, y)
    found = on_gpu.bounds(*(tuple(map(cupy.asarray, side)) for side in sides))
    same = expected.bounds(*sides)
    assert_array_equal(found.lower.get(), same.lower)
    assert_array_equal(found.upper.get(), same.upper)
    assert_array_equal(found.maybe_nan.get(), same.maybe_nan)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
def test_the_order_of_ends_on_a_device() -> None:
    import cupy

    low = cupy.asarray(np.float32([1e-40, -1e-40]))
    ready = ivm.Evaluator(BUMPS, backend="cuda")
    with pytest.raises(OptionError, match="the lower one first"):
        ready.bounds((low, low[::-1]), 0)
    assert ready.bounds((low, low), 0).lower.shape == (2,)


@pytest.mark.gpu
@pytest.mark.usefixtures("gpu")
def test_tensors_of_pytorch() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    x, y = torch.rand(2, 1000, device="cuda")
    ready = ivm.Evaluator(BUMPS, backend="cuda")
    expected = ivm.evaluate(BUMPS, x.cpu().numpy(), y.cpu().numpy())
    assert_array_equal(torch.from_dlpack(ready.values(x, y)).cpu().numpy(), expected)
    out = torch.empty(1000, device="cuda")
    assert ready.values(x, y, out=out) is out
    assert_array_equal(out.cpu().numpy(), expected)
    with pytest.raises(OptionError, match=r"\.detach\(\)"):
        ready.values(x.requires_grad_(), y)
