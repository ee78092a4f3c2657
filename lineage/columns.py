"""Which columns of base relations flow into which columns of a statement's target.

One memoised pass per statement: the flows of a query's output are computed once, however often
it is read, and CTEs and subqueries leave no trace of their own. Conditions on whole rows (FILTER,
JOIN, GROUP_BY, SORT) are kept once per statement and spread over the target's columns on demand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from unwet.lineage.findings import Finding, Span
from unwet.lineage.flows import Flows
from unwet.lineage.names import deep_stack
from unwet.lineage.resolve import Query, Resolved
from unwet.lineage.tables import Relations
from unwet.lineage.targets import dynamic_partitions
from unwet.lineage.tracer import Tracer

RANKS = ("certain", "inferred", "ambiguous", "unknown")
_new = tuple.__new__  # what the constructors of the two tuples below call, minus one frame


class ColumnId(NamedTuple):
    """One column of one relation; "" is a bare SELECT, "?" a relation nobody knows.

    `column` is "*" for the columns behind a star that cannot be listed. (A tuple, because graphs
    of a million edges are sorted and hashed by it.)
    """

    relation: str
    column: str

    def __str__(self) -> str:
        return f"{self.relation}.{self.column}" if self.relation else self.column


class Edge(NamedTuple):
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


@dataclass(frozen=True, slots=True)
class Traced:
    """The edges of one statement: `direct` by column; `rows` once, for every target column."""

    target: str
    columns: tuple[str, ...]
    direct: tuple[Edge, ...]
    rows: tuple[Edge, ...]
    findings: tuple[Finding, ...]

    def targets(self) -> tuple[ColumnId, ...]:
        """The columns that the statement writes; what a condition on its rows touches."""
        return tuple(ColumnId(self.target, column) for column in self.columns or ("*",))

    def edges(self) -> Iterator[Edge]:
        """All edges, those of the rows spread over the columns."""
        yield from self.direct
        yield from self.spread()

    def spread(self) -> Iterator[Edge]:
        """The edges of the rows, one for every column."""
        known = {(e.source, e.target, e.subtype) for e in self.direct if e.type == "INDIRECT"}
        targets = self.targets()
        for source, _, type_, subtype, certainty, spans, evidence in self.rows:
            for target in targets:
                if not known or (source, target, subtype) not in known:
                    yield _new(Edge, (source, target, type_, subtype, certainty, spans, evidence))


def edges(resolved: Resolved, catalog: Relations) -> tuple[Edge, ...]:
    """All edges from base relations to the statement's target."""
    return tuple(sorted(trace_statement(resolved, catalog).edges()))


def trace_statement(resolved: Resolved, catalog: Relations) -> Traced:
    """Edges of one statement, with what could not be resolved as findings."""
    with deep_stack():
        return _trace(resolved, catalog)


def _trace(resolved: Resolved, catalog: Relations) -> Traced:
    target = resolved.target or ""
    query = resolved.query
    if query is None or (resolved.kind == "insert" and not target and resolved.more):
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
    if not query.complete:
        return given
    if named is not None:
        given = (*named[: len(given)], *given[len(named) :])
    if resolved.kind == "insert":
        last = dynamic_partitions(resolved.statement.tree, resolved.statement.dialect)
        given = (*given[: len(given) - len(last)], *last)
    return given


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
        spans = tracer.spans(nodes)
        known = seen.get(key)
        if known is not None:
            rank = min(rank, RANKS.index(known.certainty))
            spans = tuple(sorted({*known.spans, *spans}))
        evidence = tracer.evidence_of(nodes) if rank else ()
        source = _new(ColumnId, (relation, column))
        seen[key] = _new(Edge, (source, target, type_, subtype, RANKS[rank], spans, evidence))
