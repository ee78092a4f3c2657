"""What is known of a file, as the index keeps it: what it says alone, and what it means among the
files that it reads. Values that JSON can say, so that an index is data and never code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding about the text itself; `said` is the text at its place, in one line."""

    code: str
    message: str
    help: str
    line: int
    column: int
    end_line: int
    end_column: int
    said: str


@dataclass(frozen=True, slots=True)
class Mark:
    """`-- unwet: ignore[codes] reason` in line `at`, which holds for `line`."""

    line: int
    at: int
    codes: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class Alone:
    """What a text says without any other: the relations that it makes (temporary ones too) and
    mentions, by the last parts of their names, the columns that it uses relations with, what is
    odd about it, its marks."""

    makes: tuple[str, ...]
    mentions: tuple[str, ...]
    uses: Mapping[str, tuple[str, ...]]
    notes: tuple[Remark, ...]
    marks: tuple[Mark, ...]

    def as_json(self) -> object:
        """For the index."""
        return asdict(self)


def alone(stored: Any) -> Alone:
    """What `as_json` made."""
    return Alone(
        tuple(stored["makes"]),
        tuple(stored["mentions"]),
        {relation: tuple(names) for relation, names in stored["uses"].items()},
        tuple(Remark(**note) for note in stored["notes"]),
        tuple(Mark(m["line"], m["at"], tuple(m["codes"]), m["reason"]) for m in stored["marks"]),
    )


@dataclass(frozen=True, slots=True)
class Block:
    """A query block of a file. Equal `strict`: the same rows; equal `recurring`: the same query but
    for the `constants`, which are in one order then. `lines` are printed ones; `around`: positions
    of the blocks that it stands in, nearest first; `text`: hash of its words as they stand;
    `readable`: other files can read its rows from `relation`. Blocks of one `skeleton` differ in
    their `leaves` only: constants, columns and relations; "" for a block that is too large, or too
    small, to be looked at so."""

    strict: str
    recurring: str
    triviality: int
    whole: bool
    relation: str
    readable: bool
    line: int
    column: int
    end_line: int
    end_column: int
    lines: int
    around: tuple[int, ...]
    constants: tuple[str, ...]
    text: str
    skeleton: str
    leaves: tuple[str, ...]

    def as_json(self) -> object:
        """For the index: short, as there are thousands."""
        return [getattr(self, name) for name in self.__slots__]


def block(stored: Any) -> Block:
    """What `as_json` made."""
    values: Any = (tuple(value) if isinstance(value, list) else value for value in stored)
    return Block(*values)
