"""Options of shading."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from intervalvm import ArgumentTypeError, OptionError
from intervalvm.voxel.style import Light, Shading


@pytest.mark.parametrize(
    ("options", "words"),
    [({"material": "#12"}, "material=.*#c84"), ({"sky": "blu"}, "did you mean 'blue'"),
     ({"occlusion": -1}, "occlusion=-1: give a number from 0 to 4"),
     ({"edges": float("nan")}, "edges=nan"), ({"shadow": 2}, "0 to 1"), ({"radius": 0}, "0.001 to"),
     ({"smooth": 9}, "0 to 4"), ({"lights": [Light((1, 0, 0))] * 17}, "more than 16"),
     ({"background": ("red", "#1")}, "background='#1'"), ({"background": (1, 2, 300)}, "300")],
)  # fmt: skip
def test_invalid_values_are_refused_by_name(options: dict[str, Any], words: str) -> None:
    with pytest.raises(OptionError, match=words):
        Shading(**options)


@pytest.mark.parametrize(
    ("options", "words"),
    [({"smooth": 0.5}, "smooth=0.5: give an integer"), ({"smooth": True}, "smooth=True"),
     ({"lights": ["sun"]}, "objects of Light"), ({"lights": 5}, "lights=5"),
     ({"occlusion": "much"}, "occlusion='much'"), ({"background": None}, "background=None")],
)  # fmt: skip
def test_invalid_types_are_refused_by_name(options: dict[str, Any], words: str) -> None:
    with pytest.raises(ArgumentTypeError, match=words):
        Shading(**options)


@pytest.mark.parametrize("way", [(0, 0, 0), (1, 2), (1, 2, float("inf")), (1, 2, float("nan"))])
def test_a_light_has_a_direction(way: Any) -> None:
    with pytest.raises(OptionError, match=r"direction=.*x, y and z in view space"):
        Light(way)


def test_options_are_kept_as_they_are_used() -> None:
    style = Shading(background="#fff", lights=iter([Light([0, 0, 1], colour="red")]))
    assert style.background == ((255, 255, 255), (255, 255, 255))
    assert style.lights == (Light((0.0, 0.0, 1.0), colour=(255, 0, 0)),)
    assert style == Shading(background=style.background, lights=style.lights)
    assert pickle.loads(pickle.dumps(style)) == style
    assert hash(style)
