"""Items of one list that differ in names or constants only: a loop over what differs.

``SUM(counter.a) AS a, SUM(counter.b) AS b, ...`` is a list of names, and is read as one. The items
of a SELECT, a STRUCT, an array or an IN are laid side by side as they are printed; where a stretch
of them is the same but for some words, it is one item in a loop.

looped(tree, dialect) -> the loops; the tree with a word in place of the items of each
"""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import render
from unwet.lineage.trees import copied
from unwet.rewrite.naming import free
from unwet.rewrite.targets.lexemes import Lexeme, lexemes, middles

LEAST: Final = 5  # items; fewer are read as easily as a loop
_LISTS: Final = (exp.Select, exp.Struct, exp.In, exp.Array)
_QUALIFYING: Final = frozenset({"bigquery", "databricks", "duckdb", "snowflake", "teradata"})
_SAVED: Final = 4  # lines that a loop saves at least
_PLAIN: Final = 10  # and one over columns, which are a list already
_STRUCT: Final = re.compile(r"STRUCT\((.*)\)", re.DOTALL)
_WIDE: Final = "_" * 90  # makes the list too long for one line
_ROW: Final = 110  # signs in a line of values
_WORDS: Final = ("call", "tail", "loop", "ladder")  # stand for what is written elsewhere


@dataclass(frozen=True, slots=True)
class ItemLoop:
    """The names that a loop gives values, the values, and one item over the names: see `each`."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    body: str


def each(name: str) -> str:
    """What stands in a body for the value of a name."""
    return f"each__{name}__each"


def word_of(number: int) -> str:
    """What stands in the place of the items of a loop."""
    return f"items_{number}{_WIDE}"


def looped(tree: exp.Expr, dialect: str) -> tuple[ItemLoop, ...]:
    """In place: a column with the name `word_of(n)` where the n-th loop stands."""
    loops: list[ItemLoop] = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, _LISTS) and len(node.expressions) >= LEAST and _may_loop(node, dialect):
            items: list[exp.Expr] = []
            for found in _parts(node, dialect):
                if isinstance(found, ItemLoop):
                    items.append(exp.column(word_of(len(loops))))
                    loops.append(found)
                else:
                    items.append(found)
            if len(items) < len(node.expressions):
                node.set("expressions", items)
        waiting.extend(reversed([*node.iter_expressions()]))
    return tuple(loops)


def _may_loop(node: exp.Expr, dialect: str) -> bool:
    """Whether its items are printed where they stand, and nowhere else."""
    if not isinstance(node, exp.Select):
        return True
    if node.args.get("qualify") is not None and dialect not in _QUALIFYING:
        return False
    distinct = node.args.get("distinct")
    return distinct is None or distinct.args.get("on") is None


def _parts(node: exp.Expr, dialect: str) -> Iterator[ItemLoop | exp.Expr]:
    """The items of a list, a loop in place of each stretch that is one."""
    kinds = groupby(node.expressions, key=lambda item: (type(item), type(item.unalias())))
    for _, alike in kinds:
        group = list(alike)
        if len(group) < LEAST or not all(map(_is_plain, group)):
            yield from group
            continue
        texts = [_printed(item, node, dialect) for item in group]
        words = [lexemes(text) for text in texts]
        at = 0
        for _, same in groupby(map(_skeleton, words)):
            end = at + len(list(same))
            for start, stop, loop in _loops(words[at:end], texts[at:end]):
                found = group[at + start : at + stop]
                yield from [loop] if loop is not None else found
            at = end


def _printed(item: exp.Expr, node: exp.Expr, dialect: str) -> str:
    """An item as it is printed in its list; empty where that is not known."""
    if not isinstance(node, exp.Struct):
        return render(copied(item), dialect, spent=True)
    alone = exp.Struct(expressions=[copied(item)])
    found = _STRUCT.fullmatch(render(alone, dialect, spent=True))
    return textwrap.dedent(found[1]).strip("\n") if found else ""


def _is_plain(item: exp.Expr) -> bool:
    """No star, no comment, and nothing in it that is written elsewhere."""
    for node in item.walk():
        if node.comments or isinstance(node, exp.Star | exp.Query):
            return False
        if isinstance(node, exp.Literal) and "\n" in node.name:
            return False  # its lines would be indented
        if isinstance(node, exp.Var) and node.name.startswith(_WORDS):
            return False
    return True


def _skeleton(words: Sequence[Lexeme]) -> tuple[str, ...]:
    """What items of one loop have in common."""
    return tuple(w.text if w.kind == "fixed" else w.kind for w in words if w.kind != "space")


# --- one stretch -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Hole:
    """Where items differ: the place of the word, and what it begins and ends with in all."""

    place: int
    head: str
    values: tuple[str, ...]
    tail: str


def _loops(
    items: Sequence[tuple[Lexeme, ...]], texts: Sequence[str]
) -> Iterator[tuple[int, int, ItemLoop | None]]:
    """The stretches of items of one skeleton, with a loop where one pays."""
    if len(items) < LEAST:
        yield 0, len(items), None
        return
    holes = _holes(items)
    patterns = [tuple(_pattern(hole.values[n] for hole in holes)) for n in range(len(items))]
    usual, _ = Counter(patterns).most_common(1)[0]
    at = 0
    for is_usual, same in groupby(pattern == usual for pattern in patterns):
        end = at + len(list(same))
        loop = _loop(items[at:end], texts[at:end]) if is_usual and end - at >= LEAST else None
        yield at, end, loop
        at = end


def _pattern(values: Iterator[str]) -> Iterator[int]:
    """Which of the values are the same."""
    known: dict[str, int] = {}
    for value in values:
        yield known.setdefault(value, len(known))


def _holes(items: Sequence[tuple[Lexeme, ...]]) -> list[_Hole]:
    """The places in which items differ, by their places among the words without spaces."""
    rows = [[word.text for word in item if word.kind != "space"] for item in items]
    holes: list[_Hole] = []
    for place, values in enumerate(zip(*rows, strict=True)):
        if len(set(values)) > 1:
            holes.append(_Hole(place, *middles(values)))
    return holes


def _loop(items: Sequence[tuple[Lexeme, ...]], texts: Sequence[str]) -> ItemLoop | None:
    """One item in a loop, where that is shorter to read."""
    holes = _holes(items)
    if not holes:
        return None
    at = min(range(len(texts)), key=lambda n: (texts[n].count("\n"), len(texts[n]), n))
    names = _names(holes, [word for word in items[at] if word.kind != "space"])
    columns = {names[hole.place]: hole.values for hole in holes}
    body = _body(items[at], {hole.place: hole for hole in holes}, names)
    loop = ItemLoop(tuple(columns), tuple(zip(*columns.values(), strict=True)), body)
    if len(set(loop.rows)) < len(loop.rows):
        return None
    return loop if _pays(loop, items, texts) else None


def _body(item: Sequence[Lexeme], holes: dict[int, _Hole], names: dict[int, str]) -> str:
    """The item with the names in place of what differs."""
    text, place = "", 0
    for word in item:
        if word.kind == "space":
            text += word.text
            continue
        hole = holes.get(place)
        text += hole.head + each(names[place]) + hole.tail if hole else word.text
        place += 1
    return text


def _names(holes: Sequence[_Hole], words: Sequence[Lexeme]) -> dict[int, str]:
    """A name for each hole, by its place; holes that have the same values share one."""
    taken = {part for word in words if word.kind == "token" for part in word.text.split("__")}
    known: dict[tuple[str, ...], str] = {}
    for hole in reversed(holes):  # the last is what an item is called
        if hole.values not in known:
            name = free(_said(hole, words), {*taken, *known.values()})
            known[hole.values] = name
    return {hole.place: known[hole.values] for hole in holes}


def _said(hole: _Hole, words: Sequence[Lexeme]) -> str:
    """What stands in front of the hole, if that is a name; else what it is."""
    before = hole.head.rstrip("_.$/'\"`-: ").rpartition("_")[2].rpartition(".")[2]
    if not before and hole.place > 1 and words[hole.place - 1].text == ".":
        before = words[hole.place - 2].text
    before = before.lower()
    if before.isidentifier() and len(before) > 2:
        return before
    return "value" if words[hole.place].kind == "string" else "name"


def _pays(loop: ItemLoop, items: Sequence[Sequence[Lexeme]], texts: Sequence[str]) -> bool:
    """Whether the loop has fewer lines by far, and fewer signs."""
    signs = sum(len(value) + 4 for row in loop.rows for value in row)
    rows = len(loop.rows) if len(loop.names) > 1 else -(-signs // _ROW)
    lines = loop.body.count("\n") + 2 + (1 if signs < _ROW / 2 else rows + 2)
    before = sum(text.count("\n") + 1 for text in texts)
    least = _SAVED if any(w.kind == "fixed" and w.text != "." for w in items[0]) else _PLAIN
    shorter = 0 < signs + len(loop.body) < sum(map(len, texts))
    return shorter and before - lines >= least
