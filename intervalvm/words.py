"""The words that arguments take, each written once, and what an engine on a back end is.

``api.options`` compares what a caller gives with these words; all others ask what it made of them.
"""

from __future__ import annotations

from enum import Enum
from typing import Literal

Engine = Literal["pruned", "dense", "naive"]
Backend = Literal["numba", "numpy", "cupy", "cuda"]
ArrayEngine = Literal["dense", "naive"]
ArrayBackend = Literal["numpy", "cupy"]
Grid = Literal["linspace", "center", "fidget"]
Mode = Literal["bitmap", "value"]
Prove = Literal["point", "area"]
Fold = Literal["exact", "fast"]
Keep = Literal["value", "sign"]


class Way(Enum):
    """What computes pixels: an engine on a back end. An engine's default comes first."""

    COMPILED = "pruned", "numba"
    READABLE = "pruned", "numpy"
    GPU_LEAVES = "pruned", "cupy"
    GPU_WALK = "pruned", "cuda"
    DENSE = "dense", "numpy"
    GPU_DENSE = "dense", "cupy"
    NAIVE = "naive", "numpy"
    GPU_NAIVE = "naive", "cupy"

    def __init__(self, engine: Engine, backend: Backend) -> None:
        self.engine, self.backend = engine, backend

    @property
    def prunes(self) -> bool:
        """Whether it walks a quadtree; the others evaluate every clause at every pixel."""
        return self in (Way.COMPILED, Way.READABLE, Way.GPU_LEAVES, Way.GPU_WALK)

    @property
    def keeps(self) -> bool:
        """Whether it keeps every clause's array to the end."""
        return self in (Way.NAIVE, Way.GPU_NAIVE)

    @property
    def on_gpu(self) -> bool:
        return self in (Way.GPU_LEAVES, Way.GPU_WALK, Way.GPU_DENSE, Way.GPU_NAIVE)
