"""Copies: query blocks of changed files that stand in the pile already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice
from typing import Final

from unwet.rewrite.check.found import Place, Problem
from unwet.rewrite.check.records import Block

SIMPLE, BARE = 1, 2  # triviality, as units.py has it
MANY_CONSTANTS: Final = 9  # that differ: more parameters than anybody wants to read
LINES_PER_CONSTANT: Final = 8
OTHERS: Final = 20  # copies that are listed
MANY: Final = 200  # copies of one block that are looked at
_SHOWN: Final = 4  # constants in a message
_WIDE: Final = 40  # characters of one

_Key = tuple[str, int]  # a block: its path and position


@dataclass(frozen=True, slots=True)
class _Copy:
    """A block with its file."""

    path: str
    at: int
    block: Block

    @property
    def around(self) -> Iterator[_Key]:
        """The blocks that it stands in."""
        return ((self.path, at) for at in self.block.around)

    @property
    def place(self) -> Place:
        """Where it stands."""
        b = self.block
        return Place(self.path, b.line, b.column, b.end_line, b.relation, b.end_column)


def copies(
    blocks: Mapping[str, Sequence[Block]],
    changed: Collection[str],
    models: Mapping[str, str],
    min_lines: int,
) -> tuple[list[Problem], list[Problem]]:
    """What blocks of the changed files repeat, each told against the copy that is the best to read
    instead; and the same for the best copies themselves, which are told only where others are
    asked about. `models`: names of dbt models by path.

    Of copies inside of copies the outermost are told."""
    known = _Known(blocks, changed, models, min_lines)
    told: dict[_Key, list[_Copy]] = {}
    found: list[Problem] = []
    firsts: list[Problem] = []
    for path in sorted(changed):
        for at, block in enumerate(blocks.get(path, ())):
            mine = _Copy(path, at, block)
            others, count = known.others(mine)
            if any(key in told for key in mine.around):
                others = [o for o in others if not _goes_along(mine, o, told)]
                count = len(others)
            if others:
                told[path, at] = others
                is_first = known.rank(mine) < known.rank(others[0])
                (firsts if is_first else found).append(_problem(mine, others, count, models))
    return found, firsts


class _Known:
    """The blocks that anybody would want once, those that are the best to read first."""

    def __init__(
        self,
        blocks: Mapping[str, Sequence[Block]],
        changed: Collection[str],
        models: Mapping[str, str],
        min_lines: int,
    ) -> None:
        self._changed, self._models, self._least = changed, models, min_lines
        self._exact: dict[str, list[_Copy]] = defaultdict(list)
        self._alike: dict[str, list[_Copy]] = defaultdict(list)
        for path in blocks:
            for at, block in enumerate(blocks[path]):
                if block.triviality < BARE and block.lines >= min_lines:
                    self._exact[block.strict].append(_Copy(path, at, block))
                    self._alike[block.recurring].append(_Copy(path, at, block))
        for classes in (self._exact, self._alike):
            for same in classes.values():
                same.sort(key=self.rank)

    def rank(self, copy: _Copy) -> tuple[bool, bool, bool, str, int, int]:
        """First what was there before; of that, a dbt model, a relation."""
        block, path = copy.block, copy.path
        is_model = block.whole and bool(self._models.get(path))
        return path in self._changed, not is_model, not block.readable, path, block.line, copy.at

    def others(self, mine: _Copy) -> tuple[list[_Copy], int]:
        """The copies of a block, the best first, and how many there are: exact ones, if there are
        any, else those with few other constants. Of very many only some are looked at."""
        block = mine.block
        exact = self._exact.get(block.strict, [])
        if block.triviality >= BARE or block.lines < self._least:
            return [], 0  # nobody would want it once
        fitting = _fitting(mine, exact)
        if fitting:
            return fitting, max(len(fitting), len(exact) - 1 if len(exact) > MANY else 0)
        if block.triviality >= SIMPLE:
            return [], 0  # this day's rows and that day's: a parameter where it belongs
        near = [c for c in _fitting(mine, self._alike[block.recurring]) if _is_near(block, c.block)]
        return near, len(near)


def _fitting(mine: _Copy, known: Sequence[_Copy]) -> list[_Copy]:
    """Others of a class; a simple block counts only as the whole of two statements."""
    block = mine.block
    return [
        c
        for c in islice(known, MANY + 1)
        if c.block is not block and (block.triviality < SIMPLE or (block.whole and c.block.whole))
    ]


def _is_near(one: Block, other: Block) -> bool:
    count = len(_differences(one, other))
    return count <= min(MANY_CONSTANTS, max(2, one.lines // LINES_PER_CONSTANT))


def _differences(one: Block, other: Block) -> list[tuple[str, str]]:
    """The constants that differ, each pair once."""
    if len(one.constants) != len(other.constants):
        return [("...", "...")] * (MANY_CONSTANTS + 1)
    pairs = zip(one.constants, other.constants, strict=True)
    return list(dict.fromkeys((a, b) for a, b in pairs if a != b))


def _goes_along(mine: _Copy, other: _Copy, told: Mapping[_Key, Sequence[_Copy]]) -> bool:
    """Whether a copy is a part of one that was told for a block around this one."""
    around = set(other.around)
    return any(
        (larger.path, larger.at) in around or (larger.path, larger.at) == key
        for key in mine.around
        for larger in told.get(key, ())
    ) or any(key in told and key in around for key in mine.around)


def _problem(
    mine: _Copy, others: Sequence[_Copy], count: int, models: Mapping[str, str]
) -> Problem:
    first, rest = others[0], count - 1
    exact = first.block.strict == mine.block.strict
    code = "DUP_EXACT" if exact else "DUP_PARAMETRIC"
    more = f", and {rest} more {'copies' if rest > 1 else 'copy'} of it" if rest else ""
    message = f"this is `{first.place}` again{'' if exact else _but(mine.block, first.block)}{more}"
    places = tuple(other.place for other in others[:OTHERS])
    key = blake2b(f"{code} {mine.block.text}".encode(), digest_size=8).hexdigest()
    return Problem(code, mine.place, message, _help(first, exact, models), places, key)


def _but(mine: Block, other: Block) -> str:
    """`, but for 2 constants ('FR' for 'DE', 30 for 90)`"""
    found = _differences(mine, other)
    shown = [f"{_short(here)} for {_short(there)}" for here, there in found[:_SHOWN]]
    dots = ", ..." if len(found) > _SHOWN else ""
    count = f"{len(found)} constants" if len(found) > 1 else "a constant"
    return f", but for {count} ({', '.join(shown)}{dots})"


def _short(text: str) -> str:
    return text if len(text) <= _WIDE else text[: _WIDE - 3] + "..."


def _help(first: _Copy, exact: bool, models: Mapping[str, str]) -> str:
    name = models.get(first.path, "") if first.block.whole else ""
    if exact and name:
        return f"use ref('{name}')"
    if exact and first.block.readable:
        return f"select from {first.block.relation}"
    home = "a model" if models.get(first.path) else "a view"
    if exact:
        return f"make it {home} of its own, and read that in both places"
    return f"make it one {'macro' if models.get(first.path) else 'query'} with a parameter for each"
