"""Which columns of base relations flow into which columns of a statement's target.

One memoised pass per statement: the flows of a query's output are computed once, however often
it is read, and CTEs and subqueries leave no trace of their own. Conditions on whole rows (FILTER,
JOIN, GROUP_BY, SORT) are kept once per statement and spread over the target's columns on demand.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from unwet.lineage.findings import Finding, Span
from unwet.lineage.flows import Flows
from unwet.lineage.resolve import Query, Resolved
from unwet.lineage.tables import Relations
from unwet.lineage.tracer import Tracer

RANKS = ("certain", "inferred", "ambiguous", "unknown")


@dataclass(frozen=True, slots=True, order=True)
class ColumnId:
    """One column of one relation; "" is a bare SELECT, "?" a relation nobody knows.

    `column` is "*" for the columns behind a star that cannot be listed.
    """

    relation: str
    column: str

    def __str__(self) -> str:
        return f"{self.relation}.{self.column}" if self.relation else self.column


@dataclass(frozen=True, slots=True, order=True)
class Edge:
    """One column flows into another.

    `type`, `subtype`: DIRECT IDENTITY, TRANSFORMATION, AGGREGATION; INDIRECT JOIN, GROUP_BY,
    FILTER, SORT, WINDOW, CONDITIONAL. `spans`: where the source is read. `evidence`: what made an
    inferred source more likely than others.
    """

    source: ColumnId
    target: ColumnId
    type: str
    subtype: str
    certainty: str
    spans: tuple[Span, ...] = ()
    evidence: tuple[Span, ...] = ()


@dataclass(frozen=True)
class Traced:
    """The edges of one statement: `direct` by column; `rows` once, for every target column."""

    target: str
    columns: tuple[str, ...]
    direct: tuple[Edge, ...]
    rows: tuple[Edge, ...]
    findings: tuple[Finding, ...]

    @cached_property
    def edges(self) -> tuple[Edge, ...]:
        """All edges, those of the rows spread over the columns; sorted."""
        return tuple(sorted((*self.direct, *self._spread())))

    def _spread(self) -> Iterator[Edge]:
        direct = {(e.source, e.target, e.subtype) for e in self.direct if e.type == "INDIRECT"}
        for edge in self.rows:
            for column in self.columns or ("*",):
                target = ColumnId(self.target, column)
                if (edge.source, target, edge.subtype) not in direct:
                    yield replace(edge, target=target)


def edges(resolved: Resolved, catalog: Relations) -> tuple[Edge, ...]:
    """All edges from base relations to the statement's target."""
    return trace_statement(resolved, catalog).edges


def trace_statement(resolved: Resolved, catalog: Relations) -> Traced:
    """Edges of one statement, with what could not be resolved as findings."""
    target = resolved.target or ""
    query = resolved.query
    if query is None:
        return Traced(target, (), (), (), ())
    tracer = Tracer(resolved.statement)
    names = _target_names(resolved, query, catalog)
    seen: dict[tuple[str, str, str, str, str], Edge] = {}
    for i, name in enumerate(names):
        if i < len(query.outputs):
            _collect(tracer, seen, tracer.output(query, i), ColumnId(target, name))
    for stars in tracer.stars(query):
        _collect(tracer, seen, stars, ColumnId(target, "*"))
    rows: dict[tuple[str, str, str, str, str], Edge] = {}
    _collect(tracer, rows, tracer.rows(query), ColumnId(target, "*"))
    columns = tuple(dict.fromkeys((*names, *(() if query.complete else ("*",)))))
    return Traced(target, columns, tuple(seen.values()), tuple(rows.values()), tracer.findings())


def _target_names(resolved: Resolved, query: Query, catalog: Relations) -> tuple[str, ...]:
    """Target columns by output position: named in the statement, else declared, else as output."""
    given = tuple(output.name for output in query.outputs)
    if resolved.kind in ("update", "merge", "delete"):
        return given
    named = resolved.target_columns
    if named is None and resolved.kind == "insert" and resolved.target:
        named = _declared(resolved, len(given), catalog)
    if named is None or not query.complete:
        return given
    return (*named[: len(given)], *given[len(named) :])


def _declared(resolved: Resolved, width: int, catalog: Relations) -> tuple[str, ...] | None:
    if resolved.statement.tree.args.get("by_name"):
        return None
    at = resolved.statement
    table = catalog.find(resolved.target or "", at.path, at.index + 1)[1]
    return table.names if table is not None and table.closed and len(table.names) >= width else None


def _collect(
    tracer: Tracer,
    seen: dict[tuple[str, str, str, str, str], Edge],
    flows: Flows,
    target: ColumnId,
) -> None:
    for (relation, column, type_, subtype), (rank, nodes) in flows.items():
        key = (relation, column, target.column, type_, subtype)
        spans = tuple(sorted({tracer.span(node) for node in nodes}))
        known = seen.get(key)
        if known is not None:
            rank = min(rank, RANKS.index(known.certainty))
            spans = tuple(sorted({*known.spans, *spans}))
        source = ColumnId(relation, column)
        evidence = tuple(sorted({at for node in nodes if (at := tracer.evidence.get(id(node)))}))
        seen[key] = Edge(source, target, type_, subtype, RANKS[rank], spans, evidence)
