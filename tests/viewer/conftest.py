"""One browser for the tests of a file, and windows on shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from support import browser as browsers

if TYPE_CHECKING:
    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; the test skips where there is none."""
    if reason := browsers.missing():
        pytest.skip(reason)
    with browsers.started() as found:
        yield found
