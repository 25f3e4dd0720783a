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
