"""The garbage collector runs less often inside, and as before afterwards; once at the end of a
stage where much is new."""

from __future__ import annotations

import gc
import weakref

import pytest

from unwet.lineage import garbage
from unwet.lineage.garbage import collect_if_many, collected_around, rare_collection


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


@pytest.mark.parametrize("many", [0, 10**12])
def test_collected_before_a_stage_and_at_its_end(
    many: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(garbage, "_MANY", many)
    gc.collect()
    with rare_collection():
        before = weakref.ref(_Circle())
        with pytest.raises(KeyError), collected_around():
            assert (before() is None) is (many == 0) is (gc.get_freeze_count() > 0)
            within = weakref.ref(_Circle())
            raise KeyError
        assert (within() is None) is (many == 0)
        assert gc.get_freeze_count() == 0


def test_what_somebody_froze_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(garbage, "_MANY", 0)
    gc.freeze()
    try:
        with collected_around():
            pass
        assert gc.get_freeze_count() > 0
    finally:
        gc.unfreeze()


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
