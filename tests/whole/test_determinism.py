"""The same input gives the same bytes, for any number of threads, chunks, order and process."""

from __future__ import annotations

import hashlib
import io
import os
import subprocess
import sys
from typing import Any

import pytest
from numpy.testing import assert_array_equal
from support.places import TESTS, TOP

import intervalvm as ivm
from intervalvm.jit import plan, walk
from intervalvm.raster.formats import FORMATS

PROSPERO = TOP / "prospero.vm"
WAVES = """
x var-x
y var-y
k const 7.5
a mul x k
b floor a
c sub a b
d mul c c
e sub d y
f mix b y
g rand f
h min e g
i max h x
t const 0.3
v sub i t
"""


def tapes() -> dict[str, ivm.Tape]:
    return {"waves": ivm.parse(WAVES), "prospero": ivm.load(PROSPERO)}


def files(tape: ivm.Tape, mode: str, **options: Any) -> dict[str, str]:
    """A digest of the bytes of each format."""
    image = ivm.render(tape, size=(150, 131), mode=mode, **options)
    found = {}
    for name in FORMATS:
        stream = io.BytesIO()
        image.write(stream, name)
        found[name] = hashlib.sha256(stream.getvalue()).hexdigest()
    return found


@pytest.mark.parametrize("mode", ["bitmap", "value"])
@pytest.mark.parametrize("name", ["waves", "prospero"])
def test_threads_and_steps_change_no_byte_of_any_format(
    name: str, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = files(tapes()[name], mode, threads=1)
    for threads in (2, 3, 8):
        assert files(tapes()[name], mode, threads=threads) == expected
    for budget in (1, 1000):
        monkeypatch.setattr(walk, "BUDGET", budget)
        assert files(tapes()[name], mode, threads=2) == expected
    monkeypatch.setattr(plan, "MOST_ARENA", 1)
    assert files(tapes()[name], mode, threads=2) == expected


def test_bands_of_the_dense_engine_change_no_byte() -> None:
    tape = tapes()["waves"]
    expected = files(tape, "value", engine="dense")
    for budget in (200_000, 150_000):  # the image itself takes 78,600
        assert files(tape, "value", engine="dense", max_memory=budget) == expected


def test_what_was_drawn_before_changes_no_byte() -> None:
    regions = [ivm.Region.around((0.1 * i, 0.05 * i), 0.5**i) for i in range(6)]
    renderer, tape = ivm.Renderer(ivm.load(PROSPERO), size=100), ivm.load(PROSPERO)
    forth = [renderer.render(region=region).pixels for region in regions]
    back = [renderer.render(region=region).pixels for region in reversed(regions)]
    alone = [ivm.render(tape, size=100, region=region).pixels for region in regions]
    assert_array_equal(forth, back[::-1])
    assert_array_equal(forth, alone)


EVERYTHING = """
import hashlib, sys, numpy as np, intervalvm as ivm
sys.path[:0] = [sys.argv[1], sys.argv[1] + "/whole"]
from test_determinism import PROSPERO, files, tapes
from intervalvm.compiler.pipeline import prepared
from intervalvm.evaluate.arithmetic import Floats
x, y, z = ivm.axes()
a, b = ivm.var("radius", 0.5), ivm.var("angle", 0.25)
shape = ivm.minimum(x * a + y * b, ivm.sqrt(x * x + y * y) - a).tape()
texts = [str(shape), str(ivm.fold(shape, "fast"))]
floats = Floats(np.dtype("float32"))
texts.append(str(prepared(tapes()["prospero"], floats).tape()))
for keep in ("value", "sign"):
    for dtype in (None, "float32"):
        box = {"x": (0, 0.25), "y": (0, 0.25), "keep": keep, "dtype": dtype}
        texts.append(str(ivm.simplify(tapes()["prospero"], **box)))
print(hashlib.sha256("".join(texts).encode()).hexdigest())
for name, tape in tapes().items():
    print(sorted(files(tape, "bitmap", threads=int(sys.argv[2])).items()))
"""


def test_two_processes_make_the_same_bytes() -> None:
    """Sets of strings are in another order in each; the number of threads differs too."""
    said = [
        subprocess.run(
            [sys.executable, "-c", EVERYTHING, str(TESTS), threads],
            capture_output=True,
            text=True,
            check=True,
            env=os.environ | {"PYTHONPATH": str(TOP), "PYTHONHASHSEED": seed},
        ).stdout
        for seed, threads in (("1", "1"), ("4242", "3"))
    ]
    assert said[0] == said[1]
    assert said[0].count("\n") == 3
