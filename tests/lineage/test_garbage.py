"""The garbage collector runs less often inside, and as before afterwards; once at the end of a
stage where much is new."""

from __future__ import annotations

import gc
import weakref

import pytest

from unwet.lineage import garbage
from unwet.lineage.garbage import collect_if_many, rare_collection


class _Circle:
    """Names itself, so that only the collector frees it."""

    def __init__(self) -> None:
        self.me = self


@pytest.mark.parametrize(
    ("many", "enabled", "stays"), [(0, True, False), (10**12, True, True), (0, False, True)]
)
def test_collected_at_the_end_of_a_stage_where_much_is_new(
    many: int, enabled: bool, stays: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage, "_MANY", many)
    gc.collect()
    with rare_collection():
        if not enabled:
            gc.disable()
        try:
            left = weakref.ref(_Circle())
            collect_if_many()
            assert (left() is not None) is stays
        finally:
            gc.enable()


def test_collection_is_as_it_was_afterwards() -> None:
    before = gc.get_threshold()
    with rare_collection():
        assert gc.get_threshold()[0] > before[0]
        with rare_collection():
            assert gc.get_threshold()[0] > before[0]
    assert gc.get_threshold() == before


def test_collection_that_is_switched_off_stays_so() -> None:
    before = gc.get_threshold()
    gc.set_threshold(0)
    try:
        with rare_collection():
            assert gc.get_threshold()[0] == 0
    finally:
        gc.set_threshold(*before)
