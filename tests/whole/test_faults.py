"""Bad luck, brought about for real: signals, kills, full disks, races. What is promised is in
``docs/trust.md``: nothing lost, nothing half-written, no wrong pixel, a clear message."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from numpy.testing import assert_array_equal
from support.places import TOP

import intervalvm as ivm
from intervalvm import FileError
from intervalvm.cli import main
from intervalvm.files import LEFT_SECONDS, TEMPORARY, write_atomically
from intervalvm.jit import cache, native

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

CIRCLE = "x var-x\ny var-y\na square x\nb square y\nc add a b\nk const 0.5\nv sub c k\n"
ENVIRONMENT = os.environ | {"PYTHONPATH": str(TOP)}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and mounts of POSIX")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "circle.vm").write_text(CIRCLE)
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def start(code: str, *words: str, **environment: str) -> subprocess.Popen[str]:
    """A process that runs Python code, of which the first line that it prints has been read."""
    running = subprocess.Popen(
        [sys.executable, "-c", code, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT | environment,
    )
    assert running.stdout is not None
    assert running.stdout.readline() == "ready\n"
    return running


# --- signals: the command line is stopped where it says "ready" -----------------------------------

STOPPED = """
import sys, time
from intervalvm import cli
from intervalvm.jit import workers
from intervalvm.raster import bands, image
def stop(*_, **__):
    print("ready", flush=True)
    time.sleep(60)
def half(self, stream, format="png"):
    stream.write(b"half")
    stream.flush()
    stop()
place = sys.argv[1]
serve = workers._serve
def begin(*given):
    print("ready", flush=True)
    serve(*given)
if place == "compile":
    workers.PROGRAM, workers._serve = "import time; time.sleep(60)", begin
elif place == "render":
    bands.run = stop
else:
    image.Image.write = half
sys.argv[1:] = sys.argv[2:]
cli.run()
"""


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["INT", "TERM"]
)
@pytest.mark.parametrize("place", ["compile", "render", "write"])
def test_a_signal_leaves_the_old_file_and_no_other(
    here: Path, place: str, number: int, status: int
) -> None:
    (here / "circle.png").write_bytes(b"old")
    engine = "pruned" if place == "compile" else "dense"
    words = ("circle.vm", "--size", "64", "--engine", engine)
    running = start(STOPPED, place, *words, XDG_CACHE_HOME=str(here / "cache"))
    running.send_signal(number)
    _, said = running.communicate(timeout=60)
    assert running.returncode == status
    assert "Traceback" not in said
    assert (here / "circle.png").read_bytes() == b"old"
    assert set(names(here)) <= {"circle.png", "circle.vm", "cache"}
    assert not list(here.rglob("*.tmp"))


def test_a_killed_writer_leaves_the_old_file_and_the_next_writer_tidies_up(here: Path) -> None:
    (here / "circle.png").write_bytes(b"old")
    running = start(STOPPED, "write", "circle.vm", "--size", "64", "--engine", "dense")
    running.kill()
    running.communicate(timeout=60)
    assert (here / "circle.png").read_bytes() == b"old"
    (leftover,) = here.glob(TEMPORARY.format("*"))
    write_atomically(here / "new", lambda stream: stream.write(b"new"))
    assert leftover.exists(), "it may belong to a writer that has just begun"
    long_ago = time.time() - 2 * LEFT_SECONDS
    os.utime(leftover, (long_ago, long_ago))
    write_atomically(here / "new", lambda stream: stream.write(b"new"))
    assert names(here) == ["circle.png", "circle.vm", "new"]


def test_the_file_of_a_slow_writer_is_not_tidied_away(here: Path) -> None:
    running = start(STOPPED, "write", "circle.vm", "--size", "64", "--engine", "dense")
    (partial,) = here.glob(TEMPORARY.format("*"))
    long_ago = time.time() - 2 * LEFT_SECONDS
    os.utime(partial, (long_ago, long_ago))
    write_atomically(here / "new", lambda stream: stream.write(b"new"))
    assert partial.exists()
    running.kill()
    running.communicate(timeout=60)


# --- disks ----------------------------------------------------------------------------------------


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A small file system of its own; the test skips where this user may not mount one."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        pytest.skip("there is no mount command")
    if done.returncode:
        pytest.skip(f"cannot mount a tmpfs: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.parametrize("suffix", sorted({"png", "pgm", "ppm", "tif", "npy"}))
def test_a_full_disk_leaves_the_old_file(
    here: Path, capsys: pytest.CaptureFixture[str], suffix: str
) -> None:
    with mounted(here / "small", "size=64k") as disk:
        out = disk / f"circle.{suffix}"
        out.write_bytes(b"old")
        (disk / "filler").write_bytes(b"\0" * (48 << 10))
        words = ["circle.vm", "--size", "2000", "--engine", "dense", "--out", str(out)]
        if suffix == "png":  # a circle takes little: noise does not
            noise = "x var-x\ny var-y\na mix x y\nr rand a\nk const 0.5\nv sub r k\n"
            (here / "circle.vm").write_text(noise)
        status = main(words)
        assert (status, out.read_bytes()) == (3, b"old")
        assert names(disk) == sorted(["filler", out.name])
    assert "No space left on device: make room, or write to another place" in (
        capsys.readouterr().err
    )


def test_a_full_disk_leaves_an_old_tape(here: Path) -> None:
    tape = ivm.parse("a0 var-x\n" + "".join(f"a{i} neg a{i - 1}\n" for i in range(1, 20_000)))
    with mounted(here / "small", "size=64k") as disk:
        (disk / "t.vm").write_bytes(b"old")
        with pytest.raises(FileError, match="No space left") as caught:
            ivm.save(tape, disk / "t.vm")
        assert caught.value.exit_status == 3
        assert names(disk) == ["t.vm"]
        assert (disk / "t.vm").read_bytes() == b"old"


@pytest.mark.parametrize("suffix", ["svg", "dxf", "geojson"])
def test_a_full_disk_leaves_an_old_outline(here: Path, suffix: str) -> None:
    corners = [[k, k * k % 977] for k in range(20_000, 0, -1)]
    outline = ivm.Outline(([*corners, corners[0]],))
    with mounted(here / "small", "size=64k") as disk:
        out = disk / f"outline.{suffix}"
        out.write_bytes(b"old")
        with pytest.raises(FileError, match="No space left") as caught:
            outline.save(out)
        assert caught.value.exit_status == 3
        assert names(disk) == [out.name]
        assert out.read_bytes() == b"old"


def test_a_full_disk_keeps_no_part_of_a_kernel(
    here: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with mounted(here / "small", "size=64k") as disk:
        cache._keep(disk / "cache" / "kernel.o", b"\0" * (200 << 10))
        assert names(disk / "cache") == []
    assert "the compiled kernels cannot be kept: " in caplog.text
    assert "No space left" in caplog.text


def test_a_read_only_file_system_is_said(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with mounted(here / "locked", "size=64k,ro") as disk:
        assert main(["circle.vm", "--engine", "dense", "--out", str(disk / "c.png")]) == 2
        said = capsys.readouterr().err
        assert said.startswith("intervalvm: error: cannot write ")
        assert said.count("\n") == 1


def obey_modes() -> None:
    """Before a program starts: root may no more write where the mode of a folder forbids it.

    It keeps its name, so what it owns it reads. On Linux a new program of root's has the
    capabilities of its bounding set, and this takes one out.
    """
    if os.geteuid() == 0:
        drop_from_bounding_set, may_write_anywhere = 24, 1
        if ctypes.CDLL(None).prctl(drop_from_bounding_set, may_write_anywhere, 0, 0, 0):
            raise PermissionError


def test_a_read_only_folder_is_said(here: Path) -> None:
    folder = here / "locked"
    folder.mkdir(mode=0o500)
    words = ["circle.vm", "--engine", "dense", "--out", str(folder / "c.png")]
    code = "from intervalvm.cli import run; run()"
    try:
        done = subprocess.run(
            [sys.executable, "-c", code, *words],
            stderr=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
            check=False,
            preexec_fn=obey_modes,
        )
    except subprocess.SubprocessError:
        pytest.skip("root may write anywhere, and cannot give that up here")
    assert done.returncode == 2
    assert "write-protected: choose another place" in done.stderr
    assert names(folder) == []


# --- what is not there ----------------------------------------------------------------------------


def test_a_missing_gpu_is_said_with_the_way_out() -> None:
    tape = ivm.parse(CIRCLE)
    try:
        import cupy  # noqa: F401
    except ImportError:
        for call in (
            lambda: ivm.evaluate(tape, 0, 0, backend="cupy"),
            lambda: ivm.render(tape, size=8, engine="dense", backend="cupy"),
            lambda: ivm.render(tape, size=8, backend="cuda"),
        ):
            with pytest.raises(ivm.BackendError, match="pip install"):
                call()
    else:
        pytest.skip("CuPy is installed")


def test_without_a_home_kernels_are_compiled_and_not_kept(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def nobody() -> Path:
        raise RuntimeError("Could not determine home directory.")

    native.kernel("tame", "float32")
    name = f"tame-float32-float-{native._digest('tame', 'float32')}.o"
    code = cache._read(cache.cache_folder() / name)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", nobody)
    monkeypatch.setattr(native, "_compile", lambda *_: code)
    monkeypatch.setattr(native, "_loaded", {})
    native.kernel("tame", "float32")
    assert "cannot be kept: Could not determine home directory" in caplog.text


# --- many at once ---------------------------------------------------------------------------------

RACE = """
import sys
from pathlib import Path
import intervalvm as ivm
from intervalvm.jit import cache, native
kept, folder = Path(sys.argv[1]), Path(sys.argv[2])
def slow(kind, dtype, meaning, machine):  # stands for the compiler: it made this code before
    print("ready", flush=True)
    sys.stdin.readline()
    name = f"{kind}-{dtype}-{meaning.value}-{native._digest(kind, dtype, meaning)}.o"
    return cache._read(kept / name)
native._compile, native.prepare = slow, lambda *_: None
cache.cache_folder = lambda: folder
print(ivm.render(ivm.parse(sys.argv[3]), size=64).stats.pixels["inside"])
"""


def let_go(waiting: Iterable[subprocess.Popen[str]]) -> None:
    """Have all go on that wait for a line, or for one after the other."""
    for running in waiting:
        assert running.stdin is not None
        running.stdin.write("go\n" * 9)
        running.stdin.flush()


def test_two_processes_that_keep_a_kernel_at_once_both_finish_right(here: Path) -> None:
    expected = ivm.render(ivm.parse(CIRCLE), size=64).stats.pixels["inside"]
    folder = here / "cache"
    both = [start(RACE, str(cache.cache_folder()), str(folder), CIRCLE) for _ in range(2)]
    assert not folder.exists()
    let_go(both)
    for running in both:
        said, wrong = running.communicate(timeout=100)
        assert (running.returncode, wrong) == (0, "")
        assert said.split()[-1] == str(expected)
    entries = names(folder)
    assert len(entries) == len({name.split("-")[0] for name in entries}) > 0
    for name in entries:
        assert cache._read(folder / name) is not None


COMPILE = """
import sys, numpy as np, intervalvm as ivm
from intervalvm.compiler.fold import unfolded
from intervalvm.evaluate.arithmetic import Inputs
from intervalvm.jit import arithmetic, native
from intervalvm.words import Meaning
compile = native._compile
def together(*words):
    print("ready", flush=True)
    sys.stdin.readline()
    code = compile(*words)
    print("compiled")
    return code
native._compile, native.prepare = together, lambda *_: None
tape = ivm.parse(sys.argv[1])
dtype = np.dtype("float32")
floats = arithmetic.arithmetic(Meaning.FLOAT, dtype)
found = floats.clause_bounds(unfolded(tape, floats), Inputs.box([(-1, 1)] * 2, dtype))
print(found.lower[-1], found.upper[-1])
"""
"""Compiles the kernel that takes the least time: it bounds a tape, here over [-1, 1] squared."""


def test_two_processes_that_compile_at_once_both_finish_right(here: Path) -> None:
    """Each has found an empty cache before either goes on to compile."""
    folder = here / "cache"
    places = dict.fromkeys(("XDG_CACHE_HOME", "LOCALAPPDATA", "HOME"), str(folder))
    both = [start(COMPILE, CIRCLE, **places) for _ in range(2)]
    assert not folder.exists()
    let_go(both)
    for running in both:
        said, waits_for = running.communicate(timeout=200)
        assert running.returncode == 0
        assert waits_for.startswith("compiling 1 kernel for this processor")
        assert waits_for.count("compiling") == 1
        assert said.split() == ["compiled", "-0.5", "1.5"]
    (entry,) = [path for path in folder.rglob("*") if path.is_file()]
    assert entry.name.startswith("bounds-float32-")
    assert cache._read(entry) is not None


def test_many_threads_that_draw_one_tape_give_the_same_picture() -> None:
    tape = ivm.parse(CIRCLE)
    expected = ivm.render(tape, size=200, engine="dense").pixels
    with ThreadPoolExecutor(16) as pool:
        images = list(pool.map(lambda _: ivm.render(tape, size=200, threads=3), range(64)))
    for image in images:
        assert_array_equal(image.pixels, expected)


def _count(text: str) -> int:
    image = ivm.render(ivm.parse(text), size=100, threads=2)
    return int(np.count_nonzero(image.pixels))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_draw_after_their_parent_has(method: str) -> None:
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f"no {method} here")
    expected = _count(CIRCLE)  # on two threads, which a fork does not take along
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map_async(_count, [CIRCLE] * 4).get(timeout=100) == [expected] * 4


@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_pipe_that_breaks_while_a_picture_is_written(here: Path, unbuffered: str) -> None:
    """The reader takes a few bytes of a picture that no pipe holds as a whole, and leaves."""
    code = "from intervalvm.cli import run; run()"
    noise = "x var-x\ny var-y\na mix x y\nr rand a\nk const 0.5\nv sub r k\n"
    (here / "noise.vm").write_text(noise)
    words = ["noise.vm", "--engine", "dense", "--size", "2000"]
    with subprocess.Popen(
        [sys.executable, "-c", code, *words, "--out", "-"],
        bufsize=0,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=ENVIRONMENT | {"PYTHONUNBUFFERED": unbuffered},
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        assert running.stdout.read(4) == b"\x89PNG"
        running.stdout.close()
        said = running.stderr.read()
        assert running.wait(60) == 141
    assert b"Traceback" not in said


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize("words", [["--out", "-"], ["--json"]], ids=["picture", "json"])
def test_a_full_disk_behind_standard_output(here: Path, words: list[str], unbuffered: str) -> None:
    code = "from intervalvm.cli import run; run()"
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", code, "circle.vm", "--engine", "dense", "--quiet", *words],
            stdout=full,
            stderr=subprocess.PIPE,
            env=ENVIRONMENT | {"PYTHONUNBUFFERED": unbuffered},
            check=False,
        )
    assert done.returncode == 3
    assert done.stderr.startswith(b"intervalvm: error: cannot write standard output: No space")
    assert done.stderr.count(b"\n") == 1
