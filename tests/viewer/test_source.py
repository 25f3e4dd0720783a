"""Files that a window shows: read anew when they change, with errors, in processes of their own."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from intervalvm.errors import FileError, FormatError, VariableError
from intervalvm.viewer import source as sources
from intervalvm.viewer.source import FileSource, Source

WAIT_SECONDS = 60.0
HALF = "x var-x\n"
"""A half plane."""
DISC = "x var-x\ny var-y\na square x\nb square y\nr add a b\nc const 0.5\nv sub r c\n"
SCRIPT = "from intervalvm.shapes import *\nshape = {}\n"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "POLL_SECONDS", 0.02)


def until(condition: Callable[[], object]) -> None:
    """Wait until something holds."""
    end = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


@contextmanager
def watched(path: Path) -> Iterator[FileSource]:
    source = FileSource(str(path), {})
    source.start()
    try:
        yield source
    finally:
        source.stop()


def test_a_change_is_told_and_shown(tmp_path: Path) -> None:
    path = tmp_path / "shape.vm"
    path.write_text(HALF)
    with watched(path) as source:
        changes = threading.Semaphore(0)
        end = source.listen(changes.release)
        assert (len(source.scene.tape), source.revision) == (1, 0)
        path.write_text(DISC)
        until(lambda: source.revision == 1)
        assert len(source.scene.tape) == 7
        assert changes.acquire(timeout=WAIT_SECONDS)
        end()


def test_a_file_that_is_replaced_is_read(tmp_path: Path) -> None:
    path, new = tmp_path / "shape.vm", tmp_path / "new"
    path.write_text(HALF)
    with watched(path) as source:
        new.write_text(DISC)
        new.replace(path)
        until(lambda: len(source.scene.tape) == 7)


def test_an_error_is_told_with_its_line_and_the_shape_stays(tmp_path: Path) -> None:
    path = tmp_path / "shape.vm"
    path.write_text(HALF)
    with watched(path) as source:
        path.write_text("x var-x\nv sin2 x\n")
        until(lambda: source.problem)
        assert source.problem is not None
        assert source.problem.line == 2
        assert "sin2" in source.problem.message
        assert len(source.scene.tape) == 1
        path.unlink()
        until(lambda: source.problem is not None and "no such file" in source.problem.message)
        path.write_text(DISC)
        until(lambda: source.problem is None)
        assert len(source.scene.tape) == 7


def test_a_file_that_is_being_written_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look finds another part of it, until it is whole."""
    path = tmp_path / "shape.vm"
    path.write_text(HALF)
    with watched(path) as source:
        told: list[object] = []
        source.listen(lambda: told.append(source.problem))
        look, parts = source._look, [f"x var-x\nv sin{'2' * n} x\n" for n in range(1, 20)]

        def written() -> object:
            path.write_text(parts.pop() if parts else DISC)
            return look()

        monkeypatch.setattr(source, "_look", written)
        until(lambda: len(source.scene.tape) == 7)
        assert not any(told)


def test_a_file_that_cannot_be_shown_at_first_raises(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="no such file"):
        FileSource(str(tmp_path / "shape.vm"), {})
    (tmp_path / "shape.py").write_text("shape = 1 +\n")
    with pytest.raises(FormatError) as raised:
        FileSource(str(tmp_path / "shape.py"), {})
    assert raised.value.line == 1


def test_a_variable_that_the_file_does_not_have_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "shape.vm"
    path.write_text(HALF)
    with pytest.raises(VariableError, match="'q'"):
        FileSource(str(path), {"q": 1.0})


def test_a_script_runs_again_when_it_changes(tmp_path: Path) -> None:
    path = tmp_path / "shape.py"
    path.write_text(SCRIPT.format("circle(1)"))
    with watched(path) as source:
        clauses = len(source.scene.tape)
        path.write_text(SCRIPT.format("circle(1) | circle(2).move(5)"))
        until(lambda: source.revision)
        assert len(source.scene.tape) > clauses
        path.write_text(SCRIPT.format("crcle(1)"))
        until(lambda: source.problem)
        assert source.problem is not None
        assert source.problem.line == 2


ENDLESS = """\
import os, subprocess, sys, time
from intervalvm.shapes import circle
shape = circle(1)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(1000)"])
with open({pids!r}, "a") as file:
    print(os.getpid(), child.pid, file=file, flush=True)
while True:
    time.sleep(1)
"""


def pids_in(path: Path, count: int) -> list[int]:
    until(lambda: path.exists() and len(path.read_text().split()) >= count)
    return [int(pid) for pid in path.read_text().split()]


def are_gone(pids: list[int]) -> bool:
    return not any(
        psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
        for pid in pids
    )


def test_a_script_that_runs_is_ended_by_a_change_and_by_the_end(tmp_path: Path) -> None:
    """With all processes that it has started."""
    path, pids = tmp_path / "shape.py", tmp_path / "pids"
    path.write_text(SCRIPT.format("circle(1)"))
    with watched(path) as source:
        path.write_text(ENDLESS.format(pids=str(pids)))
        first = pids_in(pids, 2)
        path.write_text(SCRIPT.format("circle(1) | circle(2).move(5)"))
        until(lambda: source.revision == 1)
        assert source.problem is None
        until(lambda: are_gone(first))
        path.write_text(ENDLESS.format(pids=str(pids)))
        pids_in(pids, 4)
    until(lambda: are_gone(pids_in(pids, 4)))


def test_a_script_that_takes_too_long_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "RUN_SECONDS", 0.1)
    path, pids = tmp_path / "shape.py", tmp_path / "pids"
    path.write_text(ENDLESS.format(pids=str(pids)))
    with pytest.raises(FileError, match=r"no shape after 0\.1 s"):
        FileSource(str(path), {})


def test_a_source_tells_bounds_later() -> None:
    from intervalvm.shapes import circle
    from intervalvm.viewer.scene import Scene

    source = Source(Scene(circle(1), ""))
    told = threading.Event()
    source.listen(told.set)
    source.start()
    assert told.wait(WAIT_SECONDS)
    assert source.scene.bounds is not None


@pytest.mark.skipif(not hasattr(os, "killpg"), reason="needs signals")
def test_a_script_that_kills_itself_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "shape.py"
    path.write_text(f"import os\nos.kill(os.getpid(), {int(signal.SIGSEGV)})\n")
    with pytest.raises(FileError, match="signal 11"):
        FileSource(str(path), {})


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes with names")
@pytest.mark.parametrize("suffix", ["vm", "py"])
def test_a_pipe_in_place_of_the_file_is_an_error(tmp_path: Path, suffix: str) -> None:
    path, pipe = tmp_path / f"shape.{suffix}", tmp_path / "pipe"
    path.write_text(HALF if suffix == "vm" else SCRIPT.format("circle(1)"))
    os.mkfifo(pipe)
    with watched(path) as source:
        pipe.replace(path)
        until(lambda: source.problem is not None)
        assert source.problem is not None
        assert "a pipe or a device" in source.problem.message


DETACHED = """\
import os, time
from pathlib import Path
if os.fork() == 0:
    os.setsid()
    Path({pid!r}).write_text(str(os.getpid()))
    time.sleep({seconds})
    os._exit(0)
time.sleep({seconds})
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs processes that part")
def test_a_process_that_a_script_leaves_behind_holds_nothing_up(tmp_path: Path) -> None:
    path, pid = tmp_path / "shape.py", tmp_path / "pid"
    path.write_text(SCRIPT.format("circle(1)"))
    with watched(path) as source:
        path.write_text(DETACHED.format(pid=str(pid), seconds=WAIT_SECONDS))
        until(lambda: pid.exists() and pid.read_text())
        path.write_text(SCRIPT.format("circle(1) | circle(2).move(5)"))
        until(lambda: source.revision == 1)
        assert source.problem is None
    left = psutil.Process(int(pid.read_text()))
    left.kill()


def test_a_script_that_closes_its_answer_and_goes_on_takes_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sources, "RUN_SECONDS", 0.5)
    path = tmp_path / "shape.py"
    path.write_text(f"import os, time\nos.closerange(3, 100)\ntime.sleep({WAIT_SECONDS})\n")
    with pytest.raises(FileError, match=r"no shape after 0\.5 s|its process ended"):
        FileSource(str(path), {})
