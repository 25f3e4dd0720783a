"""``intervalvm render3d``: load, draw a solid or its turntable, write, compare, report."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from intervalvm.api.options3d import SolidOptions
from intervalvm.api.render3d import render3d as render_solid
from intervalvm.api.turntable import Turn
from intervalvm.cli.outputs import check_place, default_out, is_nameless
from intervalvm.cli.streams import (
    Progress,
    check_apart,
    is_standard_output,
    log_shown,
    read_shape,
    say,
    tell,
    write_bytes,
)
from intervalvm.errors import OptionError
from intervalvm.files import write_atomically
from intervalvm.raster import animation, formats
from intervalvm.raster.stats import milliseconds
from intervalvm.suffixes import format_of
from intervalvm.voxel.solid import SOLID_FORMATS, SolidImage, SolidStats, check_holds
from intervalvm.voxel.view import ISOMETRIC, View
from intervalvm.voxel.volume import shown

if TYPE_CHECKING:
    import argparse

    from intervalvm.expr import TapeLike

OF_VIEW = tuple(signature(View.turntable).parameters)
ANGLES, PLACE = ("yaw", "pitch", "roll", "perspective"), ("center", "scale")


def render3d(options: argparse.Namespace) -> int:
    """Run the command; returns 1 if ``--check`` found a difference."""
    start = time.perf_counter()
    suffix = ".png" if options.turn is None else ".gif"
    out = default_out(options.file, suffix) if options.out is None else options.out
    work = (_Still if options.turn is None else _Turning)(out, options)
    check_apart(options.file, {"--out": out})
    check_place(out, options)
    wanted = not options.quiet
    with log_shown(quiet=options.quiet), Progress(wanted=wanted) as progress:
        progress.stage("reading")
        shape = read_shape(options)
        loaded = time.perf_counter()
        progress.stage("rendering")
        work.draw(shape, progress)
        rendered = time.perf_counter()
        progress.stage("writing")
        _write(lambda stream: work.write(stream, progress), out)
        written = time.perf_counter()
        found = None
        if options.check and isinstance(work, _Still):
            progress.stage("evaluating densely")
            found = work.compare(shape, progress)
    seconds = {"load": loaded - start, "write": written - rendered, "total": written - start}
    _report(work, seconds, out, found, options)
    return 0 if found is None or found["identical"] else 1


class _Still:
    """One picture."""

    def __init__(self, out: str, options: argparse.Namespace) -> None:
        if options.seconds is not None:
            raise OptionError("--seconds is about a turntable: give --turn 36 too, or leave it out")
        self.view, self._arguments = _view(options), _arguments(options)
        asked: Any = SolidOptions(view=self.view, **self._arguments)
        width, height, _ = asked.size
        self._format = "png" if is_nameless(out) else _format_of(out)
        check_holds(
            self._format,
            width,
            height,
            antialias=asked.antialias,
            transparent=asked.shading.is_clear,
        )
        self.mode = asked.mode

    def draw(self, shape: TapeLike, progress: Progress) -> None:
        """Draw it."""
        self.image = self._drawn(shape, progress)
        progress.stage("shading")
        self.stats = [_shaded(self.image) if self._format in formats.COLOURS else self.image.stats]

    def _drawn(self, shape: TapeLike, progress: Progress, **changes: Any) -> SolidImage:
        given = self._arguments | {"view": self.view, "progress": progress} | changes
        return render_solid(shape, **given)

    def write(self, stream: BinaryIO, _progress: Progress) -> None:
        """Write it to a stream."""
        self.image.write(stream, self._format)

    def compare(self, shape: TapeLike, progress: Progress) -> dict[str, Any]:
        """Compare with dense evaluation: print the first difference, return how many there are."""
        found, dense = self.image, self._drawn(shape, progress, engine="dense")
        bits = [image.normals.view(np.uint32) for image in (found, dense)]
        differs = (found.depth != dense.depth) | (bits[0] != bits[1]).any(axis=2)
        if differs.any():
            row, column = divmod(int(np.argmax(differs)), differs.shape[1])
            told = [
                f"depth {image.depth[row, column]}, normal {image.normals[row, column].tolist()}"
                for image in (found, dense)
            ]
            tell(
                f"intervalvm: {np.count_nonzero(differs)} of {differs.size} pixels differ from "
                f"dense evaluation, first column {column}, row {row}: {told[0]}, not {told[1]}"
            )
        different = int(np.count_nonzero(differs))
        return {"identical": not different, "different": different}


class _Turning:
    """A turntable."""

    def __init__(self, out: str, options: argparse.Namespace) -> None:
        if options.check:
            raise OptionError("--check compares one picture: leave --turn out, or --check")
        format = "gif" if is_nameless(out) else animation.format_of(out)
        given = {"seconds": options.seconds, "box": _box(options)}
        given = {name: value for name, value in given.items() if value is not None}
        given |= _turned(options) | _arguments(options)
        self._turn = Turn(format, options.turn, **given)
        self._film = self._turn.film()
        self.view, self.mode = self._turn.views[0], self._turn.mode

    def draw(self, shape: TapeLike, progress: Progress) -> None:
        """Draw all frames."""
        self.stats = []
        for done, image in enumerate(self._turn.draw(shape), 1):
            self.stats.append(_shaded(image))
            self._film.add(image.pixels)
            progress(done, len(self._turn.views))

    def write(self, stream: BinaryIO, progress: Progress) -> None:
        """Write the file to a stream."""
        self._film.write(stream, progress)


def _shaded(image: SolidImage) -> SolidStats:
    """The statistics of a picture, with the time that its pixels take: they are made here."""
    start = time.perf_counter()
    image.pixels  # noqa: B018 which are computed on first access
    shading = time.perf_counter() - start
    return replace(image.stats, seconds={**image.stats.seconds, "shade": shading})


def _arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The options of a command line as arguments of ``render3d``, without the view."""
    given = {name: getattr(options, name, None) for name in signature(SolidOptions).parameters}
    given |= {"variables": dict(options.set)}
    return {name: value for name, value in given.items() if value is not None}


def _view(options: argparse.Namespace) -> View:
    """The view of ``--yaw``, ``--center`` and the like, or of ``--fit``."""
    box, given = _box(options), _turned(options)
    return View.turntable(**given) if box is None else View.fit(box, **given)


def _turned(options: argparse.Namespace) -> dict[str, Any]:
    """The arguments of ``View.turntable`` on a command line."""
    given = {name: getattr(options, name) for name in OF_VIEW}
    given = {name: value for name, value in given.items() if value is not None}
    if options.isometric:
        if twice := [name for name in ANGLES if name in given]:
            raise OptionError(f"--isometric says what --{twice[0]} does: give one of them")
        given |= {"yaw": 45.0, "pitch": ISOMETRIC}
    return given


def _box(options: argparse.Namespace) -> list[list[float]] | None:
    """The sides of ``--fit``."""
    if options.fit is None:
        return None
    if twice := [name for name in PLACE if getattr(options, name) is not None]:
        raise OptionError(f"--fit says what --{twice[0]} does: give one of them")
    return [options.fit[i : i + 2] for i in (0, 2, 4)]


def _format_of(out: str) -> str:
    suffix = Path(out).suffix.lower().removeprefix(".")
    if suffix in animation.ANIMATED and suffix not in SOLID_FORMATS:
        raise OptionError(f"a .{suffix} is for a turntable: give --turn 36, or --out a .png")
    return format_of(out, None, SOLID_FORMATS)


def _write(write: Callable[[BinaryIO], None], out: str) -> None:
    if not is_standard_output(out):
        write_atomically(out, write)
        return
    data = io.BytesIO()
    write(data)
    write_bytes(data.getbuffer())


def _report(
    work: _Still | _Turning,
    own: dict[str, float],
    out: str,
    found: dict[str, Any] | None,
    options: argparse.Namespace,
) -> None:
    first, frames = work.stats[0], len(work.stats)
    spent = _sums([stats.seconds for stats in work.stats])
    drawing = sum(spent.values())
    seconds = {"load": own.pop("load"), **spent, **own}
    if options.json:
        facts = replace(first, seconds=seconds).as_json()
        voxels, levels = _sums([s.voxels for s in work.stats]), facts.pop("levels")
        del facts["seconds"], facts["voxels"]
        report = {
            "file": options.file, **facts, "mode": work.mode, "view": work.view.matrix.tolist(),
            "frames": frames, "out": out, "seconds": seconds, "voxels": voxels,
            "levels": levels if frames == 1 else [], "check": found,
        }  # fmt: skip
        say(json.dumps(report, allow_nan=False))
        return
    # The picture has standard output to itself.
    print_result = tell if is_standard_output(out) else say
    if options.stats:
        which = "" if frames == 1 else f"the first of {frames} frames, and the times of all:\n"
        print_result(which + str(replace(first, seconds=seconds)))
    if not options.quiet:
        tell(f"{out}: {_summary(work.stats)}, {milliseconds(drawing)}")
    if found is not None and found["identical"] and not options.quiet:
        width, height, _ = first.size
        print_result(f"identical: {width * height} pixels")


def _sums(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {name: sum(row[name] for row in rows) for name in rows[0]}


def _summary(all_stats: list[SolidStats]) -> str:
    first, frames = all_stats[0], len(all_stats)
    prism = ", a prism along z" if first.is_prism else ""
    n = first.antialias
    width, height, depth = (side // n for side in first.size)
    size = shown((width, height, depth)) + (f", {n}x{n} samples a pixel" if n > 1 else "")
    what = "pixels" if n == 1 else "samples"
    if frames > 1:
        return f"{frames} frames of {size}{prism}"
    cut = f", {first.voxels['full']} of them at the near side" if first.voxels["full"] else ""
    return f"{size}, {first.voxels['hit']} {what} hit{cut}{prism}"
