"""What every benchmark may use."""

from __future__ import annotations

import pytest

from bench.subject import Subject, subject


@pytest.fixture(scope="session")
def shape() -> Subject:
    """The challenge's ``prospero.vm`` where it lies beside the project, else the project's own."""
    return subject()


def pytest_report_header() -> str:
    return f"tape: {subject()}"
