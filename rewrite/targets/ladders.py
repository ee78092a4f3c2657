"""A CASE of many alike WHENs: a loop over a table of what differs in them.

``CASE WHEN x = 'A' THEN 'one' WHEN x = 'B' THEN 'two' ... END`` is a list of pairs, and is read as
one: a row for each WHEN instead of two lines. WHENs that say something else stand where they stood,
before, between or after such pairs: the first one that holds counts.

laddered(tree) -> the tables; the tree with a word in place of the WHENs of each
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from sqlglot import exp

from unwet.rewrite.abstract import Unit, families, template
from unwet.rewrite.shapes import Leaf, Survey
from unwet.rewrite.targets.tokens import TOKEN

LEAST: Final = 8  # WHENs; fewer are read as easily as a table
_COLUMNS: Final = 4
_WIDE: Final = "_" * 90  # makes the CASE too long for one line


@dataclass(frozen=True, slots=True)
class Ladder:
    """The columns of a table, its rows, and one WHEN over them: its condition and its value."""

    names: tuple[str, ...]
    rows: tuple[tuple[Leaf, ...], ...]
    test: exp.Expr
    value: exp.Expr


def laddered(tree: exp.Expr) -> tuple[Ladder, ...]:
    """In place: `WHEN word THEN word` where a table stands; see `word_of`."""
    found: list[Ladder] = []
    for case in [node for node in tree.find_all(exp.Case) if len(node.args["ifs"]) >= LEAST]:
        case.set("ifs", [*_rungs(case.args["ifs"], found)])
    return tuple(found)


def _rungs(rungs: Sequence[exp.Expr], found: list[Ladder]) -> Iterator[exp.Expr]:
    """The WHENs, one with words in place of each stretch that is a table."""
    units = [Unit("block", "", rung, Survey(rung).shape(rung), "") for rung in rungs]
    for _, alike in groupby(units, key=lambda unit: (unit.shape.digest, _is_closed(unit.node))):
        stretch = [*alike]
        ladder = _ladder(stretch) if len(stretch) >= LEAST else None
        if ladder is None:
            yield from (unit.node for unit in stretch)
            continue
        word = word_of(len(found))
        found.append(ladder)
        yield exp.If(this=exp.Var(this=word), true=exp.Var(this=word))


def word_of(number: int) -> str:
    """What stands in the place of the WHENs of a table."""
    return f"ladder_{number}{_WIDE}"


def _ladder(units: Sequence[Unit]) -> Ladder | None:
    """WHENs of one shape as a table, where they differ in few words."""
    if _is_closed(units[0].node):
        return None
    made = families(units)
    if len(made) != 1 or len(made[0].units) < len(units):
        return None
    holes = made[0].holes
    if (
        not holes
        or len(holes) > _COLUMNS
        or any(leaf.text == "" and leaf.kind != "string" for h in holes for leaf in h.values)
    ):
        return None
    one = template(made[0])
    written = one.sql()
    holes = tuple(sorted(holes, key=lambda hole: written.find(f"h__{hole.name}__h")))
    rows = tuple(zip(*(hole.values for hole in holes), strict=True))
    return Ladder(tuple(hole.name for hole in holes), rows, one.this, one.args["true"])


def _is_closed(rung: exp.Expr) -> bool:
    """Whether a query is in it, or a word that stands for something else."""
    if rung.find(exp.Query, exp.Case) is not None:
        return True
    words = (node.name for node in rung.find_all(exp.Identifier, exp.Literal, exp.Var))
    kinds = (hit["kind"].lower() for word in words for hit in TOKEN.finditer(word))
    return any(kind not in ("p", "ref", "src") for kind in kinds)
