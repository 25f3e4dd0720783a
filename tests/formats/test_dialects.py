"""Text for other programs, graphs, and what a notebook shows."""

from __future__ import annotations

import io
import re
from base64 import b64decode
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from PIL import Image as Pillow
from support.operations import tape_of
from support.programs import special
from support.strategies import tapes

import intervalvm as ivm
from intervalvm.api.notebook import NOTEBOOK_PX, describe
from intervalvm.formats.write import MOST_CLAUSES, text_of
from intervalvm.ops import OPS, ROWS
from intervalvm.shapes import Shape

x, y, z = ivm.axes()
FIDGET = {
    *("const", "var-x", "var-y", "var-z"),
    *("neg", "abs", "square", "sqrt", "floor", "ceil", "round", "not"),
    *("sin", "cos", "tan", "asin", "acos", "atan", "exp", "ln"),
    *("add", "sub", "mul", "div", "min", "max", "and", "or", "mod", "compare", "atan2"),
}
"""What Fidget's own reader of such text knows, by its sources."""
WRITTEN_OTHERWISE = {op.name for op in ROWS if callable(op.names.fidget)}
"""What Fidget lacks, and can do without."""
READABLE = sorted(FIDGET | WRITTEN_OTHERWISE)


# --- the dialect of Fidget -----------------------------------------------------------------------


@pytest.mark.parametrize("name", [op.name for op in ROWS if op.arity])
def test_every_operation_is_text_that_fidget_reads_or_is_refused_by_name(name: str) -> None:
    tape = tape_of(name)
    if name in READABLE:
        used = set(ivm.parse(text_of(tape, "fidget")).counts())
        assert used <= FIDGET
        assert name in used or name in WRITTEN_OTHERWISE
    else:
        with pytest.raises(ivm.OptionError, match=rf"no operation '{name}', which clause \d"):
            text_of(tape, "fidget")


def test_every_operation_of_fidget_is_one_of_ours() -> None:
    assert set(OPS) >= FIDGET
    assert {"copy", "recip"} <= WRITTEN_OTHERWISE


@given(tapes(30, ops=READABLE))
def test_the_text_has_the_same_value_and_only_operations_that_fidget_reads(tape: ivm.Tape) -> None:
    again = ivm.parse(text_of(tape, "fidget")).check()
    assert set(again.counts()) <= FIDGET
    values = np.array(special(np.float32), np.float32)
    ours, theirs = (t(values, values[:, None]) for t in (tape, again))
    np.testing.assert_array_equal(ours, theirs)
    assert ((np.signbit(ours) == np.signbit(theirs)) | np.isnan(ours)).all()
    with np.errstate(over="ignore", under="ignore"):  # a constant is a float64, rounded
        np.testing.assert_array_equal(again.wide.astype(np.float32), again.single)


def test_saving_in_a_dialect(tmp_path: Path) -> None:
    path = tmp_path / "shape.vm"
    ivm.save(ivm.copy(1 / ivm.reciprocal(x)) * ivm.var("r").bind(r=2), path, dialect="fidget")
    assert path.read_text() == (
        "_0 const 1.0\n_1 var-x\n_2 const 1.0\n_3 div _2 _1\n_4 div _0 _3\n_5 const 2.0\n"
        "_6 mul _4 _5\n"
    )


def test_a_last_clause_that_is_a_copy_ends_where_its_operand_does() -> None:
    tape = ivm.parse("x var-x\ny var-y\no copy x")
    assert text_of(tape, "fidget") == "_0 var-x\n"


def test_what_the_dialect_lacks_is_named(tmp_path: Path) -> None:
    path = tmp_path / "shape.vm"
    with pytest.raises(ivm.VariableError, match=r"'r'.* save\(tape\.bind\(r=\.\.\.\), path"):
        ivm.save(x - ivm.var("r", 1), path, dialect="fidget")
    for shape in (ivm.rand(x), ivm.mix(x, y)):
        with pytest.raises(ivm.OptionError, match=r"has no operation '(rand|mix)', which clause"):
            ivm.save(shape, path, dialect="fidget")
    with pytest.raises(ivm.OptionError, match="no dialect 'libfive': choose 'intervalvm'"):
        ivm.save(x, path, dialect="libfive")
    assert not path.exists()


@given(tapes(30, variables=["r", "size"]))
def test_expressions_shapes_and_tapes_are_saved_and_read_back(tape: ivm.Tape) -> None:
    assert ivm.parse(text_of(tape, "intervalvm")) == tape


def test_what_lists_a_tape_is_saved(tmp_path: Path) -> None:
    for shape in (x - 1, Shape(lambda x, y, z: x - 1), (x - 1).tape()):
        ivm.save(shape, tmp_path / "shape.vm")
        assert ivm.load(tmp_path / "shape.vm") == (x - 1).tape()
    with pytest.raises(TypeError, match="expected a tape or an expression"):
        ivm.save("x - 1", tmp_path / "shape.vm")  # type: ignore[arg-type]


# --- graphs --------------------------------------------------------------------------------------


def test_a_graph_has_a_node_a_clause_and_an_arrow_an_operand() -> None:
    shape = (x - 0.5) * ivm.sqrt(x) - ivm.var('a"b\\')
    assert shape.tape().to_dot().splitlines() == [
        "digraph tape {",
        "    node [shape=box, style=rounded, fontname=monospace]",
        '    _0 [label="x", style=solid]',
        '    _1 [label="0.5", style=solid]',
        '    _2 [label="sub"]',
        '    _3 [label="sqrt"]',
        '    _4 [label="mul"]',
        '    _5 [label="a\\"b\\\\", style=solid]',
        '    _6 [label="sub", penwidth=2]',
        '    _0 -> _2 [taillabel="a"]',
        "    _1 -> _2",
        "    _0 -> _3",
        '    _2 -> _4 [taillabel="a"]',
        "    _3 -> _4",
        '    _4 -> _6 [taillabel="a"]',
        "    _5 -> _6",
        "}",
    ]


@given(tapes(30, variables=["r"]))
def test_every_graph_has_all_clauses_and_operands(tape: ivm.Tape) -> None:
    lines = tape.to_dot().splitlines()
    assert sum("label=" in line and "->" not in line for line in lines) == len(tape)
    arrows = [re.findall(r"_([0-9a-f]+)", line) for line in lines if "->" in line]
    expected = [[f"{o:x}", f"{i:x}"] for i in range(len(tape)) for o in tape.operands(i)]
    assert arrows == expected


def test_a_tape_too_long_for_a_picture_is_refused_with_the_way_out() -> None:
    shape = x
    for _ in range(MOST_CLAUSES):
        shape = ivm.sin(shape)
    with pytest.raises(ivm.OptionError, match=r"501 clauses .* the most is 500; simplify\("):
        shape.tape().to_dot()


# --- notebooks -----------------------------------------------------------------------------------

DISC = ivm.sqrt(x * x + y * y) - ivm.var("r", 0.5)


@pytest.fixture(params=[DISC, DISC.bind(r=0.5).tape(), Shape(lambda x, y, z: x * x + y * y - 0.25)],
                ids=lambda shape: type(shape).__name__)  # fmt: skip
def shape(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_a_notebook_shows_the_picture(shape: Any) -> None:
    picture = np.asarray(Pillow.open(io.BytesIO(shape._repr_png_())))
    np.testing.assert_array_equal(picture, ivm.render(shape, size=NOTEBOOK_PX).pixels == 255)
    html = shape._repr_html_()
    encoded = re.search(r'src="data:image/png;base64,([^"]+)"', html)
    assert encoded is not None
    assert b64decode(encoded[1]) == shape._repr_png_()
    count = len(shape.tape() if hasattr(shape, "tape") else shape)
    assert f"{type(shape).__name__}: {count} clauses in x, y" in html


def test_a_variable_without_a_value_leaves_no_picture_but_a_word() -> None:
    shape = x - ivm.var("a<b")
    assert shape._repr_png_() is None
    assert shape._repr_html_() == (
        "<div>Expr: 3 clauses in x; variables a&lt;b; no picture, since not all variables have "
        "values</div>"
    )


def test_a_tape_is_described_in_a_line() -> None:
    assert describe((x + z).tape()) == "3 clauses in x, z, shown where z is 0"
    assert describe(ivm.constant(1).tape()) == "1 clause in no axis"
