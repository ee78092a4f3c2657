"""What runs only where a statement before it has failed.

    BEGIN CATCH .. END CATCH          EXCEPTION WHEN .. THEN .. END
    DECLARE EXIT HANDLER FOR SQLEXCEPTION BEGIN .. END

on_errors(text, dialect) -> these stretches of a text
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from unwet.lineage.lexer import in_code

_MAY_HANDLE: Final = re.compile(r"\b(?:CATCH|EXCEPTION|HANDLER)\b", re.IGNORECASE)
_WORD: Final = re.compile(r"\w+|;")
_TRANSACTION: Final = frozenset({"TRAN", "TRANSACTION", "WORK", "DISTRIBUTED", ";"})
_OTHERS: Final = frozenset({"IF", "LOOP", "WHILE", "FOR", "REPEAT"})  # END of what is no block

_Words = list[tuple[str, int, int]]


def on_errors(text: str, dialect: str | None) -> tuple[tuple[int, int], ...]:
    """As offsets, in their order."""
    if _MAY_HANDLE.search(text) is None:
        return ()
    words = [(hit[0].upper(), hit.start(), hit.end()) for hit in in_code(_WORD, text, dialect)]
    return tuple(_handlers(words, len(text)))


def _handlers(words: _Words, end: int) -> Iterator[tuple[int, int]]:
    said = [word for word, _, _ in words]
    for at, word in enumerate(said):
        before, after = said[at - 1] if at else "", said[at + 1] if at + 1 < len(said) else ""
        if (word == "CATCH" and before == "BEGIN") or (word == "EXCEPTION" and after == "WHEN"):
            last = _closes(said, at + 1)
        elif word == "HANDLER" and after == "FOR":
            last = _end_of_handler(said, at + 1)
        else:
            continue
        yield words[at][1], words[last][1] if last is not None else end


def _closes(said: Sequence[str], start: int) -> int | None:
    """Where the block that is open at a place ends."""
    depth = 0
    for at in range(start, len(said)):
        word, after = said[at], said[at + 1] if at + 1 < len(said) else ""
        before = said[at - 1] if at else ""
        if word == "BEGIN":
            depth += after not in _TRANSACTION
        elif word == "CASE":
            depth += before != "END"
        elif word == "END" and after not in _OTHERS:
            if depth == 0:
                return at
            depth -= 1
    return None


def _end_of_handler(said: Sequence[str], start: int) -> int | None:
    """The end of the statement, or of the block, that a handler is."""
    for at in range(start, len(said)):
        if said[at] == "BEGIN":
            return _closes(said, at + 1)
        if said[at] == ";":
            return at
    return None
