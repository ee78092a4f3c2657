"""The garbage collector runs less often inside, and as before afterwards."""

from __future__ import annotations

import gc

from unwet.lineage.garbage import rare_collection


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
