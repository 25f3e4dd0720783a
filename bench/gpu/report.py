"""The results as one table, and as a section of ``docs/performance.md``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from bench.gpu.process import Finding, last_words
from bench.gpu.results import Results, StepResult
from bench.page import ms, table, times

DENSE, LEFT, BACK = (
    "dense on the GPU",
    "all on the GPU, the image left there",
    "all on the GPU, copied back",
)
CPU = "CPU, all threads"
POINTS = "values at points"


class Aim(NamedTuple):
    """What a time must be and ought to be, in seconds."""

    what: str
    size: int
    must: float
    aim: float


AIMS = (
    Aim(LEFT, 1024, 1.0e-3, 0.3e-3),
    Aim(LEFT, 4096, 1.5e-3, 0.6e-3),
    Aim(LEFT, 16384, 6e-3, 2e-3),
    Aim(POINTS, 100_000_000, 20e-3, 5e-3),
)
"""On an H100 or H200, by the wall."""


def said(finding: Finding) -> str:
    """A finding in a line."""
    if finding["kind"] == "fact":
        return f"{finding['what']}: {last_words(str(finding['value']).splitlines())[:MOST_WORDS]}"
    at = f" at {finding['size']:,}" if finding["size"] else ""
    what = finding["what"] + at
    if finding["kind"] == "check":
        different, of = finding["different"], finding["of"]
        result = f"{different:,} of {of:,} DIFFER" if different else f"all {of:,} identical"
        return f"{what}, against {finding['against']}: {result}"
    return f"{what}: " + ", ".join(f"{key} {ms(value)} ms" for key, value in _parts(finding))


MOST_WORDS = 150
"""Characters of what somebody else said."""
PARTS = {"wall": "wall", "busy": "device", "up": "up", "down": "down"}


def _parts(finding: Finding) -> Iterator[tuple[str, float]]:
    return ((word, finding[key]) for key, word in PARTS.items() if key in finding)


def text(results: Results) -> str:
    """Everything, for a terminal."""
    parts = [
        aligned(("step", "ended", "s", "last words"), [_step(each) for each in results.steps]),
        aligned(("checked", "size", "against", "different", "of"), _checks(results)),
        aligned(HEAD, _times(results)),
        aligned(AIM_HEAD, aims(results)),
    ]
    return "\n".join(part for part in parts if part)


def aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table in columns of equal width; nothing without rows."""
    if not rows:
        return ""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = ["  ".join(f"{c:{w}}" for c, w in zip(r, widths, strict=True)) for r in (head, *rows)]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _step(step: StepResult) -> tuple[str, ...]:
    last = f"helped: {step.helped}" if step.helped else step.why
    return step.name, step.status, f"{step.seconds:.1f}", last[:MOST_WORDS]


def _checks(results: Results) -> list[tuple[str, ...]]:
    return [
        (each["what"], f"{each['size']:,}" if each["size"] else "", each["against"], *_of(each))
        for each in results.found("check")
    ]


def _of(check: Finding) -> tuple[str, str]:
    return f"{check['different']:,}", f"{check['of']:,}"


HEAD = ("size", "way", "wall ms", "device ms", "up ms", "down ms", "dense / it", "CPU / it")


def _times(results: Results) -> list[tuple[str, ...]]:
    """By size, in the order in which they were measured."""
    found = sorted(results.found("time"), key=lambda each: int(each["size"]))
    return [_time(results, each) for each in found]


def _time(results: Results, found: Finding) -> tuple[str, ...]:
    def ratio(way: str) -> str:
        other = results.time(way, found["size"])
        return times(other["wall"] / found["wall"]) if other and found["wall"] else ""

    parts = [ms(found[key]) if key in found else "" for key in PARTS]
    return f"{found['size']:,}", found["what"], *parts, ratio(DENSE), ratio(CPU)


AIM_HEAD = ("what", "size", "wall ms", "must, ms", "aim, ms", "reached")


def aims(results: Results) -> list[tuple[str, ...]]:
    """Each aim: what was measured, and whether it is reached."""
    return [
        (aim.what, f"{aim.size:,}", *_verdict(aim, results.time(aim.what, aim.size)))
        for aim in AIMS
    ]


def _verdict(aim: Aim, found: Finding | None) -> tuple[str, ...]:
    if found is None:
        return "-", ms(aim.must), ms(aim.aim), "not measured"
    wall = found["wall"]
    reached = "aim" if wall <= aim.aim else "must" if wall <= aim.must else "neither"
    return ms(wall), ms(aim.must), ms(aim.aim), reached


def section(results: Results) -> str:
    """For ``docs/performance.md``."""
    missing = [step.name for step in results.steps if step.status == "left out"]
    failed = [f"{step.name} ({step.status})" for step in results.steps if _failed(step)]
    notes = [
        f"Left out for want of time: {'; '.join(missing)}." if missing else "",
        f"Failed: {'; '.join(failed)}." if failed else "",
        *(f"{s.name} ran only with {s.helped}." for s in results.steps if s.helped),
    ]
    floor: list[Any] = [each["value"] for each in results.found("fact") if each["what"] == "floor"]
    tables = [
        table(HEAD, _times(results)),
        table(AIM_HEAD, aims(results)),
        table(("compared", "size", "with", "different", "of"), _checks(results)),
        f"### The floor\n\n{FLOOR}\n{table(FLOOR_HEAD, floor)}" if floor else "",
    ]
    return "\n".join(
        [
            "## On a GPU\n",
            f"Measured by `python -m bench gpu` on {results.fact('device in full') or 'no device'}",
            f"beside {results.fact('machine') or 'a machine that was not asked'}, of",
            f"{results.fact('subject') or 'no file'}. *Wall* is the median of a warm frame, from",
            "the call to the pixels in the host's memory, save where they are left on the device.",
            "*Device* is what its kernels took by the device's own events, added; *up* and *down*",
            "are the copies. Dense evaluation was timed once.",
            *("\n" + note for note in notes if note),
            "",
            *(part for part in tables if part),
        ]
    )


FLOOR_HEAD = ("size", "image, MiB", "fill ms", "download ms", "records", "operations", "compute ms")
FLOOR = """\
Bytes and operations that no GPU engine can do without: each pixel is written once, on the device
and over the bus, and each record that the walk keeps is computed at 64 regions, twice, or at 256
pixels. The first two were measured, by filling and by copying that many bytes.
"""


def _failed(step: StepResult) -> bool:
    return step.status not in ("ok", "left out")
