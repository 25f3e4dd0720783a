"""One run over all steps: each in its own process and time, what fails tried by other ways."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from bench.gpu.plan import AGAIN, FallBack, Step, fall_backs
from bench.gpu.process import TOP, Finding, Outcome, Running
from bench.gpu.report import said, section
from bench.gpu.results import Results, StepResult
from bench.gpu.step import Job

SHARE = 8
"""1 / SHARE of the remaining time may go to the tries of a failed step."""
SHOWN = 8
"""Lines of a failure that are printed; the file has more."""
LEAST_TRY = 5.0
"""Seconds without which nothing is tried again."""


@dataclass
class Campaign:
    """The run: what is left of its time, what has helped so far, what it has found."""

    job: Job
    results: Results
    folder: Path
    """Where the results go."""
    temporary: Path
    ends: float
    """By ``time.monotonic``."""
    environment: dict[str, str] = field(default_factory=dict)
    """Of all steps."""
    packages: str = ""
    """A folder with those that came along, ahead of the machine's own; or ""."""
    helped: list[FallBack] = field(default_factory=list)
    """What stays on."""
    useless: set[tuple[str, str]] = field(default_factory=set)
    """Last words of a failed step, and a fall-back that did not change them."""
    is_written: bool = True
    beside: list[tuple[StepResult, Running]] = field(default_factory=list)

    def run(self, steps: Sequence[Step]) -> int:
        """Run all steps; the exit status."""
        results = {step.name: StepResult(step.name, "left out") for step in steps}
        self.results.steps = list(results.values())
        try:
            for step in steps:
                try:
                    self._one(step, results[step.name])
                except Exception as error:  # not even a process: the others may have one
                    results[step.name].status = "failed"
                    results[step.name].tail = [f"it cannot be started: {error!r}"]
                self.write()
                if results[step.name].status == "no device":
                    break
            else:
                self._join()
        except KeyboardInterrupt:
            say("\ninterrupted: what was found until now follows", sys.stderr)
        finally:
            for result, running in self.beside:  # those that nothing waits for any more
                running.end()
                result.status = "interrupted"
            self.write()
        return self._exit_status()

    def _exit_status(self) -> int:
        statuses = {step.status for step in self.results.steps}
        if "no device" in statuses:
            return 3
        return 0 if self.is_written and statuses <= {"ok", "left out"} else 1

    # --- a step -----------------------------------------------------------------------------------

    def _one(self, step: Step, result: StepResult) -> None:
        if step.waits and not step.beside:
            self._join()
        left = self.ends - time.monotonic()
        if left < step.least:
            say(f"\n{step.name}: left out, {max(left, 0):.0f} s are left")
            return
        say(f"\n{step.name}")
        seconds = min(step.seconds, left)
        if step.beside:
            result.status = "running"
            self.beside.append((result, self._start(step, seconds, [])))
            return
        self._follow(result, self._start(step, seconds, self.helped, _tell))
        if step.retried and result.status not in ("ok", "no device"):
            self._try_again(step, result)

    def _start(
        self,
        step: Step,
        seconds: float,
        using: Sequence[FallBack],
        tell: Callable[[Finding], None] = lambda _: None,
        *,
        is_retry: bool = False,
    ) -> Running:
        kernels = "" if any(each.without_kernels for each in using) else self.job.kernels
        job = replace(
            self.job,
            argument=step.argument,
            seconds=seconds,
            kernels=kernels,
            is_retry=is_retry,
        )
        words = [step.run, step.stand_in, job.words()]
        return Running(words, self._environment(using), seconds, tell)

    def _environment(self, using: Sequence[FallBack]) -> Mapping[str, str]:
        folders = [str(TOP), os.environ.get("PYTHONPATH", "")]
        if self.packages and not any(each.without_wheels for each in using):
            folders.insert(0, self.packages)
        found = {**self.environment, "PYTHONPATH": os.pathsep.join(filter(None, folders))}
        if any(each.without_kernels for each in using):
            from bench.gpu.prepare import other_cache

            found["XDG_CACHE_HOME"] = other_cache(self.temporary / "cache")
        for each in using:
            found |= each.environment
        return found

    def _follow(self, result: StepResult, running: Running) -> None:
        """To the end of a step, and say how it ended."""
        result.status, result.fall_backs = "interrupted", [each.name for each in self.helped]
        try:
            outcome = running.wait()
        finally:
            result.findings = running.findings
        result.take(outcome)
        _say(outcome)

    def _try_again(self, step: Step, result: StepResult) -> None:
        """By each fall-back that is not on, as time allows; the one that helps stays on.

        One that has not changed the same failure of another step is left out. What the first try
        found stays where all others fail.
        """
        why = result.why
        budget = time.monotonic() + (self.ends - time.monotonic()) / SHARE
        most = step.seconds / (3 if result.status == "ran over" else 1)
        for each in self._fall_backs(result):
            left = budget - time.monotonic()
            if (why, each.name) in self.useless:
                continue
            if left < max(LEAST_TRY, step.least):
                result.tries.append({"with": each.name, "status": "left out", "why": ""})
                continue
            using = [*self.helped, each]
            say(f"  again, with {each.name}")
            outcome = self._start(step, min(most, left), using, is_retry=True).wait()
            result.tries.append({"with": each.name, "status": outcome.status, "why": outcome.why})
            _say(outcome)
            if outcome.why == why and result.status == "failed":  # else the words say nothing
                self.useless.add((why, each.name))
            if outcome.is_ok:
                first = [f"{step.name} failed at first: {line}" for line in result.tail]
                result.take(outcome)
                result.helped, result.tail = each.name, first
                result.fall_backs = [other.name for other in using]
                self.helped = [other for other in using if other != AGAIN]
                return

    def _fall_backs(self, result: StepResult) -> list[FallBack]:
        try:
            known = fall_backs(wheels=bool(self.packages), kernels=bool(self.job.kernels))
        except Exception as error:
            say(f"  the switches cannot be read: {error!r}")
            result.tail.append(f"the switches cannot be read: {error!r}")
            return []
        return [each for each in known if each not in self.helped]

    def _join(self) -> None:
        """Wait for what runs beside."""
        while self.beside:
            result, running = self.beside[0]
            outcome = running.wait()
            self.beside.pop(0)
            result.take(outcome)
            say(f"\n{result.name} (beside the others)")
            for finding in outcome.findings:
                _tell(finding)
            _say(outcome)

    # --- the file ---------------------------------------------------------------------------------

    def write(self) -> None:
        """The file so far. Where it cannot be written, that is said once and all goes on."""
        try:
            path = self.results.write(self.folder)
            path.with_suffix(".md").write_text(section(self.results) + "\n", encoding="utf-8")
        except OSError as error:
            if self.is_written:
                say(f"the results cannot be written: {error}", sys.stderr)
            self.is_written = False


def say(text: str, stream: TextIO | None = None) -> None:
    """Print at once. A terminal that is gone, or a full disk behind it, ends nothing."""
    with suppress(OSError):
        print(text, file=stream, flush=True)


def _tell(finding: Finding) -> None:
    say(f"  {said(finding)}")


def _say(outcome: Outcome) -> None:
    say(f"  {outcome.status}, {outcome.seconds:.1f} s")
    if not outcome.is_ok:
        say("\n".join(f"    | {line}" for line in outcome.tail[-SHOWN:]))
