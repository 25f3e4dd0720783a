"""How near the functions are: ``python -m bench.functions [--stride N] [NAME...]``.

Each function of one argument is evaluated at every float32 by the compiled code, and its result, as
a float32, is held to the correctly rounded one. That is float64 libm's, rounded, but where libm's
own error could matter, or the two differ: there mpmath decides. With ``--stride 16`` every 16th bit
pattern is tried. The error of the float64 result is measured against mpmath at a sample.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import mpmath
import numpy as np
from numba import njit, types
from numba.extending import intrinsic

from bench.page import table
from intervalvm import functions
from intervalvm.evaluate.arrays import Arrays
from intervalvm.evaluate.lanes import CHUNK, I64, POINTER, vector_loop

BLOCK, PORTION, PATTERNS = 1 << 12, 1 << 20, 1 << 32
SAMPLE = 20_000
LIBM: dict[str, Callable[..., float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "asin": math.asin,
    "acos": math.acos,
    "atan": math.atan,
    "exp": math.exp,
    "ln": math.log,
}
MARGIN = 2.0**-50
"""Four units in the last place of libm's result at least, where glibc states one at most."""


@dataclass(frozen=True)
class Found:
    """Of one function: inputs tried, left to mpmath, wrongly rounded, off by more than one ulp."""

    name: str
    inputs: int
    decided: int
    wrong: int
    far: int
    seconds: float


def measure(name: str, stride: int) -> Found:
    """Over every ``stride``-th bit pattern of a float32."""
    kernel, suspects = _kernel(name), np.empty(PORTION, np.uint32)
    started, decided, wrong, far = time.perf_counter(), 0, 0, 0
    for first in range(0, PATTERNS, PORTION * stride):
        n = kernel(first, stride, suspects)
        off = [distance(name, float(x)) for x in suspects[:n].view(np.float32)]
        decided, wrong, far = (
            decided + n,
            wrong + sum(map(bool, off)),
            far + sum(d > 1 for d in off),
        )
    return Found(name, PATTERNS // stride, decided, wrong, far, time.perf_counter() - started)


def _kernel(name: str) -> Any:
    """kernel(first, stride, suspects): the bit patterns, of ``PORTION``, that mpmath must judge."""
    libm, apply = LIBM[name], intrinsic(_applying(getattr(functions, name)))

    def run(first: Any, stride: Any, suspects: Any) -> Any:
        patterns, values = np.empty(BLOCK, np.uint32), np.empty(BLOCK, np.float64)
        found = 0
        for start in range(0, PORTION, BLOCK):
            for i in range(BLOCK):
                patterns[i] = first + (start + i) * stride
            inputs = patterns.view(np.float32)
            for i in range(BLOCK):
                values[i] = inputs[i]
            apply(values.ctypes.data, BLOCK // CHUNK)
            for i in range(BLOCK):
                right, mine = libm(np.float64(inputs[i])), np.float32(values[i])
                if np.isnan(right) and np.isnan(mine):
                    continue
                margin = abs(right) * MARGIN if abs(right) < np.inf else 0.0
                below, above = np.float32(right - margin), np.float32(right + margin)
                if below != mine or above != mine:
                    suspects[found] = patterns[i]
                    found += 1
        return found

    return njit(error_model="numpy")(run)


def _applying(function: Any) -> Any:
    """A numba intrinsic: ``function`` of chunks of float64 in memory, as the lanes compile it."""

    def apply(typingctx: Any, address: Any, chunks: Any) -> Any:
        def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            loop = vector_loop(builder.module, function, 1, 1, CHUNK)
            builder.call(loop, [builder.inttoptr(args[0], POINTER), builder.zext(args[1], I64)])
            return context.get_dummy_value()

        return types.void(types.uint64, types.int64), codegen

    return apply


def real(name: str, *operands: float) -> Any:
    """The value at finite numbers in 200 bits; None outside the domain, or where it is infinite."""
    with mpmath.workprec(200):
        if (name == "ln" and operands[0] <= 0) or (
            name in ("asin", "acos") and abs(operands[0]) > 1
        ):
            return None
        return getattr(mpmath, name)(*map(mpmath.mpf, operands))


def evaluate(name: str, *operands: Any) -> Any:
    """The float64 results, by NumPy: the compiled code gives the same bits."""
    with np.errstate(all="ignore"):
        return Arrays(np, np.dtype(np.float64)).call(getattr(functions, name), *operands)


def distance(name: str, x: float) -> int:
    """How many float32 the result at a float32 is from the one nearest to the value."""
    value = real(name, x)
    result = _narrow(evaluate(name, x))
    if value is None:
        return 0 if _narrow(LIBM[name](x)) == result else PATTERNS
    guess = _order(_narrow(float(value)))
    right = min(range(guess - 1, guess + 2), key=lambda order: abs(_at(order) - value))
    return PATTERNS if np.isnan(result) else abs(_order(result) - right)


def _narrow(value: Any) -> Any:
    with np.errstate(all="ignore"):
        return np.float32(value)


def _order(single: Any) -> int:
    """The place of a float32 among all; both zeros are at 0."""
    bits = int(np.float32(single).view(np.int32))
    return bits if bits >= 0 else -(bits & 0x7FFFFFFF)


def _at(order: int) -> Any:
    """The float32 at a place; infinity counts as the power of two that would come there."""
    if abs(order) == 0x7F800000:
        return mpmath.sign(order) * mpmath.mpf(2) ** 128
    return mpmath.sign(order) * mpmath.mpf(float(np.uint32(abs(order)).view(np.float32)))


# --- the float64 results --------------------------------------------------------------------------


def samples(name: str) -> list[tuple[Any, ...]]:
    """Operands: where a function is used, over the whole range, and where its reduction is hard."""
    rng, n = np.random.default_rng(2), SAMPLE
    anything = rng.integers(0, 1 << 64, (2, n), np.uint64).view(np.float64)
    anything[~np.isfinite(anything)] = 1.0
    if name == "atan2":
        near, wide = rng.normal(0, 1, (2, n)), np.exp(rng.uniform(-745, 709, (2, n)))
        return [tuple(near), tuple(anything), tuple(wide), (wide[0], wide[0] * near[1])]
    ranges: dict[str, list[Any]] = {
        "exp": [rng.uniform(-1, 1, n), rng.uniform(-745, 709, n), -np.exp(rng.uniform(-50, 0, n))],
        "ln": [rng.uniform(0.5, 2, n), rng.uniform(0.7, 0.72, n), 1 + rng.normal(0, 1e-6, n)],
        "asin": [rng.uniform(-1, 1, n), 1 - np.exp(rng.uniform(-36, 0, n))],
        "atan": [rng.uniform(-3, 3, n), np.exp(rng.normal(0, 3, n))],
        "sin": [
            rng.uniform(-4, 4, n),
            rng.uniform(-functions.FAR, functions.FAR, n),
            rng.integers(-20_000, 20_000, n) * (math.pi / 2),
            np.exp(rng.uniform(0, 709, n)),
        ],
    }
    ranges["acos"] = ranges["asin"]
    ranges["cos"] = ranges["tan"] = ranges["sin"]
    return [(x,) for x in (*ranges[name], np.abs(anything[0]) if name == "ln" else anything[0])]


def worst_ulps(name: str) -> tuple[float, int]:
    """The greatest error at the samples, in units in the last place; how many they are."""
    worst, count = 0.0, 0
    for operands in samples(name):
        results = evaluate(name, *operands).tolist()
        for result, *row in zip(results, *(o.tolist() for o in operands), strict=True):
            value = real(name, *row)
            if value is None or abs(value) > sys.float_info.max:
                continue
            unit = math.ulp(float(value))
            worst, count = max(worst, float(abs(result - value) / unit)), count + 1
    return worst, count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=[*LIBM, "atan2"])
    parser.add_argument("--stride", type=int, default=1, help="a power of two")
    chosen = parser.parse_args()
    rows: list[tuple[str, ...]] = []
    for name in chosen.names:
        worst, count = worst_ulps(name)
        row: tuple[str, ...] = (name, f"{worst:.3f}", f"{count:,}")
        if name in LIBM:
            found = measure(name, chosen.stride)
            counts = (found.inputs, found.decided, found.wrong, found.far)
            row += (*(f"{number:,}" for number in counts), f"{found.seconds:.0f} s")
        print(*row, flush=True)
        rows.append(row + ("",) * (8 - len(row)))
    head = ("function", "worst error in float64, ulp", "sample", "float32 inputs")
    print(table((*head, "left to mpmath", "wrongly rounded", "by more than one ulp", "time"), rows))


if __name__ == "__main__":
    main()
