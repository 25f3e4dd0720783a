"""Files and tapes without measure: refused with a reason, or read in time and memory that are
linear in their size. Nothing recurses."""

from __future__ import annotations

import pickle
import subprocess
import sys
import time
import tracemalloc
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.places import TOP

import intervalvm as ivm
from fuzz import reader
from intervalvm import DoesNotFit, FormatError
from intervalvm.cli import main
from intervalvm.compiler.pipeline import prepared
from intervalvm.evaluate.arithmetic import Floats
from intervalvm.proof.cells import bytes_beside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DEEP = 100_000


def run_limited(code: str, mebibytes: int, *words: str) -> subprocess.CompletedProcess[str]:
    """Run Python code with so much address space, from which the imports have been taken."""
    resource = pytest.importorskip("resource")
    limit = mebibytes << 20
    return subprocess.run(
        [sys.executable, "-c", code, *words],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PYTHONPATH": str(TOP), "PATH": "", "OPENBLAS_NUM_THREADS": "1"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )


# --- what is read at most -----------------------------------------------------------------------


def test_a_file_over_the_limit_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.vm"
    with open(path, "wb") as file:
        file.truncate(1 << 40)  # a hole: to read it would take hours
    with pytest.raises(DoesNotFit, match=r"huge\.vm: 1 TiB is too much to read, the limit"):
        ivm.load(path)


def test_a_device_without_an_end_is_refused() -> None:
    if not Path("/dev/zero").exists():
        pytest.skip("no /dev/zero here")
    with pytest.raises(DoesNotFit, match="more than 1 MiB is too much to read"):
        ivm.load("/dev/zero", max_bytes=1 << 20)


def test_limits_are_adjustable(tmp_path: Path) -> None:
    path = tmp_path / "three.vm"
    path.write_text("a var-x\nb neg a\nc neg b\n")
    assert len(ivm.load(path, max_bytes=path.stat().st_size, max_clauses=3)) == 3
    with pytest.raises(DoesNotFit, match="max_bytes"):
        ivm.load(path, max_bytes=path.stat().st_size - 1)
    with pytest.raises(DoesNotFit, match=r"three\.vm:3: more than 2 clauses"):
        ivm.load(path, max_clauses=2)


@pytest.mark.parametrize(
    "limit", [("--max-bytes", "10"), ("--max-clauses", "1")], ids=["bytes", "clauses"]
)
def test_a_file_over_the_limit_has_status_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], limit: tuple[str, str]
) -> None:
    path = tmp_path / "two.vm"
    path.write_text("a var-x\nb neg a\n")
    assert main(["info", str(path)]) == 0
    assert main(["info", str(path), *limit]) == 3
    assert limit[0] in capsys.readouterr().err


# --- adversarial files ----------------------------------------------------------------------------

MUCH = 1_000_000
HOSTILE: dict[str, str] = {
    "one huge word": "a" * MUCH,
    "one huge line": "x var-x " + "a " * MUCH,
    "NUL bytes": "\0" * MUCH,
    "signs of comments within words": "x var-x " + "a# " * MUCH,
    "only comments": "#\n" * MUCH,
    "only blank lines": "\n" * MUCH,
    "only returns": "\r" * MUCH,
    "combining characters": "a " + "\u0301" * MUCH,
    "an unknown name after many": "".join(f"a{i} var-x\n" for i in range(DEEP)) + "b neg zzzz",
    "a name defined again after many": "".join(f"a{i} var-x\n" for i in range(DEEP)) + "a0 var-x",
    "a name that comes later": "b neg a\n" + "c var-x\n" * DEEP + "a var-x",
    "surrogates": "\ud800" * DEEP,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_text_is_refused_in_a_short_message(text: str) -> None:
    start = time.process_time()
    with pytest.raises(FormatError) as caught:
        ivm.parse(text)
    assert len(str(caught.value)) < 2000
    assert time.process_time() - start < 20  # they take 0.1 to 2 s


def test_long_names_and_numbers_are_read() -> None:
    name = "n" * MUCH
    number = "1.000000059604644775390625" + "0" * MUCH + "1"  # beside a middle of two float32
    tape = ivm.parse(f"{name} const {number}\nv var-{name}\nw add {name} v")
    assert tape.single[0] == np.nextafter(np.float32(1), np.float32(2))
    assert ivm.parse("k const " + "9" * MUCH).wide[0] == np.inf
    assert ivm.parse("k const 1e-" + "9" * MUCH).wide[0] == 0


READABLE_CUTS = {0, 1, 32, 33, 9, 10, 20, 21, 22, 23}
"""So many bytes less end a line, with or without its LF, or within a number."""


@pytest.mark.parametrize("cut", range(41))
def test_a_truncated_file_is_read_or_refused(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "cut.vm"
    whole = "a var-x\nb const 0.5\n\u03c0 sub a b\nd neg \u03c0\n".encode()
    path.write_bytes(whole[: len(whole) - cut])
    if cut in READABLE_CUTS:
        tape = ivm.load(path)
        assert ivm.parse(str(tape)) == tape
    else:
        with pytest.raises(FormatError, match=r"cut\.vm:\d:\d"):
            ivm.load(path)


@pytest.mark.parametrize("seed", range(20))
def test_binary_files_are_refused(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "binary.vm"
    path.write_bytes(np.random.default_rng(seed).bytes(50_000))
    with pytest.raises(FormatError, match=r"binary\.vm:\d+:\d+: "):
        ivm.load(path)


def test_memory_that_runs_out_while_reading_is_a_typed_error(tmp_path: Path) -> None:
    path = tmp_path / "large.vm"
    path.write_text("a0 var-x\n" + "".join(f"a{i} neg a{i - 1}\n" for i in range(1, 500_000)))
    code = "import sys; from intervalvm.cli import run; run()"
    done = run_limited(code, 200, "info", str(path))
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr.startswith("intervalvm: error: ")
    assert "Traceback" not in done.stderr


def test_a_million_clauses_are_read_in_a_gigabyte(tmp_path: Path) -> None:
    """5 s is the claim on a machine that does nothing else: here it is the processor's time."""
    path = tmp_path / "million.vm"
    lines = [f"c{i} {('add', 'max')[i % 2]} c{i - 1} c{i // 2}\n" for i in range(1, 1_000_000)]
    path.write_text("c0 var-x\n" + "".join(lines))
    code = (
        "import sys, time, intervalvm as ivm; start = time.process_time()\n"
        "assert len(ivm.load(sys.argv[1])) == 1_000_000\n"
        "print(time.process_time() - start)"
    )
    done = run_limited(code, 1024, str(path))
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 10


# --- depth and many names -------------------------------------------------------------------------


def chain(length: int) -> ivm.Tape:
    text = "".join(f"c{i} add c{i - 1} y\n" for i in range(1, length - 1))
    return ivm.parse("y var-y\nc0 var-x\n" + text)


@pytest.fixture(scope="module")
def deep() -> ivm.Tape:
    for mode in ("bitmap", "value"):
        ivm.render(chain(10), size=4, mode=mode)  # kernels are compiled before a clock runs
    return chain(DEEP)


PASSES: dict[str, Callable[[ivm.Tape], object]] = {
    "str": lambda tape: ivm.parse(str(tape)) == tape or pytest.fail("another tape"),
    "pickle": lambda tape: pickle.loads(pickle.dumps(tape)) == tape or pytest.fail("another tape"),
    "fold": ivm.fold,
    "fold fast": lambda tape: ivm.fold(tape, "fast"),
    "prepare": lambda tape: prepared(tape, Floats(np.dtype("float32"))),
    "evaluate": lambda tape: ivm.evaluate(tape, 1.0, 2.0),
    "expression": lambda tape: (ivm.expression(tape) + 1).tape(),
    "pickled expression": lambda tape: pickle.loads(pickle.dumps(ivm.expression(tape))),
    "dense": lambda tape: ivm.render(tape, size=4, engine="dense"),
    "pruned, value": lambda tape: ivm.render(tape, size=4, mode="value"),
    "pruned": lambda tape: ivm.render(tape, size=4),
}


@pytest.mark.parametrize("work", PASSES.values(), ids=PASSES)
def test_a_deep_chain_takes_no_recursion_and_no_long_time(
    deep: ivm.Tape, work: Callable[[ivm.Tape], object]
) -> None:
    start = time.process_time()
    work(deep)
    assert time.process_time() - start < 20  # each takes 0.1 to 2 s; quadratic would be minutes


def test_intervals_and_shorter_tapes_of_a_deep_chain() -> None:
    tape = chain(DEEP // 10)
    assert ivm.interval(tape, x=(0, 1), y=(0, 0)).upper == 1
    assert len(ivm.simplify(tape, x=(0, 1), y=(0, 1), keep="sign", dtype="float32")) <= len(tape)


def test_many_variables_take_no_quadratic_time() -> None:
    count = 20_000
    lines = ["a0 var-n0"]
    lines += [f"v{i} var-n{i}\na{i} add a{i - 1} v{i}" for i in range(1, count)]
    tape = ivm.parse("\n".join(lines))
    values = dict.fromkeys(tape.variables, 0.5)
    start = time.process_time()
    assert ivm.evaluate(tape, 0, 0, variables=values) == count / 2
    assert tape.bind(**values).variables == ()
    assert time.process_time() - start < 5  # 1 s; it was minutes


# --- memory budgets -------------------------------------------------------------------------------

DRAW = """
import sys, resource, intervalvm as ivm
tape = ivm.load(sys.argv[1])
engine, backend, size, most = sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
ivm.render(tape, size=16, engine=engine, backend=backend)  # what is loaded once is loaded
used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    ivm.render(tape, size=size, engine=engine, backend=backend, max_memory=most, threads=2)
except ivm.DoesNotFit as error:
    print("refused", error)
else:
    print("drawn", (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - used) * 1024)
"""


@pytest.mark.parametrize(("engine", "backend"), [("dense", "numpy"), ("pruned", "numba")])
def test_max_memory_is_kept(tmp_path: Path, engine: str, backend: str) -> None:
    path = tmp_path / "shape.vm"
    path.write_text("x var-x\ny var-y\na square x\nb square y\nc add a b\nk const 0.5\nv sub c k")
    for size, budget in ((1024, 24 << 20), (4096, 4 << 20)):
        done = subprocess.run(
            [sys.executable, "-c", DRAW, str(path), engine, backend, str(size), str(budget)],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": str(TOP), "PATH": "", "HOME": str(Path.home())},
        )
        said, rest = done.stdout.split(maxsplit=1)
        if size == 4096:
            assert said == "refused"  # the image alone takes 16 MiB
            assert "max_memory" in rest
        else:
            assert said == "drawn"
            assert int(rest) < budget + (8 << 20)  # the allocator's own share


LINES = [f"c{i} {('add', 'max', 'mul')[i % 3]} c{i - 1} {'xy'[i % 2]}" for i in range(1, 800)]
LONG = "x var-x\ny var-y\nc0 sub x y\n" + "\n".join(LINES)
SHORT = "x var-x\ny var-y\na atan2 x y\nb mod x a\nd div b y\ne sin d\nf mul e a\ng sub f x"
CACHES = 1 << 20
"""What a process keeps when it does something for the first time."""


@contextmanager
def within(budget: int) -> Iterator[None]:
    """What is done here takes no more than ``budget``, and caches."""
    tracemalloc.start()
    try:
        yield
    finally:
        taken = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert taken <= budget + CACHES


@pytest.mark.parametrize("renderer", [False, True], ids=["render", "Renderer"])
@pytest.mark.parametrize("way", ["", "value", "proven"])
@pytest.mark.parametrize("backend", ["numba", "numpy"])
@pytest.mark.parametrize("text", [SHORT, LONG], ids=["short", "long"])
def test_no_back_end_takes_more_than_max_memory(
    text: str, backend: str, way: str, renderer: bool
) -> None:
    """Whether it draws or refuses, from the plan to the pixels."""
    ways: dict[str, dict[str, Any]] = {
        "": {}, "value": {"mode": "value"}, "proven": {"prove": "area"},
    }  # fmt: skip
    options: dict[str, Any] = {"size": 32, "backend": backend, "threads": 2, **ways[way]}
    ivm.render(ivm.parse("x var-x"), **options)  # what is loaded once is loaded
    expected = ivm.render(ivm.parse(text), **options).pixels
    drawn, said = [], ""
    for budget in (1 << bits for bits in range(10, 28, 3)):
        tape = ivm.parse(text)
        with within(budget):
            try:
                if renderer:
                    image = ivm.Renderer(tape, max_memory=budget).render(**options)
                else:
                    image = ivm.render(tape, max_memory=budget, **options)
            except DoesNotFit as error:
                said = str(error)
                drawn.append(False)
            else:
                np.testing.assert_array_equal(image.pixels, expected)
                drawn.append(True)
    assert drawn == sorted(drawn), "more memory is never too little"
    assert (drawn[0], drawn[-1]) == (False, True)
    assert "max_memory" in said


@pytest.mark.parametrize(
    "options",
    [
        {"engine": "dense"},
        {"engine": "naive"},
        {"engine": "dense", "prove": "point"},
        {"backend": "numpy"},
        {"backend": "numpy", "prove": "point"},
        None,
    ],
    ids=str,
)
def test_the_lists_of_a_long_tape_count_too(options: dict[str, Any] | None) -> None:
    """At few points its clauses take more than their arrays."""
    count = 30_000
    lines = (f"c{i} {('add', 'min')[i % 2]} c{i - 1} {'xy'[i % 2]}" for i in range(1, count))
    text = "x var-x\ny var-y\nc0 sub x y\n" + "\n".join(lines)

    def draw(tape: ivm.Tape, budget: int | None) -> Any:
        if options is None:
            return ivm.evaluate(tape, 0.5, 0.25, max_memory=budget)
        return ivm.render(tape, size=2, max_memory=budget, **options)

    draw(ivm.parse("x var-x"), None)  # what is loaded once is loaded
    for budget in (1 << 20, 1 << 27):
        tape = ivm.parse(text)
        with within(budget):
            try:
                draw(tape, budget)
                fits = True
            except DoesNotFit:
                fits = False
        assert fits == (budget > 1 << 20)


@pytest.mark.parametrize("size", [(1024, 1024), (1, 1 << 16), (1 << 16, 1)])
def test_a_proof_takes_no_more_than_max_memory(size: tuple[int, int]) -> None:
    """Two images of verdicts and what lists a band of them: no array of int64 beside them."""
    x, y, _ = ivm.axes()
    shape = x * x + y * y - 0.25
    options: dict[str, Any] = {"resolution": size, "threads": 1}
    expected = ivm.prove(shape, **options)
    drawn = []
    for budget in (1 << bits for bits in range(16, 28)):
        with within(budget):
            try:
                proof = ivm.prove(shape, **options, max_memory=budget)
            except DoesNotFit:
                drawn.append(False)
            else:
                assert str(proof) == str(expected)
                drawn.append(True)
    assert drawn == sorted(drawn), "more memory is never too little"
    assert (drawn[0], drawn[-1]) == (False, True)


@pytest.mark.parametrize("size", [(1024, 1024), (1, 1 << 16), (1 << 16, 1)])
def test_a_certificate_takes_no_more_than_it_says(size: tuple[int, int], tmp_path: Path) -> None:
    x, y, _ = ivm.axes()
    proof = ivm.prove(x * x + y * y - 0.25, resolution=size)
    tracemalloc.start()
    proof.save(tmp_path / "proof.jsonl")
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken <= bytes_beside(*size, lists=True)


def test_a_proof_too_large_for_any_machine_is_refused_before_the_work() -> None:
    x, y, _ = ivm.axes()
    with pytest.raises(DoesNotFit, match=r"a proof of \d+x\d+ cells needs .*: give a lower resol"):
        ivm.prove(x + y, resolution=1 << 24)


def test_a_short_file_asks_for_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "short.vm"
    path.write_text("x var-x\ny var-y\nv sub x y\n")
    ivm.load(path)
    tracemalloc.start()
    ivm.load(path)
    taken = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert taken < 4 << 20


@pytest.mark.parametrize(("engine", "size"), [("dense", "24000"), ("naive", "12000")])
def test_too_little_address_space_is_a_typed_error_and_leaves_the_old_file(
    tmp_path: Path, engine: str, size: str
) -> None:
    path, out = tmp_path / "shape.vm", tmp_path / "shape.npy"
    path.write_text("x var-x\n" + "y var-y\nv mul x y\n")
    out.write_bytes(b"old")
    code = "from intervalvm.cli import run; run()"
    words = ["render", str(path), "--engine", engine, "--size", size, "--out", str(out)]
    done = run_limited(code, 400, *words)
    assert done.returncode == 3, done.stderr
    assert done.stderr.startswith("intervalvm: error: ")
    assert "Traceback" not in done.stderr
    assert out.read_bytes() == b"old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["shape.npy", "shape.vm"]


def test_the_dense_engine_halves_its_bands_until_they_fit(tmp_path: Path) -> None:
    path, out = tmp_path / "shape.vm", tmp_path / "shape.npy"
    path.write_text("x var-x\n" + "y var-y\nv mul x y\n")
    code = "from intervalvm.cli import run; run()"
    words = ["render", str(path), "--engine", "dense", "--size", "12000", "--out", str(out)]
    done = run_limited(code, 400, *words)  # whole arrays of float32 would take 1.7 GB
    assert done.returncode == 0, done.stderr
    assert np.count_nonzero(np.load(out, mmap_mode="r")) == 72_000_000


WORDS = [b"x", b"y", b"var-x", b"add", b"const", b"var-", b"1e-3", b"\n", b"\r", b" ", b"#", b"\0"]


@given(st.lists(st.sampled_from(WORDS) | st.binary(max_size=3), max_size=40), st.booleans())
@settings(max_examples=150)
def test_any_bytes_are_read_or_refused_with_a_place(pieces: list[bytes], spaced: bool) -> None:
    reader.one((b" " if spaced else b"").join(pieces))
