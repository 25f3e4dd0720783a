"""``intervalvm render``: load, render, write, compare, report."""

from __future__ import annotations

import io
import json
import time
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from intervalvm.api.options import Options
from intervalvm.api.render import render as render_image
from intervalvm.cli.outputs import check_place, default_out, is_nameless
from intervalvm.cli.plots import check_plots, write_plot
from intervalvm.cli.streams import (
    STANDARD,
    Progress,
    check_apart,
    is_standard_output,
    log_shown,
    read_shape,
    say,
    solid_of,
    tell,
    write_bytes,
)
from intervalvm.errors import OptionError
from intervalvm.expr import as_tape
from intervalvm.files import check_writable
from intervalvm.formats.script import is_script
from intervalvm.jit.layout import UNPROVEN
from intervalvm.memory import require
from intervalvm.raster.formats import COLOURS, FORMATS, HOLD_VALUES, check_holds, levels
from intervalvm.raster.palettes import limits_of, palette_of, spacing_of
from intervalvm.raster.region import Region, check_size
from intervalvm.raster.stats import Stats, milliseconds
from intervalvm.suffixes import format_of

if TYPE_CHECKING:
    import argparse

    from intervalvm.expr import TapeLike
    from intervalvm.raster.image import Image
    from intervalvm.raster.picture import Picture


def render(options: argparse.Namespace) -> int:
    """Run the command; returns 1 if ``--check`` found a difference."""
    start = time.perf_counter()
    out = default_out(options.file, ".png") if options.out is None else options.out
    arguments, colouring = _arguments(options), _colouring(options)
    format = _check_output(out, options, Options(**arguments), coloured=colouring is not None)
    wanted = not options.quiet
    with log_shown(quiet=options.quiet), Progress(wanted=wanted) as progress:
        progress.stage("reading")
        shape = read_shape(options)
        loaded = time.perf_counter()
        progress.stage("rendering")
        image = render_image(shape, **arguments, progress=progress)
        rendered = time.perf_counter()
        progress.stage("writing")
        _write(image if colouring is None else image.coloured(**colouring), out, format)
        if options.certificate is not None:
            from intervalvm.proof.certificate import Subject, write_certificate

            z, variables = arguments.get("z", 0.0), arguments["variables"]
            subject = Subject.of_file(options.file, z, variables)
            write_certificate(options.certificate, image, subject)
        for path in options.plot:
            progress.stage(f"plotting {path}")
            write_plot(image, path)
        written = time.perf_counter()
        found = None
        if options.check:
            progress.stage("evaluating densely")
            found = _compare(image, shape, arguments, progress)
    stats = replace(
        image.stats,
        seconds={
            "load": loaded - start,
            **image.stats.seconds,
            "write": written - rendered,
            "total": written - start,
        },
    )
    _report(stats, out, found, options)
    if "z" in as_tape(shape).axes and options.z is None and not (options.quiet or options.json):
        tell(f"intervalvm: this is the slice at z = 0: {solid_of(options.file)} draws the solid")
    return 1 if found is not None and _is_wrong(found) else 0


def _arguments(options: argparse.Namespace) -> dict[str, Any]:
    """The options of a command line as arguments of ``render``."""
    given = {name: getattr(options, name, None) for name in signature(Options).parameters}
    # there "out" is a file
    given |= {"region": _region(options), "variables": dict(options.set), "out": None}
    if options.certificate is not None:
        given["prove"] = options.prove or "area"
    if _colouring(options) is not None:
        given["mode"] = "value"
    return {name: value for name, value in given.items() if value is not None}


def _colouring(options: argparse.Namespace) -> dict[str, Any] | None:
    """The arguments of ``Image.coloured``; None if the picture is not of values in colours."""
    given = {name: getattr(options, name) for name in ("palette", "isolines", "limits")}
    given = {name: value for name, value in given.items() if value is not None}
    if not given:
        return None
    palette = palette_of(given.get("palette", "distance"))  # before the work
    spacing_of(given.get("isolines"))
    if "limits" in given:
        limits_of(given["limits"], np.empty(0), around_0=palette.diverges)
    if options.check:
        raise OptionError("--check compares what is inside: leave --palette and --isolines out")
    for name in ("ink", "paper"):
        if getattr(options, name) is not None:
            raise OptionError(f"--{name} is about a bitmap: leave it out, or --{next(iter(given))}")
    return given


def _region(options: argparse.Namespace) -> Region | None:
    """The region of ``--region``, or of ``--center`` and ``--scale``."""
    around = options.center is not None or options.scale is not None
    if options.region is not None:
        if around:
            other = "--scale" if options.center is None else "--center"
            raise OptionError(f"--region and {other} say the same thing twice: give one of them")
        x0, x1, y0, y1 = options.region
        return Region((x0, x1), (y0, y1))
    if not around:
        return None
    scale = 1.0 if options.scale is None else options.scale
    return Region.around(options.center or (0.0, 0.0), scale)


def _check_output(out: str, options: argparse.Namespace, asked: Options, *, coloured: bool) -> str:
    """The format of the picture. Raises if it could not be written after the work."""
    others = {f"--plot {path}": path for path in options.plot}
    check_apart(options.file, {"--out": out, "--certificate": options.certificate} | others)
    check_plots(options.plot, asked)
    if options.certificate is not None:
        _check_certificate(options, asked)
    proven = asked.prove is not None
    format = "png" if is_nameless(out) else format_of(out, None, FORMATS)
    if coloured and format not in COLOURS:
        raise OptionError(
            f"a .{format} has no colours: leave --palette out, or --isolines, or choose .png"
        )
    check_holds(
        format,
        *check_size(asked.size),
        levels=levels(proven=proven, antialias=asked.antialias),
        transparent=asked.look.paper is None,
    )
    if not (asked.is_bitmap or proven or coloured) and format not in HOLD_VALUES:
        raise OptionError(
            f"a .{format} shows inside and outside alone, no values: give --palette distance to "
            "show them in colours, or --out a name in .npy or .tif, or leave --mode value out"
        )
    check_place(out, options)
    return format


def _check_certificate(options: argparse.Namespace, asked: Options) -> None:
    """Raise if a certificate could not be written, or does not fit beside the image."""
    if options.certificate == STANDARD:
        raise OptionError("--certificate needs the name of a file, not -")
    if not asked.proves_areas:
        raise OptionError("--certificate is about areas: give --prove area, or leave it out")
    if options.crop is not None:
        raise OptionError("--certificate is about a whole picture: leave --crop out")
    from intervalvm.proof.cells import bytes_beside
    from intervalvm.proof.certificate import check_name

    check_name(options.certificate)
    check_writable(options.certificate)
    width, height = check_size(asked.size)
    needed = width * height + bytes_beside(width, height, lists=True)
    what, way_out = f"a certificate of {width}x{height} pixels", "choose a smaller --size"
    require(needed, what, way_out, asked.max_memory)
    file = Path(options.file)
    if is_script(options.file):
        raise OptionError(
            f"--certificate names the bytes of a tape, and {options.file} makes one: save "
            "its shape as .vm, and give that"
        )
    if options.file == STANDARD or (file.exists() and not file.is_file()):
        raise OptionError(f"--certificate names the bytes of FILE: give a file, not {options.file}")


def _write(image: Picture, out: str, format: str) -> None:
    if not is_standard_output(out):
        image.save(out, format)
        return
    data = io.BytesIO()
    image.write(data, format)
    write_bytes(data.getbuffer())


def _compare(
    image: Image, shape: TapeLike, arguments: dict[str, Any], progress: Progress
) -> dict[str, Any]:
    """Compare with dense evaluation: print the first difference, return the number of wrong pixels.

    A pixel that only one of two proven images proves is not wrong.
    """
    reference = {"engine": "dense", "backend": "numpy", "mode": "bitmap", "depth": None}
    dense = render_image(shape, **arguments | reference, progress=progress)
    found = image.bitmap()
    differs = wrong = found != dense.pixels
    if image.prove is not None:
        wrong = differs & (found != UNPROVEN) & (dense.pixels != UNPROVEN)
    if wrong.any():
        row, column = divmod(int(np.argmax(wrong)), image.width)
        x, y = image.samples()
        how = "differ from" if image.prove is None else "contradict"
        tell(
            f"intervalvm: {np.count_nonzero(wrong)} of {wrong.size} pixels {how} dense evaluation, "
            f"first column {column}, row {row}: x {x[column]!s}, y {y[row]!s}"
        )
    different, contradicted = (int(np.count_nonzero(which)) for which in (differs, wrong))
    result = {"identical": not different, "different": different}
    return result if image.prove is None else {**result, "contradicted": contradicted}


def _report(
    stats: Stats, out: str, found: dict[str, Any] | None, options: argparse.Namespace
) -> None:
    if options.json:
        facts = stats.as_json()
        results = {name: facts.pop(name) for name in ("seconds", "pixels", "levels")}
        report = {"file": options.file, **facts, "out": out, **results, "check": found}
        if options.certificate is not None:
            report["certificate"] = options.certificate
        if options.plot:
            report["plots"] = options.plot
        say(json.dumps(report, allow_nan=False))
        return
    # The picture has standard output to itself.
    print_result = tell if is_standard_output(out) else say
    if options.stats:
        print_result(str(stats))
    if not options.quiet:
        width, height = stats.size
        what = "samples" if stats.antialias > 1 else "pixels"
        unproven = "" if stats.prove is None else f"{stats.pixels['unproven']} unproven, "
        tell(
            f"{out}: {width}x{height}, {stats.pixels['inside']} {what} inside, {unproven}"
            f"{milliseconds(stats.seconds['render'])}"
        )
    if found is not None and not _is_wrong(found) and not options.quiet:
        total, different = stats.pixels["total"], found["different"]
        same = f"identical: {total} pixels"
        partly = f"no contradiction: {total} pixels, of which {different} are proven only once"
        print_result(partly if different else same)


def _is_wrong(found: dict[str, Any]) -> bool:
    """Whether a pixel contradicts dense evaluation."""
    return bool(found.get("contradicted", found["different"]))
