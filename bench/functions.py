"""How near the functions are to the real ones.

Each function of one argument is evaluated at every float32 by the compiled code, and its result, as
a float32, is held to the correctly rounded one. That is float64 libm's, rounded, but where libm's
own error could matter, or the two differ: there mpmath decides. With ``--stride 16`` every 16th bit
pattern is tried.

The worst error in float64 is searched for: from the worst of many samples, where the function is
used, over the whole range and where its reduction is hard, on to worse ones beside them, near and
far. An 80-bit reference leads the search, where NumPy has one; mpmath says how far off what was
found is. ``--no-patterns`` does this alone.

A function may have a shorter way for float32: its value, as a float32, is held to that of the
float64 at every float32.
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
from intervalvm.arith import elementary
from intervalvm.arith.arrays import Arrays
from intervalvm.jit.lanes import CHUNK, I64, POINTER, vector_loop
from intervalvm.ops import ROWS

BLOCK, PORTION, PATTERNS = 1 << 12, 1 << 20, 1 << 32
SAMPLE, KEPT, BESIDE, ROUNDS, STARTS = 200_000, 48, 2000, 60, 12
"""Samples of each kind; of these the worst, from which to go on; places tried beside each of them
in a round; rounds; and how often all of that is done."""
FUNCTIONS = {op.name: op.function for op in ROWS if op.function is not None}
LIBM: dict[str, Callable[..., float]] = {
    op.name: getattr(math, word)
    for op in ROWS
    for word in (op.name, *op.names.python)
    if op.name in FUNCTIONS and op.arity == 1 and hasattr(math, word)
}
FAST = {op.name: getattr(np, op.names.numpy) for op in ROWS if op.function and op.names.numpy}
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
    libm, apply = LIBM[name], intrinsic(_applying(FUNCTIONS[name].compute))

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


def differing(name: str, stride: int) -> int:
    """At how many bit patterns the shorter way for float32 has another value as a float32."""
    function = FUNCTIONS[name]
    in_full, in_short = (intrinsic(_applying(f)) for f in (function.compute, function.single))

    @njit(error_model="numpy")
    def run(first: Any, stride: Any) -> Any:
        patterns, values = np.empty(BLOCK, np.uint32), np.empty((2, BLOCK), np.float64)
        found = 0
        for start in range(0, PORTION, BLOCK):
            for i in range(BLOCK):
                patterns[i] = first + (start + i) * stride
            inputs = patterns.view(np.float32)
            for i in range(BLOCK):
                values[0, i] = values[1, i] = inputs[i]
            in_full(values[0].ctypes.data, BLOCK // CHUNK)
            in_short(values[1].ctypes.data, BLOCK // CHUNK)
            for i in range(BLOCK):
                a, b = np.float32(values[0, i]), np.float32(values[1, i])
                found += not (a == b or (np.isnan(a) and np.isnan(b)))
        return found

    return sum(run(first, stride) for first in range(0, PATTERNS, PORTION * stride))


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
        numbers = dict(zip("ab", map(mpmath.mpf, operands), strict=False))
        try:
            value = eval(FUNCTIONS[name].formula, vars(mpmath), numbers)
        except (ValueError, ZeroDivisionError):
            return None
        return value if isinstance(value, mpmath.mpf) and mpmath.isfinite(value) else None


def evaluate(name: str, *operands: Any) -> Any:
    """The float64 results, by NumPy: the compiled code gives the same bits."""
    with np.errstate(all="ignore"):
        return Arrays(np, np.dtype(np.float64)).call(FUNCTIONS[name].compute, *operands)


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


def samples(name: str, rng: np.random.Generator) -> list[Any]:
    """Arrays of operands [arity, SAMPLE]: where a function is used, over the whole range, where its
    reduction is hard, and about where that or the sides of a polynomial change."""
    n = SAMPLE
    anything = rng.integers(0, 1 << 64, (2, n), np.uint64).view(np.float64)
    anything[~np.isfinite(anything)] = 1.0

    def about(*places: float) -> Any:
        return rng.choice(places, n) * (1 + rng.normal(0, 2e-3, n))

    if name == "atan2":
        near, wide = rng.normal(0, 1, (2, n)), np.exp(rng.uniform(-745, 709, (2, n)))
        large = np.clip(wide[0], 1e-300, 1e300)
        beside = large * [about(1 / 3, 1, 3), np.ones(n)]
        return [near, anything, wide, np.array([large, large * near[1]]), beside]
    ranges: dict[str, list[Any]] = {
        "exp": [
            rng.uniform(-1, 1, n),
            rng.uniform(-745, 709, n),
            -np.exp(rng.uniform(-50, 0, n)),
            about(*((np.arange(-4, 4) + 0.5) * math.log(2))),
        ],
        "ln": [
            rng.uniform(0.5, 2, n),
            1 + rng.normal(0, 1e-6, n),
            about(0.5**0.5) * 2.0 ** rng.integers(-3, 4, n),
            np.abs(anything[0]),
        ],
        "asin": [
            rng.uniform(-1, 1, n),
            1 - np.exp(rng.uniform(-36, 0, n)),
            about(*np.sin(np.arctan([1 / 3, 1, 3]))),
        ],
        "atan": [rng.uniform(-3, 3, n), np.exp(rng.normal(0, 3, n)), about(1 / 3, 1, 3)],
        "sin": [
            rng.uniform(-4, 4, n),
            rng.uniform(-elementary.FAR, elementary.FAR, n),
            rng.integers(-20_000, 20_000, n) * (math.pi / 2),
            np.exp(rng.uniform(0, 709, n)),
            about(*(np.arange(-9, 10, 2) * (math.pi / 4))),
        ],
    }
    ranges["acos"] = ranges["asin"]
    ranges["cos"] = ranges["tan"] = ranges["sin"]
    used = ranges[name] if name in ranges else [rng.normal(0, 3, n), np.exp(rng.normal(0, 9, n))]
    every = [anything[0]] if name != "ln" else []
    return [row[None] for row in used + every]


def worst(name: str, starts: int = STARTS, rounds: int = ROUNDS) -> tuple[float, list[float]]:
    """The greatest error found, in units in the last place, and where it is."""
    found = [row for seed in range(starts) for row in _climbed(name, seed, rounds).T.tolist()]
    return max((error(name, *row), row) for row in found)


def _climbed(name: str, seed: int, rounds: int) -> Any:
    """Operands [arity, KEPT] with great errors: the worst samples, then what is worse beside."""
    rng = np.random.default_rng(seed)
    best = _worst_of(name, np.concatenate(samples(name, rng), axis=1))
    size = (len(best), KEPT, BESIDE)
    for _ in range(rounds):
        # roundings are as good as random: it is the neighbourhoods that are better or worse
        away = 2.0 ** rng.uniform(-52, -5, size) * rng.uniform(-1, 1, size)
        with np.errstate(over="ignore"):
            tried = best[:, :, None] * (1 + away)
        best = _worst_of(name, np.concatenate([best, tried.reshape(len(best), -1)], axis=1))
    return best


def _worst_of(name: str, operands: Any) -> Any:
    """The KEPT columns of operands with the greatest errors, as a fast reference has them."""
    wide = operands.astype(np.longdouble)
    with np.errstate(all="ignore"):
        value = FAST[name](*wide)
        unit = np.spacing(np.abs(value.astype(np.float64)))
        off = np.abs(evaluate(name, *operands) - value) / unit
    off[~np.isfinite(off) | (np.abs(value) > sys.float_info.max)] = 0
    return operands[:, np.argpartition(off, -KEPT)[-KEPT:]]


def error(name: str, *operands: float) -> float:
    """Of the float64 result, in units in the last place of the real value; 0 where it has none."""
    value = real(name, *operands)
    if value is None or abs(value) > sys.float_info.max:
        return 0.0
    result = float(evaluate(name, *map(np.float64, operands)))
    return float(abs(result - value) / math.ulp(float(value)))


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench functions", description=__doc__)
    parser.add_argument("--no-patterns", action="store_true", help="only the worst float64")
    parser.add_argument("names", nargs="*", default=[*FUNCTIONS])
    parser.add_argument("--stride", type=int, default=1, help="a power of two")
    chosen = parser.parse_args(words)
    farthest, patterns = [], []
    for name in chosen.names:
        most, place = worst(name)
        # rounded up
        row = (f"`{name}`", f"{math.ceil(most * 1000) / 1000:.3f}", ", ".join(map(repr, place)))
        print(*row, flush=True)
        farthest.append(row)
    print(table(("function", "worst error found, ulp", "at"), farthest))
    for name in [] if chosen.no_patterns else [name for name in chosen.names if name in LIBM]:
        found = measure(name, chosen.stride)
        counts = (found.inputs, found.decided, found.wrong, found.far)
        pattern = (f"`{name}`", *(f"{n:,}" for n in counts), f"{found.seconds:.0f} s")
        print(*pattern, flush=True)
        patterns.append(pattern)
        if FUNCTIONS[name].single is not None:
            print(f"`{name}` in short: {differing(name, chosen.stride):,} others", flush=True)
    head = (
        "function",
        "float32 inputs",
        "left to mpmath",
        "wrongly rounded",
        "by more than one ulp",
    )
    if patterns:
        print(table((*head, "time"), patterns))
    return 0
