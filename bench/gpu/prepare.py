"""What a machine without a network needs: a folder with wheels, kernels and the file to draw.

``prepare`` makes it where there is a network; ``installed`` and ``prepared`` use it there.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import astuple
from importlib.metadata import version
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from unittest.mock import patch

from bench.gpu.process import TOP

if TYPE_CHECKING:
    from intervalvm.gpu.devices import CupyDevice
    from intervalvm.gpu.kernels import Capability, Kernel

WHEELS, KERNELS, LIST, FILE = "wheels", "kernels", "kernels.json", "prospero.vm"
NAMES = TOP / "bench" / "gpu" / "wheels.txt"
GLIBC = range(17, 40)
"""Minor versions of glibc whose wheels are taken; the machine's pip takes none that is too new."""
MACHINE_CODE = b"\x7fELF"
DTYPES = ("float32", "float64")


def prepare(folder: Path, python: str, capability: str) -> int:
    """Fill a folder for a version of Python and a compute capability; 1 if something failed."""
    folder.mkdir(parents=True, exist_ok=True)
    status = _download(folder / WHEELS, python)
    from bench.subject import subject

    shutil.copy(subject().path, folder / FILE)
    major, _, minor = capability.partition(".")
    failed = _compile(folder / KERNELS, (int(major), int(minor)))
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / (1 << 20):.1f} MiB")
    return 1 if status or failed else 0


def _download(folder: Path, python: str) -> int:
    """The wheels of ``wheels.txt``, in the versions that are installed here; pip's status."""
    lines = NAMES.read_text(encoding="utf-8").splitlines()
    names = [line for line in lines if line and not line.startswith("#")]
    shutil.rmtree(folder, ignore_errors=True)
    platforms = [f"--platform=manylinux_2_{minor}_x86_64" for minor in GLIBC]
    words = ["--quiet", "--no-deps", "--only-binary=:all:", f"--python-version={python}"]
    words += ["--implementation=cp", *platforms, "--platform=manylinux2014_x86_64"]
    pinned = [f"{name}=={version(name)}" for name in names]
    return _pip("download", *words, "--dest", str(folder), *pinned).returncode


def _pip(*words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pip", *words, "--disable-pip-version-check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        print(done.stdout + done.stderr, file=sys.stderr)
    return done


# --- kernels --------------------------------------------------------------------------------------


def _all_kernels() -> list[Kernel]:
    """Every kernel by name."""
    from intervalvm.gpu.kernels import BUILDERS, Kernel

    ways = product(BUILDERS, DTYPES, (True, False), (True, False))
    return [Kernel(kind, dtype, tame, is_bitmap) for kind, dtype, tame, is_bitmap in ways]


def _groups() -> list[list[Kernel]]:
    """The same, those together whose code is the same: a kind need not depend on all of a name."""
    found: dict[Any, list[Kernel]] = {}
    for kernel in _all_kernels():
        found.setdefault(_code_key(kernel), []).append(kernel)
    return list(found.values())


def _code_key(kernel: Kernel) -> Any:
    """What of a kernel's name is read when it is built, and the types of its parameters."""
    from intervalvm.gpu.kernels import BUILDERS

    read: dict[str, Any] = {}

    class Noting:
        def __getattr__(self, name: str) -> Any:
            return read.setdefault(name, getattr(kernel, name))

    BUILDERS[kernel.kind](cast("Kernel", Noting()))
    return kernel.kind, *sorted(read.items()), *kernel.parameters.items()


def compiled(capability: Capability) -> Iterator[tuple[list[Kernel], bytes | str]]:
    """Machine code of all kernels, by all CPUs, as it is made; or why there is none."""
    spawning = get_context("spawn")  # this process may use the device
    with ProcessPoolExecutor(os.cpu_count(), spawning) as pool:
        jobs = {pool.submit(_made, group[0], capability): group for group in _groups()}
        for job in as_completed(jobs):
            try:
                yield jobs[job], job.result()
            except Exception as error:
                yield jobs[job], f"{type(error).__name__}: {error}"


def _compile(folder: Path, capability: Capability) -> list[str]:
    """Fill a folder with machine code of all kernels; the names of those that have none."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    found: dict[str, list[tuple[Any, ...]]] = {}
    failed = []
    start = time.monotonic()
    for kernels, code in compiled(capability):
        first, seconds = str(kernels[0]), time.monotonic() - start
        if isinstance(code, bytes) and not code_in(code).startswith(MACHINE_CODE):
            code = "nvJitLink is not installed: there is only PTX"
        if isinstance(code, str):
            failed.append(first)
            print(f"{seconds:6.1f} s  {first}: {code}", file=sys.stderr)
            continue
        print(f"{seconds:6.1f} s  {first}, {len(code) / 1024:.0f} KiB", flush=True)
        name = f"{first.replace(' ', '-')}.cubin"
        (folder / name).write_bytes(code)
        found[name] = [astuple(kernel) for kernel in kernels]
    about = {"sources": _sources(), "capability": list(capability), "kernels": found}
    (folder / LIST).write_text(json.dumps(about, indent=1))
    return failed


def _made(kernel: Kernel, capability: Capability) -> bytes:
    """What the cache keeps of a kernel."""
    from intervalvm.gpu.kernels import code_of
    from intervalvm.jit import cache

    kept, content = cache.kept, b""

    def keep(name: str, make: Callable[[], bytes]) -> bytes:
        nonlocal content
        content = kept(name, make)
        return content

    with patch.object(cache, "kept", keep):
        code_of(kernel, capability)
    return content


def _sources() -> str:
    """A digest of the sources that kernels are made of: machine code of others is not used."""
    from intervalvm.jit import cache

    return cache._digest_of_sources(("gpu.kernels",)).hex()


def code_in(content: bytes) -> bytes:
    """Machine code or PTX, without the name of its function."""
    return content.partition(b"\0")[2]


class Unfit(Exception):
    """The folder's kernels are not those of these sources and this device."""


def prepared(folder: Path, capability: Capability) -> list[tuple[list[Kernel], bytes]]:
    """What was compiled for a compute capability, of the sources as they are; raises Unfit."""
    from intervalvm.gpu import switches
    from intervalvm.gpu.kernels import Kernel

    for switch in (switches.LINKER, switches.OPTIMIZE, switches.REGISTERS):
        if not switches.is_default(switch):
            raise Unfit(f"{switch.name} asks for others")
    try:
        about = json.loads((folder / KERNELS / LIST).read_text())
    except FileNotFoundError as error:
        raise Unfit(f"there are none: {error}") from error
    if about["sources"] != _sources():
        raise Unfit("the sources have changed since: prepare the folder again")
    if about["capability"] != list(capability):
        raise Unfit(f"prepared for {about['capability']}, the device has {list(capability)}")
    return [
        ([Kernel(*words) for words in kernels], (folder / KERNELS / name).read_bytes())
        for name, kernels in about["kernels"].items()
    ]


def load(device: CupyDevice, content: bytes) -> None:
    """Raise the device's error where it does not load the code."""
    device.module.cuda.function.Module().load(code_in(content))


def put(kernel: Kernel, capability: Capability, content: bytes) -> None:
    """Have the cache keep what was compiled elsewhere, under the name that it has here.

    The name holds the versions of this machine's compilers, which have no part in that code.
    """
    from intervalvm.gpu.kernels import code_of
    from intervalvm.jit import cache

    kept = cache.kept
    with patch.object(cache, "kept", lambda name, _: kept(name, lambda: content)):
        code_of(kernel, capability)


def other_cache(folder: Path) -> str:
    """A cache in ``folder`` with the CPUs' kernels alone, so that the device's are compiled."""
    from intervalvm.jit import cache

    own = folder / "intervalvm"
    own.mkdir(mode=0o700, parents=True, exist_ok=True)
    for path in cache.cache_folder().glob("*.o"):
        shutil.copy2(path, own)
    return str(folder)


# --- wheels ---------------------------------------------------------------------------------------


def installed(folder: Path, target: Path) -> tuple[str, list[str]]:
    """Install the wheels of a folder into ``target``; what to put on the path, and what is used.

    Nothing is put there where they cannot be installed: the machine's own packages are used.
    """
    wheels = sorted((folder / WHEELS).glob("*.whl"))
    if not wheels:
        return "", [f"no wheels in {folder / WHEELS}: the machine's own packages are used"]
    words = ["--quiet", "--no-index", "--no-deps", "--no-compile", "--no-cache-dir"]
    done = _pip("install", *words, "--target", str(target), *map(str, wheels))
    if done.returncode:
        return "", ["the wheels cannot be installed: the machine's own packages are used"]
    # numba-cuda replaces numba.cuda by a .pth file, which counts in the folders of a site alone
    site = f"import site\nsite.addsitedir({str(target)!r})\n"
    (target / "sitecustomize.py").write_text(site, encoding="utf-8")
    return str(target), [f"ahead of the machine's own: {wheel.name}" for wheel in wheels]
