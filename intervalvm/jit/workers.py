"""Kernels compiled side by side: LLVM compiles one at a time in a process, so by several.

A worker is this Python with this package. It compiles what it is told by lines on standard input,
and keeps the code in the cache, where it is found. Whatever goes wrong with a worker, its kernels
are compiled later by who needs them.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue

from intervalvm.jit import native
from intervalvm.jit.cache import cache_folder, is_usable
from intervalvm.jit.native import KINDS, Key

PROGRAM = """
import sys
sys.path[:] = sys.argv[1:]
from intervalvm.jit import native
from intervalvm.words import Meaning
for line in sys.stdin:
    kind, dtype, meaning = line.split()
    native.kernel(kind, dtype, Meaning(meaning))
    print("compiled", flush=True)
"""
_kept: set[tuple[Path, Key]] = set()
"""Kernels that were found in a cache's folder."""


def compile_together(
    keys: Sequence[Key], processes: int, report: Callable[[int, int], None] | None
) -> None:
    """Compile kernels that are not in the cache by up to so many processes.

    ``report`` is called with (done, total) kernels.
    """
    missing = _in_order([key for key in keys if not _is_there(key)])
    count = min(processes, len(missing))
    if count < 2 or not sys.executable or not is_usable():
        return
    todo, done = SimpleQueue[Key](), SimpleQueue[None]()
    for key in missing:
        todo.put(key)
    with _workers(count) as workers:
        threads = [
            threading.Thread(target=_serve, args=(worker, todo, done), daemon=True)
            for worker in workers
        ]
        for thread in threads:
            thread.start()
        finished = 0
        while any(thread.is_alive() for thread in threads):
            with suppress(Empty):
                done.get(timeout=0.05)
                finished += 1
                if report is not None:
                    report(finished, len(missing))


def _is_there(key: Key) -> bool:
    """Whether a kernel need not be compiled.

    It is remembered of those that are in the cache alone: a digest of sources takes milliseconds.
    """
    if native.is_loaded(*key):
        return True
    with suppress(RuntimeError):  # there is no home
        where = cache_folder(), key
        if where not in _kept and native.is_there(*key):
            _kept.add(where)
        return where in _kept
    return False


def _in_order(keys: Sequence[Key]) -> list[Key]:
    """First one of all that share code, so that no two processes make the same."""
    firsts = {KINDS[kind].shares or kind: (kind, dtype, m) for kind, dtype, m in reversed(keys)}
    ahead = [key for key in keys if key in firsts.values()]
    return ahead + [key for key in keys if key not in ahead]


@contextmanager
def _workers(count: int) -> Iterator[list[subprocess.Popen[str]]]:
    found: list[subprocess.Popen[str]] = []
    try:
        with suppress(OSError):
            while len(found) < count:
                found.append(
                    subprocess.Popen(
                        [sys.executable, "-c", PROGRAM, *sys.path],
                        stdin=subprocess.PIPE,
                        stdout=subprocess.PIPE,
                        stderr=subprocess.DEVNULL,
                        text=True,
                    )
                )
        yield found
    finally:
        for worker in found:
            worker.kill()
            worker.communicate()


def _serve(worker: subprocess.Popen[str], todo: SimpleQueue[Key], done: SimpleQueue[None]) -> None:
    """Have a worker compile what is left, until it fails."""
    assert worker.stdin is not None
    assert worker.stdout is not None
    with suppress(Empty, OSError, ValueError):
        while True:
            kind, dtype, meaning = todo.get_nowait()
            with native.said(kind, dtype, meaning):
                worker.stdin.write(f"{kind} {dtype} {meaning.value}\n")
                worker.stdin.flush()
                if not worker.stdout.readline():
                    raise OSError("the worker has ended")
            done.put(None)
