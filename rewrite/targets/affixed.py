"""Columns of a loop's rows that are another column with more around it: put together, not written.

    {% for first, last in [('first_seen_fenix', 'last_seen_fenix'), ('first_seen_ios', ...

has one word in each row that is not said elsewhere; the call in the loop says the rest.

affixed(names, rows) -> fewer names, their rows, and how each old name is said
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from unwet.rewrite.targets.item_bodies import Item, Piece, body, holes_of, names_of
from unwet.rewrite.targets.lexemes import lexemes, param_in, skeleton

_LEAST: Final = 3  # rows; of fewer anything follows from anything

Rows = Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True)
class Affixed:
    """Columns of Jinja expressions; ``said``: the expressions of the columns that are left out or
    called otherwise, by what they were called; ``head``: the lines that begin the loop, where it
    goes over something else than rows."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    said: Mapping[str, str]
    head: tuple[str, ...] = ()


def affixed(names: Sequence[str], rows: Rows, words: Collection[str]) -> Affixed:
    """``rows`` has Jinja expressions; ``words``: names that mean something already, these columns
    among them. Nothing changes where no column follows from the others."""
    same = Affixed(tuple(names), tuple(map(tuple, rows)), {})
    if len(rows) < _LEAST or len(names) < 2:
        return same
    columns = list(zip(*rows, strict=True))
    alike = _open([at for at, column in enumerate(columns) if _alike(column)], names, columns)
    items = [lexemes(_call([(names[at], row[at]) for at in alike])) for row in rows]
    holes = holes_of(items) if len(alike) > 1 else []
    if not holes:
        return same
    found, said = names_of(holes, items[0], {*words} - {names[at] for at in alike})
    left = [at for at in range(len(names)) if at not in alike]
    if len(found) >= len(alike):
        return same
    own = _own(items[0], said)
    found = {own.get(name, name): values for name, values in found.items()}
    said = {
        place: [(kind, _called(text, own) if kind == "name" else text) for kind, text in pieces]
        for place, pieces in said.items()
    }
    lines = body(items[0], holes, said).splitlines()[1:-1]
    texts = [line.rstrip(",").partition("=")[2] for line in lines]
    made = [
        (*(f"'{values[n]}'" for values in found.values()), *(row[at] for at in left))
        for n, row in enumerate(rows)
    ]
    return Affixed(
        (*found, *(names[at] for at in left)),
        tuple(made),
        {names[at]: text for at, text in zip(alike, texts, strict=True)},
    )


def _called(text: str, own: Mapping[str, str]) -> str:
    """A name, and what is done to its value, under the name that it had."""
    name, bar, change = text.partition(" | ")
    return own.get(name, name) + bar + change


def _open(
    alike: Sequence[int], names: Sequence[str], columns: Sequence[Sequence[str]]
) -> list[int]:
    """Those of the columns in which no parameter of the macro around is said that would be hidden
    in the loop, by a variable for a column that is as it was."""
    hidden = {name for at, name in enumerate(names) if at not in alike}
    left = [at for at in alike if hidden.isdisjoint(_said_in(columns[at]))]
    return left if len(left) == len(alike) else _open(left, names, columns)


def _said_in(column: Sequence[str]) -> set[str]:
    """The words of Jinja expressions that are no texts."""
    said = (word for text in column for word in lexemes(f"{{{{ {text} }}}}"))
    return {param_in(word.text) or word.text for word in said if word.kind in ("fixed", "param")}


def _alike(column: Sequence[str]) -> bool:
    """Whether its values differ in texts only. A number may be compared with one."""
    kinds = {skeleton(lexemes(_call([("x", text)]))) for text in column}
    return len(kinds) == 1 and "number" not in min(kinds)


def _own(item: Item, said: Mapping[int, Sequence[Piece]]) -> Mapping[str, str]:
    """What a column that is whole was called, by its new name; not where another one is a parameter
    of the macro around that is called so, which the loop's variable would hide."""
    words = [word.text for word in item if word.kind != "space"]
    used = {word for word, sign in pairwise(words) if sign != "="}
    found: dict[str, str] = {}
    for place, pieces in said.items():
        shown = [piece for piece in pieces if piece[1]]
        alone = len(shown) == 1 and shown[0][0] == "name" and words[place - 1] == "="
        if (
            alone
            and "|" not in shown[0][1]
            and words[place + 1] in (",", ")")
            and words[place - 2] not in used
        ):
            found.setdefault(shown[0][1], words[place - 2])
    return found


def _call(args: Sequence[tuple[str, str]]) -> str:
    return "{{ f(\n" + ",\n".join(f"{name}={text}" for name, text in args) + "\n) }}"
