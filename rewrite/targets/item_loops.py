"""Items of one list that differ in names or constants only: a loop over what differs.

``SUM(counter.a) AS a, SUM(counter.b) AS b, ...`` is a list of names, and is read as one. The items
of a SELECT, a STRUCT, an array or an IN are laid side by side as they are printed; where a stretch
of them is the same but for some words, it is one item in a loop.

looped(tree, dialect) -> the loops; the tree with a word in place of the items of each
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import render
from unwet.lineage.trees import copied
from unwet.rewrite.targets.item_stretches import LEAST, ItemLoop, loops_in
from unwet.rewrite.targets.lexemes import Lexeme, lexemes

_LISTS: Final = (exp.Select, exp.Struct, exp.In, exp.Array)
_QUALIFYING: Final = frozenset({"bigquery", "databricks", "duckdb", "snowflake", "teradata"})
_STRUCT: Final = re.compile(r"STRUCT\((.*)\)", re.DOTALL)
_WIDE: Final = "_" * 90  # makes the list too long for one line
_WORDS: Final = ("call", "tail", "loop", "ladder")  # stand for what is written elsewhere


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
    for (_, _, plain), alike in groupby(node.expressions, key=_kind):
        group = list(alike)
        if len(group) < LEAST or not plain:
            yield from group
            continue
        texts = [_printed(item, node, dialect) for item in group]
        words = [lexemes(text) for text in texts]
        at = 0
        for _, same in groupby(map(_skeleton, words)):
            end = at + len(list(same))
            for start, stop, loop in loops_in(words[at:end], texts[at:end]):
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


def _kind(item: exp.Expr) -> tuple[type, type, bool]:
    """What an item is at a glance, and whether it may be in a loop."""
    return type(item), type(item.unalias()), _is_plain(item)


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
