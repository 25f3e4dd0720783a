"""Errors: each is of one family, of the built-in kind, and crosses processes whole."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

import intervalvm as ivm
from intervalvm import errors

KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]
KINDS = [kind for kind in KINDS if issubclass(kind, Exception)]


def made(kind: type[Exception]) -> Exception:
    """An error of that kind, with all that its class keeps."""
    if kind is errors.FormatError:
        return errors.FormatError("bad", name="a.vm", line=3, column=4, mark="  ~^")
    if kind is errors.FileError:
        return errors.FileError("full", disk_full=True)
    return kind("what is wrong: and the way out")


@pytest.mark.parametrize("kind", KINDS)
def test_is_of_the_family_and_public(kind: type[Exception]) -> None:
    assert issubclass(kind, ivm.IntervalvmError)
    assert getattr(ivm, kind.__name__) is kind


@pytest.mark.parametrize("kind", KINDS)
def test_survives_pickle(kind: type[Exception]) -> None:
    error = made(kind)
    error.add_note("seen on the way")
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is kind
    assert (str(again), again.args, vars(again)) == (str(error), error.args, vars(error))


def test_type_errors_are_type_errors() -> None:
    x, _, _ = ivm.axes()
    with pytest.raises(TypeError) as found:
        bool(x)
    assert isinstance(found.value, ivm.Undecided)
    with pytest.raises(ivm.ArgumentTypeError):
        ivm.evaluate("x", 0, 0)  # type: ignore[arg-type]


@pytest.mark.parametrize("start", multiprocessing.get_all_start_methods())
def test_a_bad_file_in_a_pool(start: str, tmp_path: Path) -> None:
    # an error that does not unpickle breaks an executor, and hangs a Pool for ever
    bad = tmp_path / "bad.vm"
    bad.write_text("x var-x\nout mxa x x\n", encoding="utf-8")
    context = multiprocessing.get_context(start)
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        with pytest.raises(ivm.FormatError, match="did you mean 'max'") as found:
            executor.submit(ivm.load, bad).result(timeout=60)
        assert (found.value.line, found.value.column) == (2, 5)
        assert executor.submit(len, "abc").result(timeout=60) == 3  # it is still of use
    with context.Pool(1) as pool, pytest.raises(ivm.FormatError):
        pool.map_async(ivm.load, [bad]).get(timeout=60)
