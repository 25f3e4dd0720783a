"""A machine without a network, prepared for elsewhere: its packages and its kernels."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.gpu.prepare import installed, load, prepared, put
from intervalvm.gpu.target import HAS_NUMBA_CUDA


def test_wheels_come_ahead_of_the_machines_own(tmp_path: Path) -> None:
    """With what their .pth files do, which is how numba-cuda takes the place of numba.cuda."""
    folder, target = tmp_path / "prepared", tmp_path / "packages"
    (folder / "wheels").mkdir(parents=True)
    about = "pillow-99.0.dist-info"
    with zipfile.ZipFile(folder / "wheels" / "pillow-99.0-py3-none-any.whl", "w") as wheel:
        wheel.writestr("PIL/__init__.py", "HERE = True\n")
        wheel.writestr("redirect.pth", "import sys; sys.redirected = True\n")
        wheel.writestr(f"{about}/METADATA", "Metadata-Version: 2.1\nName: pillow\nVersion: 99.0\n")
        wheel.writestr(
            f"{about}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{about}/RECORD", "")
    path, used = installed(folder, target)
    assert used == ["ahead of the machine's own: pillow-99.0-py3-none-any.whl"]
    code = "import sys, PIL; print(PIL.HERE, sys.redirected)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "True True\n"


def test_wheels_that_cannot_be_installed_are_left(tmp_path: Path) -> None:
    (tmp_path / "wheels").mkdir()
    assert "no wheels" in installed(tmp_path, tmp_path / "packages")[1][0]
    (tmp_path / "wheels" / "pillow-99.0-py3-none-any.whl").write_bytes(b"no archive")
    path, used = installed(tmp_path, tmp_path / "packages")
    assert path == ""
    assert used == ["the wheels cannot be installed: the machine's own packages are used"]


class Loader:
    """A device that loads machine code, and notes it."""

    capability = (9, 0)

    def __init__(self) -> None:
        self.loaded: list[bytes] = []
        loads = SimpleNamespace(Module=lambda: SimpleNamespace(load=self.loaded.append))
        self.module = SimpleNamespace(cuda=SimpleNamespace(function=loads))


@pytest.mark.skipif(not HAS_NUMBA_CUDA, reason="numba-cuda is not installed")
def test_prepared_kernels_are_found_under_another_machines_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its compilers have other versions, and no kernel is compiled there."""
    from bench.gpu import prepare
    from intervalvm.gpu import kernels, switches

    chosen = kernels.Kernel("inside", "float32", tame=False, is_bitmap=True)
    monkeypatch.setattr(prepare, "_all_kernels", lambda: [chosen])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "here"))
    assert prepare._compile(tmp_path / "kernels", (9, 0)) == []
    code = kernels.code_of(chosen, (9, 0))

    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "there"))
    monkeypatch.setattr(kernels, "_version", lambda name: "another")
    device = Loader()
    for names, content in prepared(tmp_path, (9, 0)):
        for kernel in names:
            put(kernel, (9, 0), content)
        load(device, content)
    assert device.loaded == [code[0]]
    monkeypatch.setattr(kernels, "ptx", None)  # to compile is an error
    assert kernels.code_of(chosen, (9, 0)) == code
    with pytest.raises(prepare.Unfit, match="the device has"):
        prepared(tmp_path, (8, 0))
    with monkeypatch.context() as context:
        context.setattr(switches, "is_default", lambda switch: False)
        with pytest.raises(prepare.Unfit, match="asks for others"):
            prepared(tmp_path, (9, 0))
    monkeypatch.setattr(prepare, "_sources", lambda: "others")
    with pytest.raises(prepare.Unfit, match="prepare the folder again"):
        prepared(tmp_path, (9, 0))
