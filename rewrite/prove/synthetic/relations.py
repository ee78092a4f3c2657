"""The types of the rows of plans: columns of scans are shared by all plans of a pile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from unwet.rewrite.algebra import (
    Aggregate,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Opaque,
    Plan,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    Unnest,
    Values,
    Window,
)
from unwet.rewrite.prove.synthetic.cells import Cell, unify
from unwet.rewrite.prove.synthetic.expressions import Scalars
from unwet.rewrite.prove.synthetic.notes import Notes
from unwet.rewrite.prove.synthetic.values import MANY, Frames, Row, Value, of
from unwet.rewrite.references import free_outers


class Relations:
    """Reads plans; a plan that stands in many reports is read once."""

    def __init__(self, notes: Notes) -> None:
        self.notes = notes
        self.scalars = Scalars(notes, self.rows)
        self._known: dict[bytes, Row] = {}

    def plan(self, plan: Plan) -> Row:
        """The outputs of a report; all of them are read."""
        rows = self.rows(plan.rel, ())
        for key in plan.order:
            self.scalars.value(key.expr, (rows,))
        outputs = rows[: len(plan.names)]
        for value in outputs:
            self.scalars.read(value)
        return outputs

    def rows(self, rel: Rel, around: Frames = ()) -> Row:
        """One value per output column; `around` are the rows of the enclosing queries."""
        known = self._known.get(rel.digest)
        if known is not None:
            return known
        found = self._rows(rel, around)
        if not around or not free_outers(rel):
            self._known[rel.digest] = found
        return found

    def _rows(self, rel: Rel, around: Frames) -> Row:
        match rel:
            case Scan(table=table, columns=columns):
                return [Value(self.notes.cell(table, c), ((table, (c,)),)) for c in columns]
            case Values(rows=rows, width=width):
                return self._literal_rows(rows, width, around)
            case Filter(input=inner, conjuncts=conjuncts):
                return self._tested(self.rows(inner, around), conjuncts, around)
            case Project(input=inner, exprs=exprs):
                row = self.rows(inner, around)
                return [self._output(expr, row, around) for expr in exprs]
            case Join():
                return self._joined(rel, around)
            case Aggregate(input=inner, keys=keys, aggs=aggs):
                row = self.rows(inner, around)
                return [self.scalars.value(each, (row, *around)) for each in (*keys, *aggs)]
            case Window(input=inner, functions=functions):
                row = self.rows(inner, around)
                more = [self.scalars.value(each, (row, *around)) for each in functions]
                return [*row, *more]
            case SetOp(inputs=inputs):
                return _united([self.rows(each, around) for each in inputs])
            case Distinct(input=inner):
                return self.rows(inner, around)
            case Sort(input=inner):
                return self._sorted(rel, self.rows(inner, around), around)
            case Unnest():
                return self._unnested(rel, around)
            case Opaque(inputs=inputs, width=width):
                for each in inputs:
                    self.rows(each, around)
                return [Value(Cell()) for _ in range(width)]
            case _:
                assert_never(rel)

    def _output(self, expr: Expr, row: Row, around: Frames) -> Value:
        match expr:
            case Col(index=at):
                return row[at]  # handed on: whether anybody reads it, the next one says
            case _:
                return self.scalars.value(expr, (row, *around))

    def _tested(self, row: Row, conjuncts: Sequence[Expr], around: Frames) -> Row:
        for each in conjuncts:
            self.scalars.test(each, (row, *around))
        return row

    def _joined(self, rel: Join, around: Frames) -> Row:
        sides = [self.rows(each, around) for each in rel.inputs]
        row = [value for side in sides for value in side]
        self._tested(row, rel.on, around)
        return sides[0] if rel.kind in ("semi", "anti") else row

    def _sorted(self, rel: Sort, row: Row, around: Frames) -> Row:
        for key in rel.keys:
            self.scalars.value(key.expr, (row, *around))
        for bound in (rel.limit, rel.offset):
            if bound is not None:
                self.scalars.value(bound, (row, *around)).cell.vote("integer")
        return row

    def _unnested(self, rel: Unnest, around: Frames) -> Row:
        row = self.rows(rel.input, around)
        array = self.scalars.value(rel.array, (row, *around))
        more = [Value(array.cell.item())]
        if rel.ordinal:
            more.append(Value(of("integer")))
        return [*row, *more]

    def _literal_rows(self, rows: Sequence[Sequence[Expr]], width: int, around: Frames) -> Row:
        cells = [Cell() for _ in range(width)]
        for row in rows:
            for cell, expr in zip(cells, row, strict=True):
                unify(cell, self.scalars.value(expr, ((), *around)).cell)
        return [Value(cell) for cell in cells]


def _united(branches: Sequence[Row]) -> Row:
    """Column by column one type; the column is one of each branch."""
    found = []
    for values in zip(*branches, strict=False):
        for other in values[1:]:
            unify(values[0].cell, other.cell)
        places = tuple(dict.fromkeys(p for value in values for p in value.places))
        found.append(Value(values[0].cell, places[:MANY]))
    return found
