"""Pauses of the garbage collector while millions of objects are made that all stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

# In the words of gc.set_threshold. What is young has to fit into the second cache of a core, of a
# MiB, or looking at it takes four times as long: 10,000 nodes do. With more than 100 of these
# before a second look no run is faster, and garbage that is no longer young takes more memory.
_RARE = (10_000, 100, 1_000)


@contextmanager
def uncollected() -> Iterator[None]:
    """No garbage collection inside the block; what it made counts as old afterwards.

    Without the last step the first collection after the block would visit every new object,
    to free next to none of them: as much work as a third of the parser's.
    """
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        if not gc.get_freeze_count():  # else somebody froze objects, and wants them to stay so
            gc.freeze()
            gc.unfreeze()
        gc.enable()


@contextmanager
def rare_collection() -> Iterator[None]:
    """Garbage is collected some ten times less often inside, and what has become old next to never:
    nearly all nodes stay, and looking at them again and again takes a fifth of a run."""
    before = gc.get_threshold()
    if before[0]:  # else it is switched off
        gc.set_threshold(*map(max, before, _RARE))
    try:
        yield
    finally:
        gc.set_threshold(*before)


_MANY = 2_000_000  # objects: to look at those of a pile of 30,000 lines takes a second


def collect_if_many() -> bool:
    """Collects what a stage has left, at its end, where so many objects are new that they may take
    much memory: trees name their parents, so that none goes by itself, and inside
    `rare_collection` none goes at all that has become old. Whether it did."""
    if not gc.isenabled():
        return False
    (first, second, _), (_, young, old) = gc.get_threshold(), gc.get_count()
    many = first * (young + second * old) >= _MANY
    if many:
        gc.collect()
    return many


@contextmanager
def collected_around() -> Iterator[None]:
    """Collects as `collect_if_many` does before a stage and at its end. What has been there before
    is not looked at again then, which takes as long as all that is new."""
    frozen = collect_if_many() and not gc.get_freeze_count()
    if frozen:
        gc.freeze()
    try:
        yield
    finally:
        collect_if_many()
        if frozen:
            gc.unfreeze()
