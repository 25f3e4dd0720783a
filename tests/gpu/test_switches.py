"""The switches of the GPU's back ends: what the environment says, and what it changes."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.cuda_simulator import run_simulated
from support.places import TOP

from intervalvm import OptionError
from intervalvm.gpu import switches
from intervalvm.gpu.switches import SWITCHES, Switch


@pytest.fixture(autouse=True)
def _read_anew() -> Iterator[None]:
    """As in a new process, before and after."""
    switches.value.cache_clear()
    yield
    switches.value.cache_clear()


def test_every_way_draws_the_same_pictures() -> None:
    run_simulated("switches")


def by_name(switch: Switch) -> str:
    return switch.name


@pytest.mark.parametrize("switch", SWITCHES, ids=by_name)
def test_a_switch_has_the_value_of_the_environment(
    switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in switch.values:
        monkeypatch.setenv(switch.name, value)
        switches.value.cache_clear()
        assert switches.value(switch) == value


@pytest.mark.parametrize("switch", SWITCHES, ids=by_name)
@pytest.mark.parametrize("is_empty", [True, False])
def test_the_first_value_is_the_default(
    switch: Switch, is_empty: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(switch.name, raising=False)
    if is_empty:
        monkeypatch.setenv(switch.name, "")
    assert switches.value(switch) == switch.values[0]


@pytest.mark.parametrize("switch", SWITCHES, ids=by_name)
def test_an_unknown_value_is_an_error_that_names_the_values(
    switch: Switch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(switch.name, "sideways")
    with pytest.raises(OptionError, match=switch.name) as found:
        switches.value(switch)
    assert str(found.value).endswith("use " + ", ".join(map(repr, switch.values)))


def test_the_page_has_a_row_for_each() -> None:
    page = (TOP / "docs" / "gpu.md").read_text(encoding="utf-8")
    rows = [line for line in page.splitlines() if line.startswith("| `INTERVALVM_")]
    assert rows == [
        f"| `{s.name}` | {', '.join(f'`{v}`' for v in s.values)} | {s.what} | {s.risk} |"
        for s in SWITCHES
    ]


def test_no_two_switches_are_one() -> None:
    names = [switch.name for switch in SWITCHES]
    assert len(set(names)) == len(names)
    assert all(name.startswith("INTERVALVM_CUDA_") for name in names)
    assert all(len(set(switch.values)) == len(switch.values) > 1 for switch in SWITCHES)
