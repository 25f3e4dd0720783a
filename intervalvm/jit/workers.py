"""Kernels compiled by other processes, side by side: LLVM compiles one at a time in a process.

An interrupt need not wait for them either. A worker is this Python with this package. It compiles
what it is told by lines on standard input, and keeps the code in the cache, where it is found.
Whatever goes wrong with a worker, its kernels are compiled later by who needs them.
"""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue

from intervalvm.jit.notices import Reach
from intervalvm.words import Meaning

PROGRAM = """
import os, queue, sys, threading
sys.path[:] = sys.argv[1:]
from intervalvm.jit import native
from intervalvm.words import Meaning
lines = queue.SimpleQueue()
def listen():
    for line in sys.stdin:
        lines.put(line)
    os._exit(0)  # who waits for a kernel has ended
threading.Thread(target=listen, daemon=True).start()
while True:
    kind, dtype, meaning = lines.get().split()
    native.make(kind, dtype, Meaning(meaning))
    print("compiled", flush=True)
"""
Key = tuple[str, str, Meaning]
"""A kernel: its kind, dtype and meaning of bounds."""
PATIENCE = 0.05
"""Seconds between reports."""


def compile_together(keys: Sequence[Key], processes: int, reach: Reach) -> None:
    """Compile kernels in order, by up to so many processes, and keep them in the cache.

    ``reach`` is called often, with the number of kernels that are finished.
    """
    todo, done = SimpleQueue[Key](), SimpleQueue[None]()
    for key in keys:
        todo.put(key)
    with _workers(min(processes, len(keys))) as workers:
        threads = [
            threading.Thread(target=_serve, args=(worker, todo, done), daemon=True)
            for worker in workers
        ]
        for thread in threads:
            thread.start()
        finished = 0
        while any(thread.is_alive() for thread in threads):
            with suppress(Empty):
                done.get(timeout=PATIENCE)
                finished += 1
            reach(finished)


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
            worker.stdin.write(f"{kind} {dtype} {meaning.value}\n")
            worker.stdin.flush()
            if not worker.stdout.readline():
                raise OSError("the worker has ended")
            done.put(None)
