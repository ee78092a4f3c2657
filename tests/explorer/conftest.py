"""A headless Chromium; its driver stands in bench/, which is read from the repository root."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bench.chromium import Browser

ROOT = str(Path(__file__).parents[2])
if ROOT not in sys.path:
    sys.path.append(ROOT)


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    """One for all tests; each opens a page of its own."""
    from bench.chromium import Browser, program

    if program() is None:
        if os.environ.get("UNWET_REQUIRE_ALL"):
            pytest.fail("Chromium is not installed, and UNWET_REQUIRE_ALL is set")
        pytest.skip("Chromium is not installed")
    with Browser() as started:
        yield started
