"""The benchmarks: each can be named, and any version of the package can be asked for pictures."""

from __future__ import annotations

import io
import json
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from support.command_line import CIRCLE
from support.meshes import ball

import intervalvm as ivm
from bench import __main__ as program
from bench import before, models, outlines, peers, timing, versions, view
from bench import meshes as own_meshes
from bench.meshes import distances
from bench.peers import calls, fidget, meshes, solids
from bench.performance import changing, readme
from bench.performance.sizes import BROADCAST, DENSE, SINGLE, Sizes, pruned
from bench.performance.startup import Processes
from bench.subject import TOP, Subject


def test_names_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[3] for line in lines] == list(program.NAMES)
    assert all(len(line.split()) > 5 for line in lines)


@pytest.mark.parametrize("name", program.NAMES)
def test_a_name_is_a_module_with_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match=r"^0$"):
        import_module(f"bench.{name}").main(["--help"])
    assert f"usage: python -m bench {name} " in capsys.readouterr().out


def test_other_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["speed"]) == 2
    assert "no benchmark 'speed': choose engines, " in capsys.readouterr().err
    assert before.main(["--version", "neither"]) == 2
    assert "neither a folder nor a commit: neither" in capsys.readouterr().err


def test_a_version_answers_with_what_it_drew_and_how_long_that_took(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "circle.vm"
    file.write_text(CIRCLE)
    options = {"size": 12, "engine": "dense"}
    asked = "".join(json.dumps([what, options]) + "\n" for what in ("frame", "first"))
    monkeypatch.setattr(sys, "stdin", io.StringIO(asked))
    monkeypatch.setattr(sys, "path", sys.path[:])
    monkeypatch.setattr("bench.timing.TURN_SECONDS", 1e-6)
    versions._serve(str(Path(ivm.__file__).parents[1]), str(file))
    answers = [versions.Answer(*json.loads(line)) for line in capsys.readouterr().out.splitlines()]
    pixels = ivm.render(ivm.load(file), size=12, engine="dense").pixels
    for found in answers:
        assert found.inside == np.count_nonzero(pixels)
        assert len(found.seconds) == 1
    frame, first = answers
    assert frame.digest == first.digest


# --- performance ----------------------------------------------------------------------------------


@pytest.fixture
def circle(tmp_path: Path) -> Subject:
    file = tmp_path / "circle.vm"
    file.write_text(CIRCLE)
    return Subject(file)


def test_a_shape_grows_with_its_variable(circle: Subject) -> None:
    tape = changing.grown(circle)
    assert tape.variables == ("grow",)
    inside = [
        np.count_nonzero(ivm.render(tape, size=64, engine="dense", variables={"grow": by}).pixels)
        for by in (-0.2, 0.0, 0.2)
    ]
    assert inside == sorted({*inside})
    assert inside[1] == np.count_nonzero(ivm.render(circle.tape, size=64, engine="dense").pixels)


def test_each_frame_of_a_changing_variable_has_a_value_of_its_own(
    circle: Subject, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: dict[str, list[float]] = {"dense": [], "pruned": []}
    original = ivm.render

    def render(tape: ivm.Tape, **options: Any) -> ivm.Image:
        if options.get("variables") and "prove" not in options:
            seen[options.get("engine", "pruned")].append(options["variables"]["grow"])
        return original(tape, **options)

    monkeypatch.setattr(ivm, "render", render)
    monkeypatch.setattr(timing, "TURN_SECONDS", 1e-6)
    found = changing.measure(circle, rounds=3, size=32)
    assert all(times.runs == 3 for times in found.taken.values())
    assert found.text().splitlines()[2].startswith("| dense float64 | ")
    timed = [value for value in seen["dense"] + seen["pruned"] if value not in (0, changing.STEP)]
    assert len(timed) == len({*timed}) >= 6


def figures(circle: Subject) -> readme.Figures:
    """Times that nobody measured: powers of 2, whose ratios are exact."""
    rows = {
        DENSE: 32.0,
        BROADCAST: 16.0,
        SINGLE: 8.0,
        pruned(1): 2.0**-9,
        pruned(readme.cpus()): 0.001,
    }
    taken = {name: timing.Times([seconds]) for name, seconds in rows.items()}
    changed = {DENSE: timing.Times([32.0]), changing.pruned(1): timing.Times([2.0**-8])}
    return readme.Figures(
        circle, Sizes({1024: taken}, {}), changing.Changing(changed), Processes("", 0.5, 4.0)
    )


def test_the_readme_gets_the_figures_of_a_run_and_keeps_all_else(
    circle: Subject, tmp_path: Path
) -> None:
    place = tmp_path / "README.md"
    before = "# A\n\n**1x faster** than.\n\n## How fast\n\nOld.\n\n## Next\n\n1x faster.\n"
    place.write_text(before)
    readme.write(figures(circle), place)
    text = place.read_text()
    assert text.startswith(
        "# A\n\n**16,000x faster** than.\n\n## How fast\n\nA picture of circle.vm"
    )
    assert text.endswith("has the rest.\n\n## Next\n\n1x faster.\n")
    assert "| the same after a variable changed | 3.91 ms | 8,192 |" in text
    assert "Old." not in text
    readme.write(figures(circle), place)
    assert place.read_text() == text


@pytest.mark.parametrize(
    ("ratio", "said"), [(12615.4, "12,000"), (9999.9, "9,900"), (987, "980"), (7.9, "7")]
)
def test_a_headline_promises_no_more_than_was_measured(ratio: float, said: str) -> None:
    assert readme.headline(ratio) == f"**{said}x faster**"


def test_the_readme_and_the_page_tell_of_one_run() -> None:
    text = (TOP / "README.md").read_text(encoding="utf-8")
    page = (TOP / "docs" / "performance.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (.+) \| ([\d,.]+) ms \| (\**)([\d,.]+)\3 \|$", text, re.MULTILINE)
    assert len(rows) >= 5
    for name, milliseconds, _, ratio in rows:
        assert f"| {milliseconds} | {ratio} |" in page, name
    (fast,) = (ratio for _, _, bold, ratio in rows if bold)
    assert text.count(readme.headline(float(fast.replace(",", "")))) == 1
    assert len(readme.HEADLINE.findall(text)) == 1


# --- peers ----------------------------------------------------------------------------------------

ANSWERS = """
import sys
print("ready", flush=True)
for line in sys.stdin:
    what, kind, number, given, out, seconds, most = line.split()
    data = b"" if given == "-" else open(given, "rb").read()
    open(out, "wb").write(data + what.encode() + kind.encode())
    print("0.5 0.25", flush=True)
"""
"""A program that answers as that of ``bench/peers`` does: it returns what it is given."""


@pytest.fixture
def echo(tmp_path: Path) -> Path:
    found = tmp_path / "echo"
    found.write_text(f"#!{sys.executable}\n{ANSWERS}")
    found.chmod(0o700)
    return found


@pytest.mark.skipif(sys.platform == "win32", reason="the script names its interpreter")
def test_a_peer_is_asked_in_a_process_of_its_own(echo: Path, tmp_path: Path) -> None:
    with fidget.Peer(echo, tmp_path) as peer:
        given = np.array([1, 0.5], np.float32)
        seconds, found = peer.ask("jit0", fidget.Question("points12", given=given))
        assert seconds == [0.5, 0.25]
        assert found[:2].tolist() == [1, 0.5]
        assert found[2:].tobytes() == b"points12jit0"
        assert peer.ask("vm", fidget.Question("xy"))[1].tobytes() == b"xyvm"


def test_without_cargo_there_is_no_peer(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(fidget, "cache_folder", lambda: tmp_path / "intervalvm")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert peers.main([]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert "cargo is not there" in said.err
    assert not list(tmp_path.iterdir()), "nothing is written"


def test_tables_of_peers_have_ratios() -> None:
    taken = {"ours": timing.Times([0.001]), "jit": timing.Times([0.004]), "vm": timing.Times([1.0])}
    page = calls.page({"`interval`": taken})
    assert page.splitlines()[-1] == "| `interval` | 1 | 4 | 1,000 | 4 | 1,000 |"
    taken = {"ours, 1 thread": timing.Times([0.002]), "jit, 1 thread": timing.Times([0.004])}
    taken |= {"ours, all threads": timing.Times([0.001]), "jit, all threads": timing.Times([0.004])}
    page = solids.page({"octopus, 512": taken})
    assert page.splitlines()[-1] == "| octopus, 512 | 2 | 4 | 2 | 1 | 4 | 4 |"
    page = meshes.page({"octopus, 6": taken})
    assert page.splitlines()[-1] == "| octopus, 6 | 2 | 4 | 2 | 1 | 4 | 4 |"


@pytest.mark.parametrize("parts", [*((part,) for part in peers.HEADS), (*peers.HEADS,)], ids=str)
def test_a_page_gets_the_sections_that_were_measured_and_keeps_the_others(
    parts: tuple[str, ...], tmp_path: Path
) -> None:
    start, page = "# How fast it is\n\nVery.\n", tmp_path / "page.md"
    before = {part: f"{head}\nbefore\n" for part, head in peers.HEADS.items()}
    after = {part: f"{peers.HEADS[part]}\nafter\n" for part in parts}
    page.write_text(start)
    peers.write(page, before)
    peers.write(page, after)
    written = page.read_text()
    assert written == "\n".join([start, *(before | after).values()])
    assert peers.kept_section(start) == ""
    assert written.removesuffix(peers.kept_section(written)) == start


def test_sections_say_what_was_measured() -> None:
    shape = Subject(TOP / "prospero.vm")
    assert peers.calls_section(shape, {}).startswith(peers.HEAD)
    assert str(shape) in peers.calls_section(shape, {})
    assert peers.solids_section({}).startswith(peers.SOLIDS_HEAD)
    assert peers.meshes_section({}, {}).startswith(peers.MESHES_HEAD)
    assert outlines.section(shape, "").startswith(peers.OUTLINES_HEAD)


def test_models_that_are_not_there_are_left_out_and_named(tmp_path: Path) -> None:
    shape = Subject(TOP / "prospero.vm")
    names = [solid.name.partition(",")[0] for solid in solids.solids(shape, tmp_path)]
    assert names == ["prospero as a prism", "prospero3d", "prospero3d", "octopus", "lantern"]
    assert models.missing(tmp_path) == ["colonnade.vm", "tanglecube.vm"]
    ivm.save(ivm.parse(CIRCLE), tmp_path / "tanglecube.vm")
    assert next(solids.solids(shape, tmp_path)).name == "tanglecube, turned (7 clauses)"
    assert models.missing(tmp_path) == ["colonnade.vm"]
    assert [solid.name for solid in models.solids(tmp_path)][:2] == ["tanglecube", "prospero3d"]


def test_a_model_of_exponentials_has_no_choice_and_the_other_has_a_remainder() -> None:
    blend, pattern = solids.octopus.build().tape(), solids.lantern.build().tape()
    assert 450 <= len(blend) <= 650
    assert not set(blend.counts()) & {"min", "max"}
    assert blend.counts()["exp"] == 44
    assert {"mod", "sin", "atan2", "abs"} <= set(pattern.counts())


def test_solids_lie_in_their_cubes() -> None:
    sides = np.linspace(-1, 1, 65)
    for solid in models.solids(TOP.parent / "shared" / "models"):
        evaluator = ivm.Evaluator(solid.tape, dtype="float64", inputs=("x", "y", "z"))
        points = solid.half_side * np.stack(np.meshgrid(sides, sides, sides))
        inside = evaluator.values(*points) < 0
        assert inside.any(), solid.name
        assert not inside[(abs(points) == solid.half_side).any(axis=0)].any(), solid.name


# --- the window -----------------------------------------------------------------------------------


def test_times_of_the_window_are_told_and_kept_on_their_page(
    circle: Subject, tmp_path: Path
) -> None:
    found = view.Found(
        first=[0.3, 0.5, 0.4],
        drawn=[0.012],
        seen=[0.02, 0.03],
        dragging=59.6,
        orbiting=31.2,
        grown=-(2**19),
        held=2**27,
    )
    text = view.section(circle, view.page(found, "`solid.vm`, 9 clauses"), 0.25)
    for row in (
        "| the first sharp picture, once the server is up | 400 ms |",
        "| a wheel event to the sharp frame, drawn | 12.0 ms |",
        "| the same, until the browser shows it | 25.0 ms |",
        "| frames while the plane is dragged | 60 a second |",
        "| frames while a solid is turned: `solid.vm`, 9 clauses | 31 a second |",
        "| memory of the servers in the last half of 500 steps | -0.5 MiB of 128 |",
    ):
        assert row in text
    place = tmp_path / "performance.md"
    before = f"# Page\n\n{peers.HEAD}Kept.\n\n{peers.OUTLINES_HEAD}Kept, too.\n"
    place.write_text(before, encoding="utf-8")
    for _ in range(2):
        peers.write(place, {"view": text})
        assert place.read_text(encoding="utf-8") == f"{before}\n{text}"


# --- outlines -------------------------------------------------------------------------------------

SQUARE = np.array([[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]], float)


def test_areas_of_curves_and_arcs() -> None:
    assert outlines.area([SQUARE, 0.5 * SQUARE[::-1] + 0.5]) == 3
    quarter = np.tan(np.pi / 8)
    circle = outlines.area([SQUARE], [np.full(4, quarter)])
    assert circle == pytest.approx(2 * np.pi, rel=1e-12)
    inwards = outlines.area([SQUARE], [np.array([-1.0, 0, 0, 0])])
    assert inwards == pytest.approx(4 - np.pi / 2, rel=1e-12)


def test_outlines_of_a_circle_are_found_and_told() -> None:
    pytest.importorskip("contourpy", reason="contourpy is not installed")
    tape = ivm.parse(CIRCLE)
    expected = outlines.counted(tape, 1024)
    ways = [outlines.ours(tape, 1e-5), *outlines.theirs(tape, 512)]
    found, taken = outlines.compared(ways, expected, rounds=1)
    own, field, other = found.values()
    assert field is None
    assert own is not None
    assert other is not None
    assert own.curves == other.curves == 1
    assert own.area == pytest.approx(other.area, rel=1e-4)
    lines = outlines.page(found, taken, {1024: expected}).splitlines()
    assert [line.count("|") for line in lines] == [8] * 5
    assert lines[2].endswith("| +0.0e+00 |")


def test_pixels_are_counted_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    tape = ivm.parse(CIRCLE)
    whole = outlines.counted(tape, 64)
    monkeypatch.setattr(outlines, "BAND", 16)
    assert outlines.counted(tape, 64) == whole > 0


def test_outlines_that_are_far_off_are_not_timed() -> None:
    way = outlines.Way("square", lambda: [SQUARE])
    with pytest.raises(AssertionError, match=r"square: its area is off by 33\.33%"):
        outlines.compared([way], 3.0, rounds=1)


# --- meshes ---------------------------------------------------------------------------------------

SPHERE = models.Solid("sphere", ivm.shapes.sphere(0.9).tape())


def test_distances_to_a_surface_are_those_of_the_ball() -> None:
    """A unit ball of flat triangles about a ball of another radius."""
    mesh, field = ball(3), distances.Field(SPHERE)
    at = distances.points_of(mesh, 500)
    found = distances.from_mesh(field, mesh, points=500, reach=0.5)
    np.testing.assert_allclose(found, abs(np.linalg.norm(at, axis=1) - 0.9), atol=1e-7)
    assert (abs(np.linalg.norm(at, axis=1) - 1) < 0.02).all()


def test_a_surface_out_of_reach_is_infinitely_far() -> None:
    far = distances.from_mesh(distances.Field(SPHERE), ball(1), points=20, reach=1e-3)
    assert np.isinf(far).any()


def test_points_are_found_on_all_sides_of_a_surface_and_measured_to_a_mesh() -> None:
    pytest.importorskip("pymeshlab", reason="PyMeshLab is not installed")
    points = distances.points_on(distances.Field(SPHERE), SPHERE, lines=200)
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 0.9, atol=1e-7)
    assert (points.min(axis=0) < -0.8).all()
    assert (points.max(axis=0) > 0.8).all()
    away = distances.to_mesh(points, ball(4))
    np.testing.assert_allclose(away, 0.1, atol=6e-3)  # the triangles are chords of the ball


def test_faults_of_meshes_are_named_and_counted(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    good: own_meshes.Row = ("cube, 5, sharp", 12, {"open edges": 0, "flat": 0})
    bad: own_meshes.Row = ("cube, 5, safe", 1200, {"open edges": 3, "flat": 0, "crossing": 1000})
    assert own_meshes.line(good) == "| cube, 5, sharp | 12 | 2 | none |"
    assert own_meshes.line(bad) == "| cube, 5, safe | 1,200 | 3 | open edges: 3; crossing: 1,000 |"
    for found, status in ([good], 0), ([good, bad], 1), ([bad, good], 1):
        monkeypatch.setattr(own_meshes, "rows", lambda solids, depths, found=found: iter(found))
        assert own_meshes.main([]) == status
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "| solid, depth, method | triangles | tests | faults |"
    assert said[2] == own_meshes.line(good)
    assert said[-3:] == ["- open edges", "- flat", "- crossing"]


def test_qualities_are_told_in_pairs() -> None:
    good = meshes.Quality(10, 0, 0, 0, (1e-5, 0.0625), (0.5, 1.0))
    bad = meshes.Quality(2000, 4, 1, 12, (0.25, np.inf), (0.5, 2.0))
    words = meshes.quality_page({"cube, 6": (good, bad)}).splitlines()[-1].split(" | ")
    assert words[1:5] == ["10 / 2,000", "0 / 4", "0 / 1", "0 / 12"]
    assert words[5:] == ["< 0.001 / 0.25", "0.062 / over 4", "0.5 / 0.5", "1 / 2 |"]


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch) -> Path:
    """Fidget's program, which is asked for a run each."""
    if not (fidget.built_folder() / "target" / "release").exists():
        pytest.skip("`python -m bench peers` has not built Fidget here")
    monkeypatch.setattr(timing, "TURN_SECONDS", 1e-6)
    return fidget.program()


def test_both_agree_where_the_peer_is_built(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On the shape that is measured, as far as the table says."""
    monkeypatch.setattr(calls, "SIZES", (64, 128))
    monkeypatch.setattr(calls, "POINTS", (1, 100))
    monkeypatch.setattr(calls, "GRADIENTS", (100,))
    shape = Subject(TOP / "prospero.vm")
    with fidget.Peer(built, shape.path) as peer:
        found = calls.compared(shape, peer, rounds=1)
    assert len(found) == len(list(calls.rows(shape)))
    assert all(times.runs == 1 for row in found.values() for times in row.values())


def test_solids_agree_where_the_peer_is_built(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solids, "SIZES", (64,))
    shape = Subject(TOP / "prospero.vm")
    found = solids.compared(solids.solids(shape, TOP / "no models"), built, rounds=1)
    assert len(found) == 6  # and shading of one
    assert all(times.runs == 1 for row in found.values() for times in row.values())


def test_solids_that_differ_are_not_timed(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fidget draws one shape, this library another."""
    monkeypatch.setattr(solids, "SIZES", (64,))
    *_, first, second = solids.solids(Subject(TOP / "prospero.vm"), TOP / "no models")
    other = ivm.render3d(
        second.tape, size=64, view=ivm.View(second.matrix), grid="fidget", threads=1
    )
    monkeypatch.setattr(solids.Solid, "draw", lambda self, size, threads: other)
    with pytest.raises(AssertionError, match="of the depths differ"):
        solids.compared(iter([first]), built, rounds=1)


def test_meshes_agree_where_the_peer_is_built(built: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pymeshlab", reason="PyMeshLab is not installed")
    monkeypatch.setattr(meshes, "DEPTHS", (4,))
    found, qualities = meshes.compared(iter([SPHERE]), built, rounds=1)
    assert list(found) == list(qualities) == [f"sphere ({len(SPHERE.tape)} clauses), 4"]
    (own, peers_own) = qualities[next(iter(found))]
    assert own.edges == own.flat == own.crossing == peers_own.edges == 0
    assert max(own.from_surface[1], peers_own.from_surface[1]) < 0.5


def test_meshes_of_another_solid_are_not_timed(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pymeshlab", reason="PyMeshLab is not installed")
    monkeypatch.setattr(meshes, "DEPTHS", (4,))
    monkeypatch.setattr(meshes, "ours", lambda solid, depth, threads: ball(3))
    small = models.Solid("sphere", ivm.shapes.sphere(0.5).tape())
    with pytest.raises(AssertionError, match=r"a mesh is [0-9.]+ cells away"):
        meshes.compared(iter([small]), built, rounds=1)
