"""An expression of one query block in the words of another: by what its columns are, not by what
they are called."""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from unwet.lineage.resolve import Input, Query, Ref
from unwet.lineage.trees import copied
from unwet.rewrite.algebra import Col, Expr
from unwet.rewrite.tracing import Tracer

_DEEP: Final = 40  # columns made of columns


class Unspeakable(Exception):
    """A block has no words for an expression; the message says why."""


class Rephrasing:
    """Says expressions of other blocks in one block."""

    def __init__(self, tracer: Tracer, query: Query) -> None:
        self._tracer, self._query = tracer, query
        self._known = dict(self._columns())

    def own(self, node: exp.Expression, clause: str) -> exp.Expression:
        """An expression of the block itself, without names of its own select list."""
        return self._said(self._query, node, clause, 0)

    def foreign(self, query: Query, node: exp.Expression, clause: str) -> exp.Expression:
        """An expression of another block. Raises Unspeakable."""
        if node.find(exp.Query):
            raise Unspeakable("the copies' expression holds a query of its own")
        return self._said(query, node, clause, 0)

    def meaning(self, column: exp.Column) -> object:
        """What a column of the block is, however it is written."""
        term = self._tracer.term(self._query, column, "where")
        return term.digest if term is not None else column.sql()

    def _said(self, query: Query, node: exp.Expression, clause: str, depth: int) -> exp.Expression:
        if depth > _DEEP:
            raise Unspeakable("columns are made of columns, too deep")
        copy = copied(node)
        pairs = list(zip(node.walk(), copy.walk(), strict=True))
        for old, new in pairs:
            if isinstance(old, exp.Column) and not isinstance(old.this, exp.Star):
                said = self._column(query, old, clause, depth)
                if said is old:
                    continue
                if new is copy:
                    return said
                new.replace(said)
        return copy

    def _column(self, query: Query, column: exp.Column, clause: str, depth: int) -> exp.Expression:
        ref = query.find(column, clause)
        if ref.alias is not None and ref.input is None:
            if isinstance(ref.alias.expression, exp.Expression):
                inner = self._said(query, ref.alias.expression, "select", depth + 1)
                return exp.Paren(this=inner)
            raise Unspeakable(f"{column.name} is no expression")
        if query is self._query:
            return column
        term = self._tracer.term(query, column, clause)
        known = self._known.get(term.digest) if term is not None else None
        if known is None and isinstance(term, Col):
            known = self._base(term)
        if known is not None:
            return known.copy()
        return self._expanded(column, ref, depth)

    def _expanded(self, column: exp.Column, ref: Ref, depth: int) -> exp.Expression:
        """What a column is made of, where the block does not have it as it is."""
        sources = self._tracer.sources(ref.input) if ref.input is not None else ()
        if len(sources) == 1 and ref.column in sources[0].names:
            source = sources[0]
            at = source.names.index(ref.column)
            output = source.query.outputs[at] if at < len(source.query.outputs) else None
            if output is not None and isinstance(output.expression, exp.Expression):
                if output.expression.find(exp.AggFunc, exp.Query, exp.Window):
                    raise Unspeakable(f"{column.name} is made of many rows")
                inner = self._said(source.query, output.expression, "select", depth + 1)
                return exp.Paren(this=inner)
        raise Unspeakable(f"{column.name} cannot be read here")

    def _columns(self) -> list[tuple[bytes, exp.Column]]:
        found: list[tuple[bytes, exp.Column]] = []
        for item in self._query.inputs:
            for name in item.columns or tuple(item.index):
                column = _column(item, name)
                term = self._tracer.term(self._query, column, "select")
                if term is not None:
                    found.append((term.digest, column))
        return found[::-1]  # of equal ones the first counts

    def _base(self, term: Expr) -> exp.Column | None:
        """A column of a table whose columns nobody has listed."""
        assert isinstance(term, Col)
        relation, name = self._tracer.terms.names[term.index]
        for item in self._query.inputs:
            if item.relation is not None and self._tracer.base(item.relation) == relation:
                return _column(item, name)
        return None


def take_literals(right: exp.Expression, own: exp.Expression) -> None:
    """In place: the constants of the own expression in that of the others, if they are alike. Dates
    and the like are the report's own: they are not what differs here."""
    theirs, mine = (list(node.find_all(exp.Literal)) for node in (right, own))
    if [each.is_string for each in theirs] == [each.is_string for each in mine]:
        for each, other in zip(theirs, mine, strict=True):
            each.set("this", other.this)


def _column(item: Input, name: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True),
                      table=exp.to_identifier(item.alias, quoted=True))  # fmt: skip
