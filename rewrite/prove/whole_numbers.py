"""Which values of a plan are integers, and which texts are those of different integers.

    Integers.of(catalog).printed(expr, rel) -> the integer whose text an expression is, or None

CAST(n AS VARCHAR) tells integers apart: every engine writes each of them in one way, and no two
alike. It does not tell numbers with a fraction, days and times apart everywhere: SQL Server writes
six digits of a FLOAT and no seconds of a DATETIME.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from unwet.lineage.tables import Catalog
from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    Window,
    width,
)
from unwet.rewrite.prove.declarations import kind_of
from unwet.rewrite.rules.shapes import BINARY, integer

_DEEPEST: Final = 60
_DIGITS: Final = 20  # of the longest, -9223372036854775808
_TEXT: Final = re.compile(r"to:(?:n?varchar|text|string)(?:\((\d+)\))?")
_SUMS: Final = frozenset({"add", "sub", "mul"})
_PARTS: Final = frozenset({"year", "month", "day"})
_COUNTS: Final = frozenset({"count", "countif", "rownumber", "rank", "denserank"})
_ONE_OF: Final = frozenset({"min", "max"})


@dataclass(frozen=True, slots=True)
class Integers:
    """`columns`: of tables, as scans call them, that are integers."""

    columns: frozenset[tuple[str, str]] = frozenset()

    @staticmethod
    def of(catalog: Catalog) -> Integers:
        """As the catalog declares them."""
        return Integers(
            frozenset(
                (name, column.name)
                for name, table in catalog.tables.items()
                for column in table.columns
                if kind_of(column.type) == "integer"
            )
        )

    def printed(self, expr: Expr, rel: Rel) -> Expr | None:
        """x of CAST(x AS VARCHAR), where x is an integer and all of its digits are there."""
        match expr:
            case Call(op="cast", args=(inner,), shape=("this", to)) if hit := _TEXT.fullmatch(to):
                fits = hit[1] is None or int(hit[1]) >= _DIGITS
                return inner if fits and self.holds(inner, rel) else None
            case _:
                return None

    def holds(self, expr: Expr, rel: Rel, depth: int = 0) -> bool:
        """Is an expression over the columns of the relation an integer, or NULL?"""
        match expr:
            case Col(index=at):
                return self._column(rel, at, depth + 1)
            case Lit():
                return integer(expr) is not None
            case Call(op=op, args=args, shape=shape) if op in _SUMS and shape == BINARY:
                return all(self.holds(each, rel, depth) for each in args)
            case Call(op="coalesce", args=args):
                return all(self.holds(each, rel, depth) for each in args)
            case Call(op=op):
                return op in _PARTS
            case Agg(op=op, args=args) if op in _ONE_OF:
                return all(self.holds(each, rel, depth) for each in args)
            case Agg(op=op):
                return op in _COUNTS
            case _:
                return False

    def _column(self, rel: Rel, at: int, depth: int) -> bool:
        if depth > _DEEPEST:
            return False
        match rel:
            case Scan(table=table, columns=columns):
                return (table, columns[at]) in self.columns
            case Filter(input=inner) | Sort(input=inner) | Distinct(input=inner):
                return self._column(inner, at, depth + 1)
            case Project(input=inner, exprs=exprs):
                return self.holds(exprs[at], inner, depth + 1)
            case Aggregate(input=inner, keys=keys, aggs=aggs):
                return self.holds((*keys, *aggs)[at], inner, depth + 1)
            case Window(input=inner, functions=functions):
                if at < width(inner):
                    return self._column(inner, at, depth + 1)
                return functions[at - width(inner)].call.op in _COUNTS
            case SetOp(inputs=many):
                return all(self._column(each, at, depth + 1) for each in many)
            case Join(inputs=many):
                for each in many:
                    if at < width(each):
                        return self._column(each, at, depth + 1)
                    at -= width(each)
                return False
            case _:
                return False


NO_INTEGERS: Final = Integers()
