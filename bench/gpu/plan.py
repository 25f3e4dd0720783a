"""What is measured, the most valuable first, and what is tried where a step fails."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

TESTS = Path(__file__).resolve().parents[2] / "tests" / "gpu"


@dataclass(frozen=True)
class Step:
    """One step. It fails alone."""

    name: str
    run: str
    """"module:function", which takes a ``step.Job``."""
    seconds: float
    """When it is killed, from its start."""
    least: float = 3.0
    """Seconds without which it is not started."""
    argument: str = ""
    stand_in: str = ""
    """What a rehearsal has in place of CuPy and the device: "cupy", "simulator" or ""."""
    beside: bool = False
    """It runs beside those before ``waits``: it uses the host's CPUs alone."""
    waits: bool = True
    """It starts after all steps that run beside others: it measures, or needs what they make."""
    always: bool = False
    """It runs whichever are chosen: others need what it makes, or the file its name."""
    retried: bool = True
    """Whether the device has a part in it, so that a switch may help."""


def steps() -> tuple[Step, ...]:
    """All steps, in order."""
    return (
        Step(
            "CPU kernels",
            "bench.gpu.compiling:of_the_cpu",
            150,
            beside=True,
            always=True,
            retried=False,
        ),
        Step(
            "versions and device",
            "bench.gpu.stack:stack",
            60,
            stand_in="cupy",
            always=True,
            waits=False,
        ),
        Step("GPU kernels", "bench.gpu.compiling:of_the_gpu", 120, always=True, waits=False),
        *_tests("smallest", 45),
        Step("pixels", "bench.gpu.pixels:pixels", 75, stand_in="cupy"),
        Step("frames", "bench.gpu.frames:frames", 45, stand_in="cupy"),
        Step("points", "bench.gpu.points:points", 75, stand_in="simulator"),
        Step("gradients and bounds", "bench.gpu.points:slopes", 45, stand_in="simulator"),
        Step("registers", "bench.gpu.registers:registers", 75, stand_in="simulator", retried=False),
        Step("dense", "bench.gpu.dense:dense", 60, stand_in="cupy"),
        Step("leaf batches", "bench.gpu.frames:batches", 45, stand_in="cupy"),
        Step("CPU engine", "bench.gpu.cpu:cpu", 30, retried=False),
        Step("large", "bench.gpu.frames:large", 60, stand_in="cupy"),
        Step("floor", "bench.gpu.floor:floor", 20, stand_in="cupy"),
        *_tests("every", 240),
    )


def _tests(which: str, seconds: float) -> Iterator[Step]:
    """A step for each file with tests for a device: after a fault a process is of no more use."""
    for path in sorted(TESTS.glob("test_*.py")):
        if "@pytest.mark.gpu" in path.read_text(encoding="utf-8"):
            name = path.stem.removeprefix("test_").removeprefix("gpu_").replace("_", " ")
            yield Step(f"tests, {which}: {name}", f"bench.gpu.tests:{which}", seconds, 5, path.name)


@dataclass(frozen=True)
class FallBack:
    """One way round a known risk: what the environment of a step has otherwise."""

    name: str
    environment: dict[str, str] = field(default_factory=dict)
    without_wheels: bool = False
    without_kernels: bool = False


AGAIN = FallBack("a second try")
"""Nothing is changed: else what helps by chance would stay on."""


def fall_backs(*, wheels: bool, kernels: bool) -> list[FallBack]:
    """What is tried where a step fails, in this order."""
    from intervalvm.gpu.switches import SWITCHES

    found = [AGAIN]
    if wheels:
        found.append(FallBack("the machine's own packages", without_wheels=True))
    for switch in SWITCHES:
        for value in switch.values[1:]:
            found.append(FallBack(f"{switch.name}={value}", {switch.name: value}))
    if kernels:
        found.append(FallBack("kernels compiled on the machine", without_kernels=True))
    return found
