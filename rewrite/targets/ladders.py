"""A CASE of many alike WHENs: a loop over a table of what differs in them.

``CASE WHEN x = 'A' THEN 'one' WHEN x = 'B' THEN 'two' ... END`` is a list of pairs, and is read as
one: a row for each WHEN instead of two lines. WHENs that say something else stand where they stood,
before, between or after such pairs: the first one that holds counts. Several CASEs over the same
conditions have one table (`same_whens`).

laddered(tree, ...) -> the tables; the tree with a word in place of the WHENs of each
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import groupby
from typing import Final

from sqlglot import exp

from unwet.rewrite.abstract import Unit
from unwet.rewrite.targets.jinja_values import argument
from unwet.rewrite.targets.same_whens import with_same_whens
from unwet.rewrite.targets.when_tables import (
    COLUMNS,
    Ladder,
    as_unit,
    is_closed,
    rung_of,
    varied,
)

LEAST: Final = 8  # WHENs; fewer are read as easily as a table


def laddered(
    tree: exp.Expr, dialect: str, text_of: Callable[[exp.Expr], str]
) -> tuple[Ladder, ...]:
    """In place: `WHEN word THEN word` where a table stands; see `word_of`. ``text_of``: the SQL of
    a tree, which nobody needs again."""
    found: list[Ladder] = []
    cases = [*tree.find_all(exp.Case)]
    done = with_same_whens(cases, found, dialect, text_of)
    for case in cases:
        if len(case.args["ifs"]) >= LEAST and id(case) not in done:
            case.set("ifs", [*_rungs(case.args["ifs"], found, dialect, text_of)])
    return tuple(found)


def _rungs(
    rungs: Sequence[exp.Expr],
    found: list[Ladder],
    dialect: str,
    text_of: Callable[[exp.Expr], str],
) -> Iterator[exp.Expr]:
    """The WHENs, one with words in place of each stretch that is a table."""
    units = [as_unit(rung) for rung in rungs]
    for _, alike in groupby(units, key=lambda unit: (unit.shape.digest, is_closed(unit.node))):
        stretch = [*alike]
        ladder = _ladder(stretch, dialect, text_of) if len(stretch) >= LEAST else None
        if ladder is None:
            yield from (unit.node for unit in stretch)
            continue
        yield rung_of(len(found))
        found.append(ladder)


def _ladder(
    units: Sequence[Unit], dialect: str, text_of: Callable[[exp.Expr], str]
) -> Ladder | None:
    """WHENs of one shape as a table, where they differ in few words."""
    made = varied(units) if not is_closed(units[0].node) else None
    if made is None:
        return None
    holes, one = made
    if not 0 < len(holes) <= COLUMNS:
        return None
    columns = [[argument(leaf, dialect) for leaf in hole.values] for hole in holes]
    rows = tuple(zip(*columns, strict=True))
    names = tuple(hole.name for hole in holes)
    return Ladder(names, rows, text_of(one.this), text_of(one.args["true"]))
