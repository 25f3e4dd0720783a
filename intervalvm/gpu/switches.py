"""Switches of the GPU's back ends: environment variables, each the way round one known risk.

The kernels and their launches rely on parts of CUDA, CuPy and numba-cuda that another version may
have changed. A switch takes the other way through the same work: pictures are the same, times may
not be. The environment is read once a process, where a switch is first needed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache

from intervalvm.errors import OptionError


@dataclass(frozen=True)
class Switch:
    """An environment variable: its values, the default first, what it does, and why it is there."""

    name: str
    values: tuple[str, ...]
    what: str
    risk: str


GRAPHS = Switch(
    "INTERVALVM_CUDA_GRAPHS",
    ("on", "off"),
    "repeat the launches of a frame as one CUDA graph, or launch them one by one",
    "launches cannot be captured, or a graph runs out of order",
)
LINKER = Switch(
    "INTERVALVM_CUDA_LINKER",
    ("nvjitlink", "driver"),
    "have nvJitLink make machine code, which is cached, or the driver, from PTX, on loading",
    "nvJitLink is not found, or the driver does not load what a newer one has made",
)
LAUNCH = Switch(
    "INTERVALVM_CUDA_LAUNCH",
    ("cupy", "numba"),
    "launch machine code by CuPy, or kernels by numba-cuda, which compiles them in each process",
    "the layout of a kernel's arguments is not what is passed here",
)
WARPS = Switch(
    "INTERVALVM_CUDA_WARPS",
    ("16", "8", "4", "2", "1"),
    "the most warps of a block that divides a region of a picture or a cell of points",
    "a block has too many threads for the registers and the memory of a multiprocessor",
)
OPTIMIZE = Switch(
    "INTERVALVM_CUDA_OPTIMIZE",
    ("3", "1", "0"),
    "how hard machine code of PTX is optimised",
    "ptxas makes wrong code of a large kernel, or takes minutes for it",
)
REGISTERS = Switch(
    "INTERVALVM_CUDA_REGISTERS",
    ("64", "128", "40"),
    "the most registers of a thread that evaluates pixels, points or boxes; with fewer, more run",
    "long operations keep too much in memory, or too few threads hide how long that takes",
)
SWITCHES = (GRAPHS, LINKER, LAUNCH, WARPS, OPTIMIZE, REGISTERS)


@lru_cache
def value(switch: Switch) -> str:
    """The value of a switch in this process. Raises OptionError where it has no such value."""
    found = os.environ.get(switch.name) or switch.values[0]
    if found not in switch.values:
        choices = ", ".join(map(repr, switch.values))
        raise OptionError(f"the environment variable {switch.name} is {found!r}: use {choices}")
    return found


def is_default(switch: Switch) -> bool:
    """Whether a switch has its default value. Raises what ``value`` does."""
    return value(switch) == switch.values[0]
