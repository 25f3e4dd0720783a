"""What the suites that need a device share."""

from __future__ import annotations

import pytest

from intervalvm import BackendError
from intervalvm.gpu import device


@pytest.fixture
def gpu() -> None:
    """Skips with the reason where no device can be used."""
    try:
        device.cupy()
    except BackendError as error:
        pytest.skip(str(error))


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--smallest", action="store_true", help="of tests for a device, the first size of each"
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """With ``--smallest`` a test with a parameter ``size`` is run with the first of its sizes."""
    if not config.getoption("--smallest", default=False):
        return
    first: dict[object, object] = {}
    dropped = []
    for item in items:
        given = item.callspec.params if hasattr(item, "callspec") else {}
        if "size" in given and given["size"] != first.setdefault(item.function, given["size"]):
            dropped.append(item)
    config.hook.pytest_deselected(items=dropped)
    items[:] = [item for item in items if item not in dropped]
