"""Where files are written, and where they are not: odd names, links, pipes, what others have left.

What is promised is in ``docs/trust.md``: the whole file, or a ``FileError`` and no other file.
"""

from __future__ import annotations

import ctypes
import io
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.places import TOP

import intervalvm as ivm
from intervalvm.errors import ArgumentTypeError, FileError
from intervalvm.files import (
    LEFT_SECONDS,
    TEMPORARY,
    check_writable,
    descriptor_of,
    same_file,
    write_atomically,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

NOBODY = 65534
LONG_AGO = 2 * LEFT_SECONDS

posix = pytest.mark.skipif(os.name != "posix", reason="pipes, links and owners of POSIX")
as_root = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give a file away"
)
descriptors = pytest.mark.skipif(not Path("/dev/fd").exists(), reason="no /dev/fd here")


def put(path: Any, data: bytes = b"new") -> None:
    write_atomically(path, lambda stream: stream.write(data))


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


# --- names ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", [check_writable, put])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a" * 300, "File name too long: choose a shorter one"),
        ("a/" * 3000 + "b", "File name too long: choose a shorter one"),
        ("a" * 300 + "/b", "File name too long: choose a shorter one"),
        ("a\0b", "'a\\\\x00b' cannot be the name of a file"),
        ("a\ud800b", "'a\\\\ud800b' cannot be the name of a file"),
        ("loop", "links"),
        (".", "is a folder"),
        ("..", "is a folder"),
        ("folder/", "is a folder"),
        ("none/b", "there is no folder none: create it first"),
        ("none/", "there is no folder"),
        ("file/b", "file is not a folder"),
    ],
)
@posix
def test_a_name_that_no_file_can_have_is_refused(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    call: Callable[[str], None],
    name: str,
    message: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "loop").symlink_to("pool")
    (tmp_path / "pool").symlink_to("loop")
    with pytest.raises(FileError, match=message) as caught:
        call(name)
    assert caught.value.exit_status == 2
    assert names(tmp_path) == ["file", "folder", "loop", "pool"]


GONE = """
import os, sys
import intervalvm as ivm
from intervalvm import shapes
from intervalvm.cli import main
file, folder = sys.argv[1:]
tape = ivm.load(file)
os.chdir(folder)
os.rmdir(folder)
image = ivm.render(tape, size=4, engine="dense")
for work in (
    lambda: ivm.load("a.vm"),
    lambda: ivm.load("b/a.vm"),
    lambda: ivm.save(tape, "a.vm"),
    lambda: image.save("a.png"),
    lambda: ivm.trace(eval("lambda x, y: x if x < y else y")),
    lambda: shapes.Font("a.ttf"),
):
    try:
        work()
    except ivm.IntervalvmError:
        continue
    sys.exit("nothing was refused")
engine = "--engine", "dense", "--size", "4"
assert main(["info", "a.vm"]) == 2
for out, status in (("a.png", 2), ("-", 0), (file + ".png", 0)):
    assert main([file, "--out", out, *engine]) == status, out
    assert main(["a.vm", "--out", out, *engine]) == 2, out
"""


@posix
def test_a_working_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.vm").write_text("x var-x\n")
    (tmp_path / "gone").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", GONE, str(tmp_path / "a.vm"), str(tmp_path / "gone")],
        capture_output=True, check=False, cwd=TOP,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", [None, 3, 2.5, ["a"], {}])
@pytest.mark.parametrize(
    "save",
    [
        lambda path: ivm.save(ivm.parse("x var-x"), path),
        lambda path: ivm.render(ivm.parse("x var-x"), size=4, engine="dense").save(path),
    ],
    ids=["tape", "image"],
)
def test_what_is_no_path_is_a_typed_error(save: Callable[[Any], None], path: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="is no path: give the name of a file"):
        save(path)


@given(
    name=st.text(
        st.characters(exclude_characters="/", exclude_categories=()), min_size=1, max_size=6
    )
    | st.sampled_from(["a" * 255, "é" * 127, "é" * 128, "-", "~", " ", "\n", "con", "a:b", "*"])
)
@example("\udcff")
@example(TEMPORARY.format("0" * 12))
def test_any_name_is_written_whole_or_refused(name: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "beside").write_bytes(b"old")
        refused = False
        try:
            put(os.path.join(folder, name))
        except FileError:
            refused = True
        assert set(os.listdir(folder)) == ({"beside"} if refused else {"beside", name})
        if not refused:
            with open(os.path.join(folder, name), "rb") as file:
                assert file.read() == b"new"


AS_OTHERS = """
import sys
from intervalvm.errors import FileError
from intervalvm.files import check_writable, write_atomically
for call in (check_writable, lambda path: write_atomically(path, lambda stream: None)):
    try:
        call(sys.argv[1])
    except FileError as error:
        print(error)
"""


def obey_modes() -> None:
    """Before a program starts: root may no more write, or search, where a mode forbids it."""
    if os.geteuid() == 0:
        drop_from_bounding_set = 24
        for write_anywhere_search_anywhere in (1, 2):
            if ctypes.CDLL(None).prctl(
                drop_from_bounding_set, write_anywhere_search_anywhere, 0, 0, 0
            ):
                raise PermissionError


@posix
@pytest.mark.parametrize("mode", [0o000, 0o400, 0o600])
def test_a_folder_that_may_not_be_searched_is_said(tmp_path: Path, mode: int) -> None:
    folder = tmp_path / "locked"
    folder.mkdir()
    folder.chmod(mode)
    try:
        done = subprocess.run(
            [sys.executable, "-c", AS_OTHERS, str(folder / "a.png")],
            capture_output=True,
            text=True,
            env=os.environ | {"PYTHONPATH": str(TOP)},
            check=False,
            preexec_fn=obey_modes,
        )
    except subprocess.SubprocessError:
        pytest.skip("root may search any folder, and cannot give that up here")
    finally:
        folder.chmod(0o700)
    assert done.stderr == ""
    line = f"cannot write {folder}/a.png: Permission denied: choose another place\n"
    assert done.stdout == 2 * line


@posix
def test_a_folder_that_may_not_be_listed_is_written_to(tmp_path: Path) -> None:
    folder = tmp_path / "blind"
    folder.mkdir(mode=0o300)
    code = (
        "import sys; from intervalvm.files import write_atomically;"
        "write_atomically(sys.argv[1], lambda stream: stream.write(b'new'))"
    )
    try:
        subprocess.run(
            [sys.executable, "-c", code, str(folder / "a")],
            env=os.environ | {"PYTHONPATH": str(TOP)},
            check=True,
            preexec_fn=obey_modes,
        )
    except subprocess.SubprocessError as error:
        if isinstance(error, subprocess.CalledProcessError):
            raise
        pytest.skip("root may list any folder, and cannot give that up here")
    finally:
        folder.chmod(0o700)
    assert names(folder) == ["a"]


# --- descriptors, pipes and devices ---------------------------------------------------------------


@pytest.fixture
def log(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A file with a line in it, and the number of a descriptor that appends to it."""
    path = tmp_path / "log"
    path.write_bytes(b"line\n")
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND)
    yield path, descriptor
    os.close(descriptor)


@descriptors
@pytest.mark.parametrize("place", ["/dev/fd/{}", "/proc/self/fd/{}", "link"])
def test_a_descriptor_is_written_where_it_stands(
    tmp_path: Path, log: tuple[Path, int], place: str
) -> None:
    path, number = log
    name = place.format(number)
    if place == "link":
        name = str(tmp_path / "link")
        os.symlink(f"/dev/fd/{number}", name)
    elif not os.path.exists(name):
        pytest.skip(f"no {name} here")
    before = path.stat().st_ino
    put(name)
    put(name, b"er")
    assert descriptor_of(name) == number
    assert path.read_bytes() == b"line\nnewer"
    assert path.stat().st_ino == before
    os.write(number, b"!")  # it is still open


@descriptors
@pytest.mark.parametrize("format", ["png", "tif", "npy", "webp"])
def test_a_picture_is_whole_in_a_pipe_and_after_what_a_file_holds(
    log: tuple[Path, int], format: str
) -> None:
    image = ivm.render(ivm.parse("x var-x"), size=16, engine="dense")
    image.write(expected := io.BytesIO(), format)
    path, number = log
    image.save(f"/dev/fd/{number}", format)
    assert path.read_bytes() == b"line\n" + expected.getvalue()
    reading, writing = os.pipe()
    image.save(f"/dev/fd/{writing}", format)
    os.close(writing)
    with open(reading, "rb") as pipe:
        assert pipe.read() == expected.getvalue()


@descriptors
def test_nothing_of_what_fails_reaches_a_descriptor(log: tuple[Path, int]) -> None:
    path, number = log

    def half(stream: Any) -> None:
        stream.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(f"/dev/fd/{number}", half)
    assert path.read_bytes() == b"line\n"


@descriptors
def test_a_descriptor_that_takes_nothing_is_said(tmp_path: Path, log: tuple[Path, int]) -> None:
    path, _ = log
    with path.open("rb") as reader, pytest.raises(FileError, match="open for reading alone"):
        put(f"/dev/fd/{reader.fileno()}")
    with pytest.raises(FileError, match="Bad file descriptor"):
        put("/dev/fd/987654")
    assert path.read_bytes() == b"line\n"


@posix
def test_a_named_pipe_gets_the_bytes_and_stays(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append((tmp_path / "pipe").read_bytes()))
    reader.start()
    put(tmp_path / "pipe")
    reader.join()
    assert read == [b"new"]
    assert (tmp_path / "pipe").is_fifo()


# --- what others have put there -------------------------------------------------------------------


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder like /tmp: all may write, and remove only what is theirs."""
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o1777)
    return folder


@posix
@as_root
@pytest.mark.parametrize("owner", [0, NOBODY])
@pytest.mark.parametrize("mode", [0o755, 0o777, 0o1755, 0o1777])
def test_a_link_of_another_users_is_not_followed_where_all_may_write(
    tmp_path: Path, mode: int, owner: int
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    folder.chmod(mode)
    (tmp_path / "victim").write_bytes(b"old")
    (folder / "a.png").symlink_to(tmp_path / "victim")
    (tmp_path / "to.png").symlink_to(folder / "a.png")
    os.lchown(folder / "a.png", owner, owner)
    for name in (folder / "a.png", tmp_path / "to.png"):
        if (mode, owner) == (0o1777, NOBODY):
            with pytest.raises(FileError, match="is a link of another user's"):
                put(name)
            assert (tmp_path / "victim").read_bytes() == b"old"
        else:
            put(name)
            assert (tmp_path / "victim").read_bytes() == b"new"
        (tmp_path / "victim").write_bytes(b"old")
    os.chown(folder, owner, owner)  # the folder's owner may do there what they like
    put(folder / "a.png")


@posix
@as_root
def test_a_pipe_of_another_users_is_not_written_to_where_all_may_write(shared: Path) -> None:
    os.mkfifo(shared / "a.png")
    (shared / "a.png").chmod(0o666)
    os.chown(shared / "a.png", NOBODY, NOBODY)
    with pytest.raises(FileError, match="is a pipe or device of another user's"):
        put(shared / "a.png")


@posix
@as_root
def test_rights_that_another_user_gave_do_not_make_a_program(shared: Path) -> None:
    (shared / "a").write_bytes(b"old")
    (shared / "a").chmod(0o6755)
    put(shared / "a")
    assert (shared / "a").stat().st_mode & 0o7777 == 0o755


def aged(path: Path) -> Path:
    then = time.time() - LONG_AGO
    os.utime(path, (then, then), follow_symlinks=False)
    return path


@posix
def test_a_pipe_named_like_a_leftover_hangs_nobody(shared: Path) -> None:
    os.mkfifo(shared / TEMPORARY.format("0" * 12))
    aged(shared / TEMPORARY.format("0" * 12))
    put(shared / "a")
    assert names(shared) == [TEMPORARY.format("0" * 12), "a"]


@posix
@pytest.mark.parametrize("middle", ["mine", "0" * 11, "0" * 13, "0123456789aB", "*", "../0000000"])
def test_a_file_that_only_resembles_a_leftover_stays(tmp_path: Path, middle: str) -> None:
    name = TEMPORARY.format(middle).replace("/", "_")
    (tmp_path / name).write_bytes(b"precious")
    aged(tmp_path / name)
    put(tmp_path / "a")
    assert names(tmp_path) == sorted([name, "a"])


@posix
def test_a_link_named_like_a_leftover_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"old")
    aged(tmp_path / "precious")
    (tmp_path / TEMPORARY.format("0" * 12)).symlink_to("precious")
    aged(tmp_path / TEMPORARY.format("0" * 12))
    put(tmp_path / "a")
    assert names(tmp_path) == [TEMPORARY.format("0" * 12), "a", "precious"]


@posix
@as_root
def test_a_leftover_of_another_users_stays(shared: Path) -> None:
    for owner, digit in ((NOBODY, "0"), (0, "1")):
        leftover = shared / TEMPORARY.format(digit * 12)
        leftover.write_bytes(b"half")
        os.chown(leftover, owner, owner)
        aged(leftover)
    put(shared / "a")
    assert names(shared) == [TEMPORARY.format("0" * 12), "a"]


# --- the same file --------------------------------------------------------------------------------


@posix
def test_files_are_the_same_by_any_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "a").write_bytes(b"")
    (tmp_path / "hard").hardlink_to("a")
    (tmp_path / "soft").symlink_to("a")
    (tmp_path / "new").symlink_to("folder/none")
    for one, other, same in (
        ("a", "a", True),
        ("a", "./folder/../a", True),
        ("a", str(tmp_path / "a"), True),
        ("a", "hard", True),
        ("a", "soft", True),
        ("hard", "soft", True),
        ("none", "./none", True),
        ("new", "folder/none", True),
        ("a", "none", False),
        ("none", "other", False),
        ("a\0", "a", False),
        ("a" * 300, "a", False),
        (os.devnull, os.devnull, False),
    ):
        assert same_file(one, other) is same, (one, other)
        assert same_file(other, one) is same, (other, one)
