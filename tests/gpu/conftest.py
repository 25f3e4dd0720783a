"""What the suites that need a device share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import settings

from intervalvm import BackendError
from intervalvm.gpu import device


@pytest.fixture
def gpu() -> None:
    """Skips with the reason where no device can be used."""
    try:
        device.cupy()
    except BackendError as error:
        pytest.skip(str(error))


SIZES = {"size", "count"}
"""The parameters of tests that make them long: pixels a side, points."""
FEW = 10
"""Examples of Hypothesis, with ``--smallest``."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--smallest", action="store_true", help="of tests for a device, the first size of each"
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--smallest", default=False):
        settings.register_profile("smallest", max_examples=FEW)
        settings.load_profile("smallest")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--smallest`` a test with a parameter of ``SIZES`` has the first of its values only."""
    if not config.getoption("--smallest", default=False):
        return
    first: dict[tuple[object, str], object] = {}
    dropped = []
    for item in items:
        given = item.callspec.params if hasattr(item, "callspec") else {}
        for name in SIZES & given.keys():
            if given[name] != first.setdefault((item.function, name), given[name]):
                dropped.append(item)
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if item not in dropped]


@pytest.fixture(autouse=True, scope="session")
def quick_threads() -> Iterator[None]:
    """The simulator looks all the time whether threads wait, and they wait for it to let go."""
    before = sys.getswitchinterval()
    if "NUMBA_ENABLE_CUDASIM" in os.environ:
        sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(before)
