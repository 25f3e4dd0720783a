"""An operation is one row in one file: a copy of the package with one more has it everywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

import intervalvm
from intervalvm.arith.directed import Function
from intervalvm.ops import OPS
from intervalvm.ops.row import Choice, Names, Op, Slope

ROW = '''

def log2(xp: Any, a: Any) -> Any:
    """By the natural logarithm, divided in double length."""
    y = elementary.ln(xp, a)
    total, low = elementary._product(xp, y, xp.copysign(1.4426950408889634, xp.abs(y)))
    return xp.where(xp.abs(y) < xp.inf, total + (low + y * 2.0355273740931033e-17), y)


ROWS = (
    *ROWS,
    _monotone(
        "log2", "the logarithm to base 2", "-inf at 0, NaN below",
        _function(
            log2, "log(a, 2)", bend=0, error=1.85, worst=(1.644, 1.401843074485137),
            known={1.0: (0.0, 0.0), 0.0: (-math.inf, 0.0), math.inf: (math.inf, 0.0)},
        ),
        lambda xp, value, a: 1.4426950408889634 / a,
        domain=POSITIVE, falls=False, least=None, most=None, fixed=None,
        values=Values.ANY, names=Names(("log2",), None, "log2", None, None),
    ),
)
'''
USES = r"""
import math
from fractions import Fraction

import numpy as np
import pytest

import intervalvm as ivm
from intervalvm.compiler.demand import PUSHDOWN
from intervalvm.formats.write import text_of
from intervalvm.ops import OPS

x, y, _ = ivm.axes()
shape = np.log2(x) + y
tape = shape.tape()

# text, expressions, printers, dialects
assert ivm.parse(str(tape)) == tape
assert str(shape) == "log2(x) + y"
assert eval(str(shape), {**vars(ivm), "x": x, "y": y}).tape() == tape
assert ivm.expression(tape).tape() == tape
assert "log2" in ivm.__all__ and ivm.log2(x).tape() == np.log2(x).tape()
assert 'label="log2"' in tape.to_dot()
with pytest.raises(ivm.OptionError, match="no operation 'log2'"):
    text_of(tape, "fidget")

# values and derivatives
points = np.array([0.5, 3.0, 1e30, 0.0, -1.0, np.inf])
values = ivm.evaluate(ivm.log2(x), points, 0.0, dtype="float64")
np.testing.assert_allclose(values[:3], [-1, math.log2(3), math.log2(1e30)], rtol=1e-15)
np.testing.assert_array_equal(values[3:], [-np.inf, np.nan, np.inf])
np.testing.assert_allclose(ivm.grad(ivm.log2(x), 3.0, 0.0, dtype="float64").dx, 1 / 3 / math.log(2))

# bounds of floats, and of the real function: where it is undefined is said by both number systems
box = ivm.interval(ivm.log2(x), x=(0.5, 8), y=0, dtype="float64")
assert box.lower <= -1 and 3 <= box.upper < 3.001 and not box.maybe_nan
box = ivm.interval(ivm.log2(x), x=(-1, 8), y=0, dtype="float64", decoration=True)
assert box.lower == -math.inf and 3 <= box.upper < 3.001 and str(box.decoration) == "trv"
assert str(ivm.interval(ivm.log2(x), x=(1, 8), y=0, decoration=True).decoration) == "com"
whole = ivm.interval(ivm.maximum(ivm.log2(x), y), x=(8, 9), y=(0, 1), decoration=True)
assert 2.999 < whole.lower <= 3

# pictures and proofs by both engines
disc = ivm.maximum(ivm.log2(x * x + y * y + 0.25), -x - y)
dense, quick = (ivm.render(disc, size=64, engine=e) for e in ("dense", "pruned"))
np.testing.assert_array_equal(dense.pixels, quick.pixels)
assert 0 < (quick.pixels == 255).sum() < quick.pixels.size
undefined = ivm.log2(x) - 9
for options in ({"engine": "dense"}, {"backend": "numpy"}, {"backend": "numba"}):
    proof = ivm.prove(undefined, resolution=16, dtype="float32", **options)
    inside = np.argwhere(proof.image.pixels == 255)
    assert len(inside) and (inside[:, 1] >= 8).all(), "nothing is inside where it is undefined"
assert set(PUSHDOWN) >= {op.demand for op in OPS.values()}
print("all of it")
"""


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a package that has the row."""
    place = tmp_path_factory.mktemp("added")
    source = Path(intervalvm.__file__).parent
    shutil.copytree(source, place / "intervalvm", ignore=shutil.ignore_patterns("__pycache__"))
    with (place / "intervalvm" / "ops" / "functions.py").open("a", encoding="utf-8") as file:
        file.write(ROW)
    return place


def test_one_row_is_known_to_every_evaluator_printer_and_dialect(copy: Path) -> None:
    settings = {"PYTHONPATH": str(copy), "XDG_CACHE_HOME": str(copy / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", USES],
        cwd=copy,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "all of it\n", done.stderr


@pytest.mark.parametrize(
    "whole",
    [OPS["min"], OPS["min"].choice, OPS["min"].slope, OPS["min"].names, OPS["exp"].function],
    ids=lambda whole: type(whole).__name__,
)
def test_a_row_that_lacks_a_field_is_refused(whole: Op | Choice | Slope | Names | Function) -> None:
    given: dict[str, Any] = {field.name: getattr(whole, field.name) for field in fields(whole)}
    assert type(whole)(**given) == whole
    for name in given:
        with pytest.raises(TypeError, match=f"'{name}'"):
            type(whole)(**{key: value for key, value in given.items() if key != name})
