"""Conditions of a loop's rows that follow from the parts of a key: one test for each part.

A row that groups by region joins its totals by `a.region = b.region`, any other one by
`b.region = 'NULL'`: which it is follows from whether `Region` is in the row's name. So the whole
condition of a row is a table that says for each part what holds where the name has it, and what
holds where it has not.

conjoined(texts, parts) -> the rows of that table, None where a condition does not follow
makes(tests, texts, parts) -> whether the rows of another table do
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

_AND: Final = re.compile(r"\s+AND\s+", re.IGNORECASE)
_ATOM: Final = re.compile(r"[A-Za-z_][\w.]* (?:=|<>|<=?|>=?) (?:[A-Za-z_][\w.]*|\d+|'[^'\\{}%#]*')")

_NOTHING: Final = "1 = 1"

Test = tuple[str, str, str]  # a part, the condition where a key has it, and where it has not


def conjoined(texts: Sequence[str], parts: Sequence[Sequence[str]]) -> tuple[Test, ...] | None:
    """The tests that make each text, up to the order of its conditions, for the key that is cut
    into these parts. What holds in every row is in the first test, which is for no part."""
    rows = [_AND.split(text) for text in texts]
    if not all(_ATOM.fullmatch(atom) and "__" not in atom for row in rows for atom in row):
        return None
    words = dict.fromkeys(word for cut in parts for word in cut)
    if "" in words:
        return None  # what is added to a short key is no part of it
    spelled = {_key(atom): atom for row in reversed(rows) for atom in reversed(row)}
    held = [frozenset(map(_key, row)) for row in rows]
    always: list[str] = []
    there: dict[str, list[str]] = {}
    missing: dict[str, list[str]] = {}
    for atom in dict.fromkeys(_key(atom) for row in rows for atom in row):
        holds = [atom in row for row in held]
        with_word = (w for w in words if holds == [w in cut for cut in parts])
        without = (w for w in words if holds == [w not in cut for cut in parts])
        if all(holds):
            always.append(spelled[atom])
        elif (word := next(with_word, None)) is not None:
            there.setdefault(word, []).append(spelled[atom])
        elif (word := next(without, None)) is not None:
            missing.setdefault(word, []).append(spelled[atom])
        else:
            return None
    tests = [(w, _all(there.get(w, ())), _all(missing.get(w, ())))
             for w in words if w in there or w in missing]  # fmt: skip
    return (*([("", _all(always), _all(always))] if always else []), *tests)


def makes(tests: Sequence[Test], texts: Sequence[str], parts: Sequence[Sequence[str]]) -> bool:
    """Whether these tests make the texts, too."""
    for text, cut in zip(texts, parts, strict=True):
        said = [there if word in cut else missing for word, there, missing in tests]
        atoms = [atom for each in said for atom in _AND.split(each) if each != _NOTHING]
        if {*map(_key, atoms)} != {*map(_key, _AND.split(text))}:
            return False
    return True


def _key(atom: str) -> str:
    """The same for names in other letters, not for texts."""
    pieces = enumerate(atom.split("'"))
    return "'".join(piece if at % 2 else piece.lower() for at, piece in pieces)


def _all(atoms: Sequence[str]) -> str:
    """A condition that holds anyway where there is none."""
    return " AND ".join(atoms) or _NOTHING
