"""Whatever runs on a GPU, found right, then timed: unattended, each step in a process of its own.

The most valuable steps come first. One that fails, crashes or hangs is reported and hides no other;
it is tried again with each switch of ``intervalvm.gpu.switches`` as time allows, and what helped
stays on. Results are written after each step to ``bench/results/NAME-OF-THE-DEVICE.json``, with a
section for ``docs/performance.md`` beside it, and printed as tables at the end. The exit status is
0, 1 where something failed, 2 where a package is missing without which nothing runs, 3 where there
is no device.

No network is needed: ``--prepare FOLDER`` brings together, where there is one, what a machine with
a device lacks, and compiles the kernels for it; ``--prepared FOLDER`` uses that.
"""

from __future__ import annotations

import argparse
import math
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.gpu.campaign import Campaign, say
from bench.gpu.plan import Step, steps
from bench.gpu.process import TOP
from bench.gpu.report import text
from bench.gpu.results import Results
from bench.gpu.step import Job

SECONDS = 450
"""For the whole: less than eight minutes."""
SIZES, LARGE = (512, 1024, 2048, 4096), (8192, 16384)
POINTS = 100_000_000
TINY = {"sizes": (12,), "large": (20,), "points": 300, "rounds": 1}
"""For the simulator, which runs each thread as one of Python's."""
INSTALL = "pip install '.[cuda]' pytest hypothesis"
TOOLKIT = Path("/usr/local/cuda")
"""Where compilers look for libNVVM if no package has it, and they are told to."""
RESULTS = TOP / "bench" / "results"


def main(words: list[str], plan: Sequence[Step] | None = None) -> int:
    """Prepare, or run all steps of ``plan``, by default those of ``plan.steps``."""
    options = _options(words)
    lacking = next((name for name in _needed(options) if find_spec(name) is None), None)
    if lacking and plan is None:
        print(f"{lacking} is not installed, without which nothing runs: {INSTALL}", file=sys.stderr)
        return 2
    if options.prepare:
        from bench.gpu.prepare import prepare

        return prepare(options.prepare, options.python, options.capability)
    start = time.monotonic()
    chosen = [step for step in plan or steps() if _is_chosen(step, options.only)]
    with tempfile.TemporaryDirectory() as temporary, _Terminable():
        campaign = _campaign(options, words, start, Path(temporary))
        status = campaign.run(chosen)
    say(f"\n{text(campaign.results)}")
    say(f"{time.monotonic() - start:.0f} s, exit status {status}")
    return status


def _options(words: list[str]) -> argparse.Namespace:
    parser = _parser()
    if parser.parse_args(words).rehearse:
        parser.set_defaults(**TINY)
    return parser.parse_args(words)


def _needed(options: argparse.Namespace) -> tuple[str, ...]:
    """What must be there to import: on a device only that without which no step of it runs."""
    if options.prepare:
        return ("numba_cuda",)  # which brings the others
    return ("pytest", "hypothesis") if options.rehearse else ("cupy",)


def _campaign(options: Any, words: list[str], start: float, temporary: Path) -> Campaign:
    if options.rehearse:
        from bench.gpu.rehearsal import file

        options.file = options.file or file(temporary)
    elif options.prepared and not options.file:
        from bench.gpu.prepare import FILE

        options.file = options.prepared / FILE
    job = Job(
        file=str(Path(options.file).resolve()) if options.file else "",
        sizes=tuple(options.sizes),
        large=tuple(options.large),
        points=options.points,
        rounds=options.rounds,
        kernels=str(options.prepared.resolve()) if options.prepared else "",
        rehearses=options.rehearse,
    )
    results = Results(["python", "-m", "bench", "gpu", *words], rehearsal=options.rehearse)
    campaign = Campaign(job, results, options.out, temporary, start + options.seconds)
    if options.rehearse:
        campaign.environment["NUMBA_ENABLE_CUDASIM"] = "1"
    if TOOLKIT.is_dir():
        campaign.environment["CUDA_HOME"] = os.environ.get("CUDA_HOME", str(TOOLKIT))
    if options.prepared:
        from bench.gpu.prepare import installed

        campaign.packages, used = installed(options.prepared, temporary / "packages")
        results.facts["wheels"] = used
        say("\n".join(used))
    return campaign


def _is_chosen(step: Step, names: list[str] | None) -> bool:
    return names is None or step.always or any(step.name.startswith(name) for name in names)


class _Terminable:
    """Within it SIGTERM, and SIGHUP of a terminal that is gone, are interrupts.

    What was found is reported before the end.
    """

    def __enter__(self) -> None:
        self._before = {}
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) != signal.SIG_IGN:  # as by nohup
                self._before[number] = signal.signal(number, signal.default_int_handler)

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)


def _seconds(text: str) -> float:
    if 0 < (found := float(text)) < math.inf:
        return found
    raise ValueError


def _count(text: str) -> int:
    if (found := int(text)) > 0:
        return found
    raise ValueError


def _parser() -> argparse.ArgumentParser:
    found = argparse.ArgumentParser(prog="python -m bench gpu", description=__doc__)
    add = found.add_argument
    add("file", nargs="?", default="", help="a .vm file (prospero.vm)")
    add("--out", type=Path, default=RESULTS, metavar="FOLDER", help="for the JSON (bench/results)")
    add("--seconds", type=_seconds, default=SECONDS, help=f"to end in ({SECONDS})")
    add("--sizes", type=_count, nargs="+", default=SIZES, help="pixels a side")
    add("--large", type=_count, nargs="+", default=LARGE, help="pixels a side, later")
    add("--points", type=_count, default=POINTS, help=f"for the evaluator ({POINTS:,})")
    add("--rounds", type=_count, default=3, help="how often each takes its turn (3)")
    add("--only", nargs="+", metavar="STEP", help="steps whose names begin so, and the first ones")
    add("--prepared", type=Path, metavar="FOLDER", help="what --prepare made")
    add("--prepare", type=Path, metavar="FOLDER", help="download wheels, compile kernels, and end")
    add("--python", default="3.12", help="of the machine that is prepared for (3.12)")
    add("--capability", default="9.0", help="of the device that is prepared for (9.0)")
    add("--rehearse", action="store_true", help="without a device, in the simulator, tiny")
    return found
