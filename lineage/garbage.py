"""Pauses of the garbage collector while millions of objects are made that all stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
