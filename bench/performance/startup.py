"""What is paid once: the passes over a tape, and whole processes."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image as Pillow

import intervalvm as ivm
from bench.page import ms, table, times
from bench.performance.techniques import DTYPE, scene
from bench.processes import start
from bench.subject import TOP, Subject
from bench.timing import in_turns
from intervalvm.compiler.assemble import assemble
from intervalvm.compiler.balance import balance
from intervalvm.compiler.fold import fold
from intervalvm.evaluate.arithmetic import Inputs
from intervalvm.jit.arithmetic import arithmetic
from intervalvm.jit.runner import COMPILED
from intervalvm.words import Meaning, Question

RUNS = 11
NUMPY, WHOLE = "`python -c 'import numpy'`", "`python -m intervalvm FILE --depth 6 --out out.png`"


def passes(shape: Subject, *, rounds: int) -> tuple[str, float]:
    """A table of what each pass over the tape takes, and the seconds of all but the reading."""
    of, floats, settings = scene(shape.tape), arithmetic(Meaning.FLOAT, DTYPE), {"var-z": 0.0}
    edge = of.plan.domain
    box = Inputs.box([(-edge, edge)] * 2, DTYPE)
    folded = partial(fold, shape.tape, floats, settings, runner=COMPILED)
    unbalanced = folded()
    clauses = balance(unbalanced, runner=COMPILED)
    bounds = floats.clause_bounds(clauses, box)
    assembled = partial(
        assemble, clauses, Question.SIGN, bounds, DTYPE, Meaning.FLOAT, runner=COMPILED
    )
    program = assembled()
    assert np.array_equal(program.records, of.plan.program.records)

    lengths = {
        "parse the text": f"{len(shape.tape):,} clauses",
        "fold": f"{len(clauses):,} clauses",
        "balance": "",
        "bounds over the whole domain": "",
        "predicates and assembly": f"{len(program):,} records",
    }
    runs: list[Callable[[], object]] = [
        lambda: ivm.parse(shape.text),
        folded,
        lambda: balance(unbalanced, runner=COMPILED),
        lambda: floats.clause_bounds(clauses, box),
        assembled,
    ]
    taken = in_turns(dict(zip(lengths, runs, strict=True)), rounds=rounds)
    rows = [(name, ms(taken[name].median), result) for name, result in lengths.items()]
    whole = sum(t.median for name, t in taken.items() if name != "parse the text")
    rows.append(("compile of the tape, the last four", ms(whole), ""))
    return table(("pass", "ms", "gives"), rows), whole


@dataclass(frozen=True)
class Processes:
    """The table, what the whole command takes, and its ratio to ``import numpy``."""

    text: str
    seconds: float
    ratio: float


def processes(shape: Subject, before: Path | None) -> Processes:
    """Whole processes in turns, each after a run that compiles what it must."""
    file = str(shape.path.resolve())
    arguments = [file, "--depth", "6", "--out", "out.png"]
    with_numba = "import sys, numba; from intervalvm.cli import main; sys.exit(main(sys.argv[1:]))"
    commands: dict[str, tuple[list[str], Path]] = {
        NUMPY: (["-c", "import numpy"], TOP),
        WHOLE: (["-m", "intervalvm", *arguments], TOP),
        "the same with numba imported": (["-c", with_numba, *arguments], TOP),
    }
    if before is not None:
        commands["the same by 0.1.0"] = (["-m", "intervalvm", *arguments], before)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.png"
        runs = {
            name: partial(start, package, words, within=Path(folder))
            for name, (words, package) in commands.items()
        }
        for name, run in runs.items():
            run()
            if name != NUMPY:
                with Pillow.open(out) as picture:
                    shape.check(np.asarray(picture).astype(np.uint8))
        taken: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(RUNS):
            for name, seconds in in_turns(runs, rounds=1, most=1).items():
                taken[name] += seconds.seconds
    medians = {name: median(seconds) for name, seconds in taken.items()}
    rows = [(name, ms(m), times(m / medians[NUMPY])) for name, m in medians.items()]
    ratio = medians[WHOLE] / medians[NUMPY]
    return Processes(table(("process", "ms", "/ import numpy"), rows), medians[WHOLE], ratio)
