"""Copies: query blocks of changed files that stand in the pile already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import islice, zip_longest
from typing import Final

from unwet.rewrite.check.found import Place, Problem
from unwet.rewrite.check.records import Block

SIMPLE, BARE = 1, 2  # triviality, as units.py has it
LITERAL, COLUMN, RELATION = "lcr"  # kinds of leaves, as leaves.py has them
MANY_DIFFERENCES: Final = 9  # more parameters than anybody wants to read
LINES_PER_DIFFERENCE: Final = 4
HEAVIEST: Final = 16
FEW: Final = 2  # constants that may differ in the shortest block
IN_ONE_FILE: Final = 3  # copies of one block that are told one by one
OTHERS: Final = 20  # copies that are listed
MANY: Final = 200  # copies of one block that are looked at
_SHOWN: Final = 4  # differences in a message
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
    is_told: Callable[[Problem], bool] = lambda _: True,
) -> tuple[list[Problem], list[Problem]]:
    """What blocks of the changed files repeat, each told against the copy that is the best to read
    instead; and the same for the best copies themselves, which are told only where others are
    asked about. `models`: names of dbt models by path; `is_told`: False where somebody has accepted
    one.

    Of copies inside of copies the outermost are told; of many copies in one file the first, with
    their number."""
    known = _Known(blocks, changed, models, min_lines)
    told: dict[_Key, list[_Copy]] = {}
    found: list[Problem] = []
    firsts: list[Problem] = []
    for path in sorted(changed):
        here: dict[str, list[_Told]] = defaultdict(list)
        for at, block in enumerate(blocks.get(path, ())):
            mine = _Copy(path, at, block)
            others, count = known.others(mine)
            if any(key in told for key in mine.around):
                others = [o for o in others if not _goes_along(mine, o, told)]
                count = len(others)
            if others:
                told[path, at] = others
                is_first = known.rank(mine) < known.rank(others[0])
                here[block.strict].append(_Told(mine, others, count, is_first))
        for copied in here.values():
            same = [each for each in copied if is_told(_problem(each, 1, models))]
            many = len(same) > IN_ONE_FILE
            for each in _one(same) if many else same:
                problem = _problem(each, len(same) if many else 1, models)
                (firsts if each.is_first else found).append(problem)
    return found, firsts


@dataclass(frozen=True, slots=True)
class _Told:
    """A block with its copies, the best first, and their number, which may be larger still where
    not all of them were looked at; `is_first`: it is better than they are."""

    mine: _Copy
    others: Sequence[_Copy]
    count: int
    is_first: bool

    @property
    def rest(self) -> str:
        """How many there are besides the best."""
        rest, exact = self.count - 1, self.others[0].block.strict == self.mine.block.strict
        least = "at least " if not exact and self.count >= MANY - 1 else ""
        return f"{least}{rest:,} more {'copies' if rest > 1 else 'copy'}" if rest else ""


def _one(same: Sequence[_Told]) -> list[_Told]:
    """Of many in one file the first that is told."""
    return [next((each for each in same if not each.is_first), same[0])]


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
        self._shaped: dict[str, list[_Copy]] = defaultdict(list)
        for path in blocks:
            for at, block in enumerate(blocks[path]):
                if block.triviality < BARE and block.lines >= min_lines:
                    self._exact[block.strict].append(_Copy(path, at, block))
                    self._alike[block.recurring].append(_Copy(path, at, block))
                    if block.skeleton:
                        self._shaped[block.skeleton].append(_Copy(path, at, block))
        for classes in (self._exact, self._alike, self._shaped):
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
        near = self._near(mine, self._alike[block.recurring]) or self._near(
            mine, self._shaped.get(block.skeleton, []) if block.skeleton else []
        )
        return near, len(near)

    def _near(self, mine: _Copy, known: Sequence[_Copy]) -> list[_Copy]:
        """The others of which little differs, those of which least does first."""
        found = [(differences(mine.block, c.block), c) for c in _fitting(mine, known)]
        like = [(d.weight, self.rank(c), c) for d, c in found if d.are_few(mine.block.lines)]
        return [c for _, _, c in sorted(like, key=lambda each: each[:2])]


def _fitting(mine: _Copy, known: Sequence[_Copy]) -> list[_Copy]:
    """Others of a class; a simple block counts only as the whole of two statements."""
    block = mine.block
    return [
        c
        for c in islice(known, MANY + 1)
        if c.block is not block and (block.triviality < SIMPLE or (block.whole and c.block.whole))
    ]


@dataclass(frozen=True, slots=True)
class Differences:
    """What a block has where another has something else: constants, and names (of columns, of
    relations). `pairs`: (here, there)."""

    constants: tuple[tuple[str, str], ...]
    columns: tuple[tuple[str, str], ...] = ()
    relations: tuple[tuple[str, str], ...] = ()

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """All of them, the relations first."""
        return (*self.relations, *self.columns, *self.constants)

    @property
    def weight(self) -> int:
        """What they cost who reads one definition with these parameters."""
        return len(self.constants) + len(self.columns) + 2 * len(self.relations)

    def are_few(self, lines: int) -> bool:
        """Whether anybody would want one definition for both; none at all: the same names and
        constants in other places."""
        few = FEW if len(self.pairs) == len(self.constants) else 0
        limit = max(few, min(HEAVIEST, lines // LINES_PER_DIFFERENCE))
        return 0 < len(self.pairs) <= MANY_DIFFERENCES and self.weight <= limit

    def __str__(self) -> str:
        names, constants = len(self.columns) + len(self.relations), len(self.constants)
        said = [f"{names} names" if names > 1 else "a name"] if names else []
        said += [f"{constants} constants" if constants > 1 else "a constant"] if constants else []
        shown = [f"{_short(here)} for {_short(there)}" for here, there in self.pairs[:_SHOWN]]
        dots = ", ..." if len(self.pairs) > _SHOWN else ""
        return f"{' and '.join(said)} ({', '.join(shown)}{dots})"


def differences(one: Block, other: Block) -> Differences:
    """What differs between blocks of one recurring form, or else of one skeleton."""
    if one.recurring == other.recurring and len(one.constants) == len(other.constants):
        pairs = zip(one.constants, other.constants, strict=True)
        return Differences(tuple(dict.fromkeys((a, b) for a, b in pairs if a != b)))
    mine, theirs = set(one.leaves), set(other.leaves)
    found = []
    for kind in (LITERAL, COLUMN, RELATION):
        here = [leaf[1:] for leaf in one.leaves if leaf[0] == kind and leaf not in theirs]
        there = [leaf[1:] for leaf in other.leaves if leaf[0] == kind and leaf not in mine]
        found.append(tuple(zip_longest(here, there, fillvalue="...")))
    return Differences(*found)


def _goes_along(mine: _Copy, other: _Copy, told: Mapping[_Key, Sequence[_Copy]]) -> bool:
    """Whether a copy is a part of one that was told for a block around this one."""
    around = set(other.around)
    return any(
        (larger.path, larger.at) in around or (larger.path, larger.at) == key
        for key in mine.around
        for larger in told.get(key, ())
    ) or any(key in told and key in around for key in mine.around)


def _problem(told: _Told, times: int, models: Mapping[str, str]) -> Problem:
    mine, first = told.mine, told.others[0]
    exact = first.block.strict == mine.block.strict
    code = "DUP_EXACT" if exact else "DUP_PARAMETRIC"
    but = None if exact else differences(mine.block, first.block)
    said = f"this is `{first.place}` again" + (f", but for {but}" if but else "")
    if times > 1:
        said += f", {times} times in this file"
    elif told.rest:
        said += f", and {told.rest} of it"
    places = tuple(other.place for other in told.others[:OTHERS])
    content = f"{code} {mine.block.text}" + (f" {times}" if times > 1 else "")
    key = blake2b(content.encode(), digest_size=8).hexdigest()
    return Problem(code, mine.place, said, _help(first, but, models), places, key)


def _short(text: str) -> str:
    return text if len(text) <= _WIDE else text[: _WIDE - 3] + "..."


def _help(first: _Copy, but: Differences | None, models: Mapping[str, str]) -> str:
    """What to do about it; `but`: what differs, None between exact copies."""
    name = models.get(first.path, "") if first.block.whole else ""
    if but is None and name:
        return f"use ref('{name}')"
    if but is None and first.block.readable:
        return f"select from {first.block.relation}"
    home = "a model" if models.get(first.path) else "a view"
    if but is None:
        return f"make it {home} of its own, and read that in both places"
    thing = "macro" if models.get(first.path) else "query"
    return f"make it one {thing} with a parameter for {'it' if len(but.pairs) == 1 else 'each'}"
