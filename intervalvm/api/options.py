"""The options of renderers, their checks, and the ``Job`` that they make for a shape.

``Options`` checks each option by itself, ``Options.job`` all against each other and the shape.
Words are compared here only. ``What`` says what is drawn, ``How`` how, for other renderers too.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, get_args

import numpy as np

from intervalvm.api.dispatch import fast_tape
from intervalvm.api.limits import (
    check_antialias,
    check_depth,
    check_threads,
    count,
    usable_cpus,
)
from intervalvm.arguments import brief, is_word, real
from intervalvm.arith.arrays import as_dtype
from intervalvm.checks import check_word, listed
from intervalvm.colours import Colour
from intervalvm.errors import ArgumentTypeError, OptionError
from intervalvm.gpu.arrays import array_module
from intervalvm.hints import Takes
from intervalvm.memory import Amount, as_bytes, require, require_lists
from intervalvm.raster.canvas import check_fits, check_out
from intervalvm.raster.grid import coordinates, cropped_region, edges
from intervalvm.raster.job import Job, Progress, split_levels
from intervalvm.raster.look import Look
from intervalvm.raster.region import (
    Crop,
    RegionLike,
    as_region,
    check_crop,
    check_size,
    shown_region,
)
from intervalvm.words import (
    ArrayBackend,
    ArrayEngine,
    Backend,
    BoxBackend,
    Engine,
    EvaluatorBackend,
    Fold,
    Grid,
    Keep,
    MapKind,
    MapPer,
    Mode,
    Prove,
    Way,
)

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from intervalvm.tape import Tape

ENGINES, GRIDS, MODES, PROVES = map(get_args, (Engine, Grid, Mode, Prove))
FOLDS, KEEPS = get_args(Fold), get_args(Keep)
MAPS, MAP_PERS = get_args(MapKind), get_args(MapPer)
BACKENDS = {engine: tuple(w.backend for w in Way if w.engine == engine) for engine in ENGINES}
"""The back ends of each engine; the first is the default."""
WAYS = {(way.engine, way.backend): way for way in Way}
ARRAY_ENGINES, BOX_BACKENDS = get_args(ArrayEngine), get_args(BoxBackend)
ARRAY_WAYS: dict[str, dict[str, Way]] = {
    "dense": {"numba": Way.COMPILED, "numpy": Way.DENSE, "cupy": Way.GPU_DENSE},
    "naive": {"numpy": Way.NAIVE, "cupy": Way.GPU_NAIVE},
}
"""Of functions of points, by engine and back end; the first back end is the default."""
EVALUATOR_WAYS: dict[str, Way] = {
    "numba": Way.COMPILED,
    "numpy": Way.READABLE,
    "cuda": Way.GPU_WALK,
}
"""Of evaluators, by back end."""
COORDINATE_BYTES = 64
"""The most bytes of a coordinate while it is computed."""
MAP_BYTES = 40
"""The most bytes of a tile in maps, while they are made."""
BITMAP = np.dtype(np.uint8)


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class What:
    """What is drawn. The check normalizes a size to a pair, ends to a Region, a crop to a tuple and
    a name to a dtype."""

    size: int | tuple[int, int] = 1024
    region: RegionLike | None = None
    crop: Crop | None = None
    grid: Grid = "linspace"
    z: float = 0.0
    variables: Mapping[str, float] | None = None
    mode: Mode = "bitmap"
    dtype: DTypeLike = "float32"
    prove: Prove | None = None
    antialias: int = 1

    def __post_init__(self) -> None:
        self.size = check_size(self.size)
        self.region = as_region(self.region)
        self.crop = check_crop(self.crop)
        self.z = real("z", self.z)
        self.dtype = as_dtype(self.dtype)
        check_word("grid", self.grid, GRIDS)
        check_word("mode", self.mode, MODES)
        check_prove(self.prove)
        self.antialias = check_antialias(self.antialias)

    @property
    def is_bitmap(self) -> bool:
        """Whether the image is a bitmap, not values."""
        return self.mode == "bitmap"

    @property
    def proves_areas(self) -> bool:
        """Whether pixels are proven over their areas."""
        return self.prove == "area"


@dataclass(kw_only=True, init=False, repr=False, eq=False)
class How:
    """How it is drawn: only ``fold="fast"`` changes bits."""

    engine: Engine = "pruned"
    backend: Backend | None = None
    threads: int | None = None
    depth: int | None = None
    max_memory: Amount | None = None
    fold: Fold = "exact"
    progress: Progress | bool | None = None
    way: Way = field(init=False, repr=False)
    """The engine on its back end."""

    def __post_init__(self) -> None:
        self.way = self._way()
        self.threads = check_threads(self.threads)
        if self.depth is not None and count(self.depth) < 0:
            raise OptionError(f"the depth is {brief(self.depth)}: give a number from 0, or None")
        if self.max_memory is not None:
            self.max_memory = as_bytes("max_memory", self.max_memory)
        is_fast(self.fold)
        check_progress(self.progress)

    def _way(self) -> Way:
        check_word("engine", self.engine, ENGINES)
        choices, backend = BACKENDS[self.engine], self.backend
        if backend is not None and not is_word(backend, choices):
            raise OptionError(
                f"engine {self.engine!r} has no back end {brief(backend)}: choose {listed(choices)}"
            )
        return WAYS[self.engine, backend or choices[0]]


@dataclass(kw_only=True, eq=False)
class Options(How, What):
    """The options of ``render``. Raises as it does for an invalid one, BackendError or DeviceError
    without the GPU or its library."""

    ink: Colour | None = None
    paper: Colour | None = None
    out: NDArray[Any] | None = None
    look: Look = field(init=False, repr=False)
    """Ink and paper."""

    def __post_init__(self) -> None:
        What.__post_init__(self)
        How.__post_init__(self)
        self.look = Look.of(self.ink, self.paper)
        if self.out is not None:
            check_out(self.out)
        # a GPU proves nothing: a frame says so, whether there is one or not
        if self.way.on_gpu and self.prove is None:
            if self.way is not Way.GPU_WALK:
                array_module(on_gpu=True)  # says how to install it
            from intervalvm.gpu.target import check_target

            check_target()

    def job(self, tape: Tape, variables: Mapping[str, float] | None) -> Job:
        """The job of drawing a tape. Raises as ``render`` does.

        ``variables`` are those of the options and the defaults of a shape.
        """
        checked: Any = self  # whose fields are normalized
        whole: tuple[int, int] = checked.size
        dtype, max_memory = checked.dtype, checked.max_memory
        crop = check_crop(self.crop, *whole)
        left, top, right, bottom = crop or (0, 0, *whole)
        width, height = right - left, bottom - top
        n = self.antialias
        depth = check_depth(self.depth, width, height, n)
        if self.prove is not None:
            self._check_proof()
        if n > 1:
            self._check_coverage()
        if self.fold == "fast":
            tape = fast_tape(tape, dtype)
        given = zip(tape.variables, tape.settings(variables), strict=True)
        settings = {"var-z": self.z} | {name: real(name, v) for name, v in given}
        pixel_type = BITMAP if self.is_bitmap else dtype
        if self.out is not None:
            check_fits(self.out, (height, width), pixel_type)
        # coordinates are larger than an image one pixel wide
        n_bytes = 0 if self.out is not None else width * height * pixel_type.itemsize
        needed = max(n_bytes, COORDINATE_BYTES * n * (width + height))
        require(needed, f"an image of {width}x{height} pixels", "make it smaller", max_memory)
        require_lists(len(tape), max_memory)
        shown = shown_region(checked.region, *whole)
        at = shown, *whole, self.grid, dtype, crop
        fine, part = _times(n, whole), None if crop is None else _times(n, crop)
        return Job(
            tape=tape,
            samples=coordinates(shown, fine[0], fine[1], self.grid, dtype, part),
            edges=edges(*at) if self.proves_areas else None,
            pixel_type=pixel_type,
            region=shown if crop is None else cropped_region(shown, *whole, crop),
            crop=crop,
            grid=self.grid,
            prove=self.prove,
            settings=settings,
            way=self.way,
            threads=self.threads or usable_cpus(),
            depth=depth,
            steps=split_levels(depth) if self.way.prunes else [],
            max_memory=max_memory,
            out=self.out,
            antialias=n,
        )

    def _check_proof(self) -> None:
        """Raise OptionError for options that are incompatible with ``prove``."""
        wrong = {
            "mode": not self.is_bitmap and "proven pixels have no value: choose mode='bitmap'",
            "fold": self.fold != "exact"
            and "it changes values, so it proves nothing: choose fold='exact'",
            "engine": self.way.keeps and "choose 'pruned' or 'dense'",
            "backend": self.way.on_gpu and "choose 'numba' or 'numpy'",
        }
        for name, way_out in wrong.items():
            if way_out:
                value = getattr(self, name)
                raise OptionError(f"prove={self.prove!r} with {name}={brief(value)}: {way_out}")

    def _check_coverage(self) -> None:
        """Raise OptionError for options that are incompatible with ``antialias``."""
        if not self.is_bitmap:
            raise OptionError(
                f"antialias={self.antialias} with mode='value': only a bitmap has coverage"
            )
        if self.prove is not None:
            raise OptionError(
                f"antialias={self.antialias} with prove={self.prove!r}: a verdict is of one sample "
                "or of a whole pixel, so choose antialias=1"
            )


def _times(n: int, pixels: tuple[int, ...]) -> Any:
    """Numbers of pixels as numbers of samples."""
    return tuple(n * each for each in pixels)


takes_options = Takes(Options)


def array_way(engine: ArrayEngine, backend: ArrayBackend | None) -> Way:
    """The way of a function of points. Raises OptionError for other words."""
    check_word("engine", engine, ARRAY_ENGINES)
    choices = ARRAY_WAYS[engine]
    if backend is None:
        return next(iter(choices.values()))
    _check_no_evaluator(backend, choices)
    check_word("array back end", backend, choices)
    return choices[backend]


def is_compiled(backend: BoxBackend) -> bool:
    """Whether a function of boxes uses compiled evaluators."""
    _check_no_evaluator(backend, BOX_BACKENDS)
    check_word("back end", backend, BOX_BACKENDS)
    return backend == "numba"


def _check_no_evaluator(backend: object, choices: Collection[str]) -> None:
    """Raise OptionError for what evaluators have, and functions that are called once have not."""
    if is_word(backend, ("cuda",)):
        raise OptionError(
            f"no back end 'cuda' here: choose {listed(choices)}, or ask an "
            "Evaluator(…, backend='cuda')"
        )


def evaluator_way(backend: EvaluatorBackend, prove: Prove | None) -> Way:
    """The way of an evaluator. Raises OptionError for other words, and for a proof on a GPU."""
    check_word("back end", backend, EVALUATOR_WAYS)
    check_prove(prove)
    way = EVALUATOR_WAYS[backend]
    if way.on_gpu and prove is not None:
        raise OptionError(f"prove={prove!r} with backend={backend!r}: choose 'numba' or 'numpy'")
    return way


def check_progress(progress: Any) -> None:
    """Raise ArgumentTypeError for what is not called with a progress."""
    if not (progress is None or isinstance(progress, bool) or callable(progress)):
        raise ArgumentTypeError(f"progress={brief(progress)}: give a function of two, or True")


def check_prove(prove: Any) -> None:
    """Raise OptionError for an unknown ``prove``."""
    if prove is not None and not is_word(prove, PROVES):
        raise OptionError(f"prove={brief(prove)}: choose {listed(PROVES)}, or None")


def proves_real(prove: Prove | None, *, decoration: bool, at_point: bool) -> bool:
    """Whether bounds are those of the real function."""
    check_prove(prove)
    if prove == "point" and not at_point:
        raise OptionError(
            "prove='point' takes one number a side: give prove='area' for a box with sides"
        )
    return prove is not None or decoration


def is_fast(fold: Fold) -> bool:
    """Whether identities of real numbers are used."""
    check_word("way to fold", fold, FOLDS)
    return fold == "fast"


def keeps_sign(keep: Keep) -> bool:
    """Whether a shorter tape keeps only the sign."""
    if not is_word(keep, KEEPS):
        raise OptionError(f"keep={brief(keep)} is neither 'value' nor 'sign'")
    return keep == "sign"


def is_by_pixel(kind: MapKind, per: MapPer) -> bool:
    """Whether a map of tiles is asked for by pixel. Raises OptionError for other words."""
    check_word("map", kind, MAPS)
    if not is_word(per, MAP_PERS):
        raise OptionError(f"per={brief(per)}: choose {listed(MAP_PERS)}")
    return per == "pixel"


def check_prunes(job: Job) -> None:
    """Raise OptionError for an image without tiles, DoesNotFit for too many to map."""
    if not job.way.prunes:
        raise OptionError(f"engine={job.way.engine!r} has no tiles to map: choose 'pruned'")
    job.require(MAP_BYTES << 2 * job.depth, f"maps of depth {job.depth}", "choose a lower depth")
