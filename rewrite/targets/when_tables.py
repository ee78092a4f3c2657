"""What WHENs of a CASE have in common, and what differs in them: a loop over a table.

varied(nodes) -> where expressions of one shape differ, and one of them with words there
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from unwet.rewrite.abstract import Hole, Unit, families, template
from unwet.rewrite.shapes import Survey
from unwet.rewrite.targets.tokens import TOKEN

COLUMNS: Final = 4
_WIDE: Final = "_" * 90  # makes the CASE too long for one line


@dataclass(frozen=True, slots=True)
class Ladder:
    """The columns of a table, its rows as Jinja expressions, and one WHEN over them: the SQL of its
    condition and of its value."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    test: str
    value: str


def word_of(number: int) -> str:
    """What stands in the place of the WHENs of a table."""
    return f"ladder_{number}{_WIDE}"


def rung_of(number: int) -> exp.If:
    """`WHEN word THEN word`."""
    word = word_of(number)
    return exp.If(this=exp.Var(this=word), true=exp.Var(this=word))


def as_unit(node: exp.Expr) -> Unit:
    """An expression as one of a family."""
    return Unit("block", "", node, Survey(node).shape(node), "")


def varied(units: Sequence[Unit]) -> tuple[tuple[Hole, ...], exp.Expr] | None:
    """In the order in which they are written; None where several parts of them differ, or one of
    them says nothing there."""
    made = families(units)
    if len(made) != 1 or len(made[0].units) < len(units):
        return None
    holes = made[0].holes
    if any(leaf.text == "" and leaf.kind != "string" for h in holes for leaf in h.values):
        return None
    one = template(made[0])
    written = one.sql()
    return tuple(sorted(holes, key=lambda hole: written.find(f"h__{hole.name}__h"))), one


def is_closed(rung: exp.Expr) -> bool:
    """Whether a query is in it, or a word that stands for something else."""
    if rung.find(exp.Query, exp.Case) is not None:
        return True
    words = (node.name for node in rung.find_all(exp.Identifier, exp.Literal, exp.Var))
    kinds = (hit["kind"].lower() for word in words for hit in TOKEN.finditer(word))
    return any(kind not in ("p", "ref", "src") for kind in kinds)
