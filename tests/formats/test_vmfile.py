"""The ``.vm`` text: what is accepted, and the exact words for what is not."""

from __future__ import annotations

import errno
import os
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.strategies import tapes

from intervalvm.errors import FileError, FormatError
from intervalvm.formats.vm import load, parse
from intervalvm.formats.write import save
from intervalvm.ops import ROWS, Op
from intervalvm.tape import Tape, TapeBuilder

if TYPE_CHECKING:
    from collections.abc import Callable

CLAUSES = "x var-x\ny var-y\ns add x y\n"


def number(text: str) -> Tape:
    return parse(f"c const {text}")


def complaint(text: str, name: str = "<string>") -> str:
    with pytest.raises(FormatError) as raised:
        parse(text, name=name)
    return str(raised.value)


class TestAccepted:
    @pytest.mark.parametrize(
        "text",
        [
            "\nx var-x\n\n   \ny var-y\n\t\ns add x y\n\n\n",
            "# head\nx var-x\n  # indented\ny var-y\n\t#tab\ns add x y\n# tail",
            "x var-x # the rest of a line\ny var-y #\ns add x y #x y z",
            CLAUSES.replace("\n", "\r\n"),
            CLAUSES.replace("\n", "\r"),
            CLAUSES.rstrip(),
            "\ufeff" + CLAUSES,
            "\ufeff# head\n" + CLAUSES,
            "  x\t var-x  \n\ty  var-y\t\ns   add\tx \t y ",
            "_ff var-x\nvar-y var-y\nconst add _ff var-y",  # a NAME is any word
            "a#1 var-x\n\u03c0 var-y\n. add a#1 \u03c0",
        ],
    )
    def test_is_the_same_tape(self, text: str) -> None:
        assert str(parse(text)) == "_0 var-x\n_1 var-y\n_2 add _0 _1\n"

    @pytest.mark.parametrize("op", [op for op in ROWS if op.arity > 0], ids=lambda op: op.name)
    def test_every_operation(self, op: Op) -> None:
        operands = ["b", "a"][: op.arity]
        tape = parse(f"a var-x\nb var-y\nc {op.name} {' '.join(operands)}").check()
        assert tape.counts()[op.name] == 1
        assert tape.operands(2) == (1, 0)[: op.arity]

    def test_a_copy_stays_a_clause(self) -> None:
        assert str(parse("x var-x\nc copy x")) == "_0 var-x\n_1 copy _0\n"

    def test_the_value_is_that_of_the_last_clause(self) -> None:
        tape = parse("x var-x\nr neg x\nunread var-y")
        assert tape.clause(len(tape) - 1) == "_2 var-y"

    def test_free_variables_are_listed_in_the_order_of_reading(self) -> None:
        tape = parse("a var-r\nb var-x2\nc var-r\nd add a b\ne add d c").check()
        assert tape.variables == ("r", "x2")
        assert tape.left[:3].tolist() == [0, 1, 0]
        assert tape.axes == ()

    @pytest.mark.parametrize("name", ["X", "radius", "-", "x-y", "\u03c1", "a#b", "#", "var-x"])
    def test_a_free_variable_has_any_one_word_as_its_name(self, name: str) -> None:
        tape = parse(f"v var-{name}")
        assert tape.variables == (name,)
        assert parse(str(tape)) == tape


class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1", 1.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e-3", 1e-3),
            ("1E+3", 1e3),
            ("-.5e1", -5.0),
            ("+1", 1.0),
            ("-0", -0.0),
            ("007", 7.0),
            ("inf", np.inf),
            ("-inf", -np.inf),
            ("+Inf", np.inf),
            ("INFINITY", np.inf),
            ("-infinity", -np.inf),
            ("nan", np.nan),
            ("NaN", np.nan),
            ("-nan", np.nan),
            ("1e999999999", np.inf),
            ("-1e999999999", -np.inf),
            ("1e-999999999", 0.0),
            ("0e" + "9" * 50, 0.0),
        ],
    )
    def test_is_read(self, text: str, value: float) -> None:
        tape, expected = number(text), TapeBuilder()
        expected.const(value)
        assert tape == expected.build()

    @pytest.mark.parametrize(
        "text",
        [
            *("1_000", "0x10", "1f", "1,5", "1e", "e1", ".", "+", "--1", "1e1.5", "1d3", "1/2"),
            *("inff", "infin", "nan()", "nan0", "pi", "x", "1\0", "\u0661", "\uff11", "\u00bd"),
            *("\u2212\u0031", "\u0131nf", "True", "1j", "1__0", "_1", "1_"),
        ],
    )
    def test_is_not_one(self, text: str) -> None:
        first = complaint(f"c const {text}").splitlines()[0]
        expected = f"{text!r} is not a number such as 1, .5, -1e-3, inf or nan"
        assert first == f"<string>:1:9: {expected}"

    @pytest.mark.parametrize(
        ("text", "single"),
        [
            ("1.000000059604644775390625", 1.0),
            ("1.0000000596046447753906250000000000001", 1.0 + 2**-23),
            ("1.000000178813934326171874999999999999", 1.0 + 2**-23),
            ("340282356779733661637539395458142568447.9", float(np.finfo(np.float32).max)),
            ("340282356779733661637539395458142568448", np.inf),
            ("7.0064923216240853546186479164495806564e-46", 0.0),
            ("7.00649232162408535461864791644958065641e-46", float(np.float32(1e-45))),
            ("0.1", float(np.float32(0.1))),
            ("2.95", float(np.float32(2.95))),
        ],
    )
    def test_is_rounded_once(self, text: str, single: float) -> None:
        others = "a const 0.1\nb const 16777217\n"  # numbers beside it must not move it
        tape = parse(f"{others}c const {text}\nd const 7")
        assert tape.single.tolist() == [float(np.float32(0.1)), 2.0**24, single, 7.0]
        assert tape.wide.tolist() == [0.1, 2.0**24 + 1, float(text), 7.0]

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("1" * 1_000_000, np.inf),
            ("0." + "1" * 1_000_000, 1 / 9),
            ("1e" + "9" * 1_000_000, np.inf),
            ("1." + "0" * 1_000_000 + "1", 1.0),
            ("0." + "0" * 1_000_000 + "5e1000000", 0.5),
        ],
        ids=["digits", "decimals", "exponent", "zeros", "shifted"],
    )
    def test_a_million_digits_are_no_trouble(self, text: str, value: float) -> None:
        start = time.perf_counter()
        assert number(text).wide.tolist() == [value]
        assert time.perf_counter() - start < 5

    def test_a_million_digits_decide_a_tie(self) -> None:
        tape = number("1.000000059604644775390625" + "0" * 1_000_000 + "1")
        assert tape.single.tolist() == [1.0 + 2**-23]


class TestRoundTrip:
    @given(tapes(variables=("r", "radius", "\u03c0")))
    def test_text_reads_back_as_the_same_tape(self, tape: Tape) -> None:
        assert parse(str(tape)) == tape

    @given(tapes(variables=("r",)))
    def test_the_tape_of_a_text_prints_the_same_again(self, tape: Tape) -> None:
        assert str(parse(str(tape))) == str(tape)

    @pytest.mark.parametrize(
        ("name", "clauses", "axes"),
        [
            ("prospero.vm", 7866, ("x", "y")),
            ("hi.vm", 56, ("x", "y")),
            ("quarter.vm", 9, ("x", "y")),
            ("tanglecube.vm", 20, ("x", "y", "z")),
        ],
    )
    def test_models(
        self, model: Callable[[str], Path], name: str, clauses: int, axes: tuple[str, ...]
    ) -> None:
        tape = load(model(name)).check()
        assert len(tape) == clauses
        assert tape.axes == axes
        assert parse(str(tape)) == tape


class TestErrors:
    """Each message in full: place, fault, line, mark."""

    def test_is_one_of_ours_and_a_value_error(self) -> None:
        with pytest.raises(FormatError) as raised:
            parse("# one\nx var-x\n  y nec x", name="my.vm")
        assert isinstance(raised.value, ValueError)
        assert (raised.value.name, raised.value.line, raised.value.column) == ("my.vm", 3, 5)
        assert raised.value.exit_status == 2

    def test_as_the_format_shows_it(self) -> None:
        text = "_0 var-x\n_1 const 1\n\n\n# four\n_3 var-y\n_4 mxa _0 _3\n"
        assert complaint(text, "prospero.vm") == (
            "prospero.vm:7:4: unknown operation 'mxa' (did you mean 'max'?)\n"
            "    _4 mxa _0 _3\n"
            "       ^~~"
        )

    @pytest.mark.parametrize(
        ("clause", "expected"),
        [
            (
                "z frobnicate x",
                "3:3: unknown operation 'frobnicate'\n"
                "    z frobnicate x\n"
                "      ^~~~~~~~~~",
            ),
            (
                "z MAX x y",
                "3:3: unknown operation 'MAX' (did you mean 'max'?)\n"
                "    z MAX x y\n"
                "      ^~~",
            ),
            (
                "z log x",
                "3:3: unknown operation 'log' (did you mean 'ln'?)\n"
                "    z log x\n"
                "      ^~~",
            ),
            (
                "z varx",
                "3:3: unknown operation 'varx' (did you mean 'var-x'?)\n"
                "    z varx\n"
                "      ^~~~",
            ),
            (
                "add x y",
                "3:5: unknown operation 'x' (does the clause lack a name before 'add'?)\n"
                "    add x y\n"
                "        ^",
            ),
            (
                "z",
                "3:1: no operation: 'z' is only a name\n"
                "    z\n"
                "    ^",
            ),
            (
                "z # add x y",
                "3:1: no operation: 'z' is only a name\n"
                "    z # add x y\n"
                "    ^",
            ),
            (
                "z var",
                "3:3: 'var' lacks a name: var-x, var-y, var-z or a free variable's\n"
                "    z var\n"
                "      ^~~",
            ),
            (
                "z var-",
                "3:3: 'var-' lacks a name: var-x, var-y, var-z or a free variable's\n"
                "    z var-\n"
                "      ^~~~",
            ),
            (
                "z add x",
                "3:3: 'add' takes 2 arguments, not 1\n"
                "    z add x\n"
                "      ^~~",
            ),
            (
                "z add",
                "3:3: 'add' takes 2 arguments, not 0\n"
                "    z add\n"
                "      ^~~",
            ),
            (
                "z add x #y",
                "3:3: 'add' takes 2 arguments, not 1\n"
                "    z add x #y\n"
                "      ^~~",
            ),
            (
                "z neg x yy",
                "3:9: 'neg' takes 1 argument, not 2\n"
                "    z neg x yy\n"
                "            ^~",
            ),
            (
                "z max x y x y",
                "3:11: 'max' takes 2 arguments, not 4\n"
                "    z max x y x y\n"
                "              ^",
            ),
            (
                "z var-x x",
                "3:9: 'var-x' takes 0 arguments, not 1\n"
                "    z var-x x\n"
                "            ^",
            ),
            (
                "z var-r x",
                "3:9: 'var-r' takes 0 arguments, not 1\n"
                "    z var-r x\n"
                "            ^",
            ),
            (
                "z const",
                "3:3: 'const' takes 1 number, not 0\n"
                "    z const\n"
                "      ^~~~~",
            ),
            (
                "z const 1 2",
                "3:11: 'const' takes 1 number, not 2\n"
                "    z const 1 2\n"
                "              ^",
            ),
            (
                "z const 1,5",
                "3:9: '1,5' is not a number such as 1, .5, -1e-3, inf or nan\n"
                "    z const 1,5\n"
                "            ^~~",
            ),
            (
                "z const x",
                "3:9: 'x' is not a number such as 1, .5, -1e-3, inf or nan\n"
                "    z const x\n"
                "            ^",
            ),
            (
                "z add x other",
                "3:9: 'other' is not defined\n"
                "    z add x other\n"
                "            ^~~~~",
            ),
            (
                "z add X y",
                "3:7: 'X' is not defined\n"
                "    z add X y\n"
                "          ^",
            ),
            (
                "radius neg x\nz add x raduis",
                "4:9: 'raduis' is not defined (did you mean 'radius'?)\n"
                "    z add x raduis\n"
                "            ^~~~~~",
            ),
            (
                "z neg late\n# more\n  late neg x",
                "3:7: 'late' is not defined yet: its clause comes later, on line 5\n"
                "    z neg late\n"
                "          ^~~~",
            ),
            (
                "z neg z",
                "3:7: 'z' is used in its own definition\n"
                "    z neg z\n"
                "          ^",
            ),
            (
                "z add x 1.5",
                "3:9: '1.5' is not defined (a number needs a clause of its own: "
                "NAME const NUMBER)\n"
                "    z add x 1.5\n"
                "            ^~~",
            ),
            (
                "  x neg y",
                "3:3: 'x' is defined twice, on lines 1 and 3\n"
                "      x neg y\n"
                "      ^",
            ),
            (
                "x neg undefined",  # of two faults the first
                "3:1: 'x' is defined twice, on lines 1 and 3\n"
                "    x neg undefined\n"
                "    ^",
            ),
        ],
    )  # fmt: skip
    def test_of_a_clause(self, clause: str, expected: str) -> None:
        assert complaint(f"x var-x\ny var-y\n{clause}\n", "a.vm") == f"a.vm:{expected}"

    @pytest.mark.parametrize("text", ["", "\n", "  \n\t\n", "# only\n  # comments", "\ufeff"])
    def test_no_clause(self, text: str) -> None:
        assert complaint(text) == "<string>:1:1: no clause: a tape needs at least one"

    @pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
    def test_lines_are_counted_with_any_ending(self, ending: str) -> None:
        text = ending.join(["# head", "", "x var-x", "y nge x"])
        assert complaint(text) == (
            "<string>:4:3: unknown operation 'nge' (did you mean 'neg'?)\n"
            "    y nge x\n"
            "      ^~~"
        )  # fmt: skip

    def test_a_byte_order_mark_takes_no_column(self) -> None:
        assert complaint("\ufeffx bad").startswith("<string>:1:3: unknown operation 'bad'")

    @pytest.mark.parametrize(
        ("typo", "meant"),
        [
            *(("mxa", "max"), ("mni", "min"), ("sbu", "sub"), ("dvi", "div"), ("mull", "mul")),
            *(("sqr", "sqrt"), ("sqare", "square"), ("arctan2", "atan2"), ("constant", "const")),
            *(("var_x", "var-x"), ("sine", "sin"), ("Floor", "floor"), ("LOG", "ln")),
        ],
    )
    def test_suggests_the_nearest_operation(self, typo: str, meant: str) -> None:
        assert f"unknown operation '{typo}' (did you mean '{meant}'?)\n" in complaint(f"a {typo}")

    def test_never_suggests_the_bare_var(self) -> None:
        assert "'var'" not in complaint("a varr")

    @pytest.mark.parametrize("name", ["a", "\u03c0", "\u706b"])
    def test_tabs_do_not_move_the_mark(self, name: str) -> None:
        lines = complaint(f"\t{name}\t\tbad\tx").splitlines()
        assert lines[1] == f"     {name}  bad x"
        wide = name == "\u706b"  # takes two columns
        assert lines[2] == " " * (8 + wide) + "^~~"

    def test_combining_characters_do_not_move_the_mark(self) -> None:
        assert complaint("e\u0301 bad").splitlines()[2] == "      ^~~"

    def test_control_characters_are_escaped(self) -> None:
        text = "a\x1b[2J\u202e\0 b\x07d x\x9b"
        assert complaint(text) == (
            "<string>:1:9: unknown operation 'b\\x07d'\n"
            "    a\\x1b[2J\\u202e\\x00 b\\x07d x\\x9b\n"
            "                       ^~~~~~"
        )

    def test_a_long_line_is_cut_around_the_mark(self) -> None:
        text = "a add " + "x " * 30_000 + "bad " + "y " * 30_000
        lines = complaint(f"x var-x\n{text}").splitlines()
        assert lines[0] == "<string>:2:11: 'add' takes 2 arguments, not 60001"
        assert lines[1] == "    a add x x" + " x" * 35 + " …"
        assert lines[2] == " " * 14 + "^"

    @pytest.mark.parametrize("before", [0, 30, 100, 5000])
    @pytest.mark.parametrize("after", [0, 30, 100, 5000])
    def test_the_mark_stands_under_its_word(self, before: int, after: int) -> None:
        message = complaint("n" * before + "a" + " bad " + "x" * after)
        _, line, mark = message.splitlines()
        start, length = mark.index("^"), len(mark.strip())
        assert line[start : start + length] == "bad"
        assert len(line) <= 4 + 80 + 2

    def test_a_long_word_is_cut(self) -> None:
        message, line, mark = complaint("a " + "b" * 1_000_000).splitlines()
        assert message == f"<string>:1:3: unknown operation '{'b' * 40}…'"
        assert line == f"    a {'b' * 78}…"
        assert mark == f"      ^{'~' * 77}"

    def test_an_error_in_a_large_file_is_found_soon(self) -> None:
        clauses = "".join(f"clause_{i} var-x\n" for i in range(100_000))
        start = time.perf_counter()
        message = complaint(f"{clauses}last add clause_7 clauze_99999\n")
        assert message.startswith(
            "<string>:100001:19: 'clauze_99999' is not defined (did you mean 'clause_99999'?)\n"
        )
        assert time.perf_counter() - start < 10

    @given(st.text(st.sampled_from("a b\n#01.-\tvarxconstadd\r\ufeff\x1f\u00e9\x0c"), max_size=60))
    @example("a var-x\na")
    @example("#")
    @example("a\x1fvar-x")
    def test_any_text_is_a_tape_or_a_format_error(self, text: str) -> None:
        try:
            parse(text).check()
        except FormatError as error:
            message = str(error)
        else:
            return
        assert re.match(r"<string>:\d+:\d+: \S", message)


class TestLoad:
    def test_reads_a_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a.vm"
        path.write_bytes(b"\xef\xbb\xbf" + CLAUSES.replace("\n", "\r\n").encode())
        assert load(path) == load(str(path)) == parse(CLAUSES)

    def test_an_error_names_the_file_as_it_was_given(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        Path("a.vm").write_text("x bad")
        with pytest.raises(FormatError, match=r"^a\.vm:1:3: unknown operation 'bad'"):
            load("a.vm")

    @pytest.mark.parametrize(
        ("data", "expected"),
        [
            (
                b"x var-x\r\ny\xff neg x",
                "2:2: the file is not UTF-8, byte 0xff: save it as UTF-8\n"
                "    y\\xff neg x\n"
                "     ^~~~",
            ),
            (
                b"\xef\xbb\xbf# caf\xe9",
                "1:6: the file is not UTF-8, byte 0xe9: save it as UTF-8\n"
                "    # caf\\xe9\n"
                "         ^~~~",
            ),
            (
                b"\xff\xfex\0",
                "1:1: the file is UTF-16, byte 0xff: save it as UTF-8\n"
                "    \\xff\\xfex\\x00\n"
                "    ^~~~",
            ),
            (
                b"\xc3\xa9 v\xc3",
                "1:4: the file is not UTF-8, byte 0xc3: save it as UTF-8\n"
                "    \u00e9 v\\xc3\n"
                "       ^~~~",
            ),
        ],
    )  # fmt: skip
    def test_not_utf8(self, tmp_path: Path, data: bytes, expected: str) -> None:
        path = tmp_path / "a.vm"
        path.write_bytes(data)
        with pytest.raises(FormatError) as raised:
            load(path)
        assert str(raised.value) == f"{path}:{expected}"

    def test_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(FileError) as raised:
            load(tmp_path)
        assert str(raised.value) == f"{tmp_path}: is a folder, not a .vm file"
        assert isinstance(raised.value, OSError)
        assert raised.value.exit_status == 2

    def test_a_missing_file(self, tmp_path: Path) -> None:
        path = tmp_path / "circel.vm"
        with pytest.raises(FileError) as raised:
            load(path)
        assert str(raised.value) == f"{path}: no such file in {tmp_path}"
        (tmp_path / "circle.vm").touch()
        with pytest.raises(FileError) as raised:
            load(path)
        assert str(raised.value) == (
            f"{path}: no such file in {tmp_path} (did you mean 'circle.vm'?)"
        )

    def test_a_missing_folder(self, tmp_path: Path) -> None:
        path = tmp_path / "no" / "a.vm"
        with pytest.raises(FileError) as raised:
            load(path)
        assert str(raised.value) == f"{path}: there is no folder {tmp_path / 'no'}"

    def test_an_unreadable_file(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        # Whoever may read everything, as the superuser may, is never refused: so it is played.
        def refuse(*_: object) -> None:
            raise PermissionError(errno.EACCES, "Permission denied")

        monkeypatch.setattr("builtins.open", refuse)
        with pytest.raises(FileError) as raised:
            load("a.vm")
        assert str(raised.value) == "a.vm: cannot be read: Permission denied"

    def test_a_name_that_cannot_be_one(self) -> None:
        with pytest.raises(FileError, match="cannot be read: embedded null byte"):
            load("a\0b")


class TestSave:
    def test_reads_back(self, tmp_path: Path) -> None:
        path = tmp_path / "a.vm"
        tape = parse("x var-x\nr var-\u03c1\nc const 0.1\nd add x r\ne add d c")
        save(tape, path)
        assert load(path) == tape
        assert path.read_bytes() == str(tape).encode()
        assert os.listdir(tmp_path) == ["a.vm"]

    def test_replaces_the_old_file(self, tmp_path: Path) -> None:
        path = tmp_path / "a.vm"
        path.write_text("old")
        save(parse(CLAUSES), str(path))
        assert load(path) == parse(CLAUSES)

    @pytest.mark.parametrize(
        ("code", "status"), [(errno.ENOSPC, 3), (errno.EIO, 2), (errno.EACCES, 2)]
    )
    def test_a_failure_leaves_the_old_file_and_no_other(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, status: int
    ) -> None:
        path = tmp_path / "a.vm"
        path.write_text("old")

        def fail(*_: object) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr("os.replace", fail)
        with pytest.raises(FileError, match=re.escape(os.strerror(code))) as raised:
            save(parse(CLAUSES), path)
        assert str(path) in str(raised.value)
        assert raised.value.exit_status == status
        assert path.read_text() == "old"
        assert os.listdir(tmp_path) == ["a.vm"]

    def test_an_interrupt_leaves_the_old_file_and_no_other(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = tmp_path / "a.vm"
        path.write_text("old")

        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("os.replace", interrupt)
        with pytest.raises(KeyboardInterrupt):
            save(parse(CLAUSES), path)
        assert path.read_text() == "old"
        assert os.listdir(tmp_path) == ["a.vm"]

    @pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
    def test_a_full_disk(self) -> None:
        with pytest.raises(FileError, match="No space left on device") as raised:
            save(parse(CLAUSES), "/dev/full")
        assert raised.value.exit_status == 3

    def test_to_a_folder_or_into_none(self, tmp_path: Path) -> None:
        with pytest.raises(FileError, match="is a folder"):
            save(parse(CLAUSES), tmp_path)
        with pytest.raises(FileError, match="there is no folder"):
            save(parse(CLAUSES), tmp_path / "no" / "a.vm")
        assert os.listdir(tmp_path) == []


def test_a_challenge_size_file_reads_in_no_time(model: Callable[[str], Path]) -> None:
    path = model("prospero.vm")
    times = []
    for _ in range(5):
        start = time.perf_counter()
        load(path)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.1  # it takes 5 ms; this is for what a slow machine makes of it
