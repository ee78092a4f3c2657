"""What the parser and its printers note on the way, as values and not as a log."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def parser_notes() -> Iterator[list[str]]:
    """What sqlglot would print while the block runs, as a list instead."""
    notes: list[str] = []
    handler, logger = _Collector(notes), logging.getLogger("sqlglot")
    before = logger.propagate, logger.disabled, logger.level
    logger.addHandler(handler)
    # a program around us may have silenced all loggers that it does not know
    logger.propagate, logger.disabled = False, False
    logger.setLevel(logging.WARNING)
    try:
        yield notes
    finally:
        logger.removeHandler(handler)
        logger.propagate, logger.disabled = before[:2]
        logger.setLevel(before[2])


# what a printer says of a text that is only shown, or hashed, is nobody's business
logging.getLogger("sqlglot").addHandler(logging.NullHandler())


class _Collector(logging.Handler):
    def __init__(self, notes: list[str]) -> None:
        super().__init__()
        self._notes = notes

    def emit(self, record: logging.LogRecord) -> None:
        self._notes.append(record.getMessage())
