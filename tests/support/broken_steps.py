"""Steps of ``bench.gpu`` that break, each in another way, and a run of some of them.

``python -m support.broken_steps "NAME ..." OPTIONS`` runs those named as ``python -m bench gpu``
runs its own. "waits 2 hangs" gives the step after a number so many seconds.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from unittest.mock import patch

from bench.gpu import main
from bench.gpu.plan import Step
from bench.gpu.step import Job


def works(job: Job) -> None:
    job.fact("worked", job.argument)


def fails(job: Job) -> None:
    job.fact("before it failed", 1)
    print("a last word")
    raise ValueError("it fails as it must")


def lacks_a_package(job: Job) -> None:
    import a_package_that_nobody_has  # type: ignore[import-not-found]  # noqa: F401


def aborts(job: Job) -> None:
    job.fact("before it crashed", 2)
    os.abort()


def hangs(job: Job) -> None:
    """With a child, which would outlive it."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    job.fact("child", child.pid)
    time.sleep(600)


def wrong_pixels(job: Job) -> None:
    """The real check of pixels, where the kernel of leaves does nothing."""
    from support.fake_cupy import SimulatedLauncher

    from bench.gpu.pixels import pixels

    run = SimulatedLauncher.run

    def without_leaves(self: SimulatedLauncher, kernel: object, *arguments: object) -> None:
        if kernel.kind != "leaves":  # type: ignore[attr-defined]
            run(self, kernel, *arguments)  # type: ignore[arg-type]

    with patch.object(SimulatedLauncher, "run", without_leaves):
        pixels(job)


def needs_a_switch(job: Job) -> None:
    assert os.environ.get("INTERVALVM_CUDA_OPTIMIZE") == "1", "it is miscompiled"
    job.fact("graphs", os.environ.get("INTERVALVM_CUDA_GRAPHS", "on"))


def interrupts(job: Job) -> None:
    job.fact("before the interrupt", 3)
    os.kill(os.getppid(), signal.SIGINT)
    time.sleep(600)


def stack(job: Job) -> None:
    """In place of the first step."""
    from intervalvm.errors import DeviceError

    job.fact("device", "none")
    raise DeviceError("there is no NVIDIA GPU that this process may use")


def never_works(job: Job) -> None:
    raise ValueError("no switch has a part in it")


RETRIED = ("needs_a_switch", "never_works")


def plan(names: list[str]) -> list[Step]:
    seconds = 60.0
    found = []
    for name in names:
        if name.isdecimal():
            seconds = float(name)
            continue
        kind = "cupy" if name == "wrong_pixels" else ""
        found.append(
            Step(
                f"{name} {len(found)}", f"support.broken_steps:{name}", seconds, 0.5,
                argument=name, stand_in=kind, retried=name in RETRIED,
            )
        )  # fmt: skip
        seconds = 60.0
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[2:], plan(sys.argv[1].split())))
