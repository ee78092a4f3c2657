"""Which columns of base relations flow into which columns of a statement's target.

One memoised pass per statement: the flows of a query's output are computed once, however often
it is read, and CTEs and subqueries leave no trace of their own. Conditions on whole rows (FILTER,
JOIN, GROUP_BY, SORT) are kept once per statement and spread over the target's columns on demand.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from unwet.lineage.budget import BUDGET, Budget, OverBudget
from unwet.lineage.findings import Finding, Span
from unwet.lineage.flows import TRANSFORMATION, Flows
from unwet.lineage.names import deep_stack
from unwet.lineage.resolve import Query, Resolved
from unwet.lineage.tables import Relations
from unwet.lineage.targets import dynamic_partitions
from unwet.lineage.tracer import Tracer

Seen = dict[tuple[str, str, str, str, str], "Edge"]  # source, target column, type, subtype
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
    """The edges of one statement: `direct` by column; `rows` once, for every target column.

    `whole`: that would be too many edges, so that rows are linked with the relation as such.
    """

    target: str
    columns: tuple[str, ...]
    direct: tuple[Edge, ...]
    rows: tuple[Edge, ...]
    findings: tuple[Finding, ...]
    whole: bool = False

    def targets(self) -> tuple[ColumnId, ...]:
        """The columns that the statement writes; what a condition on its rows touches."""
        columns = ("*",) if self.whole or not self.columns else self.columns
        return tuple(ColumnId(self.target, column) for column in columns)

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


def trace_statement(resolved: Resolved, catalog: Relations, budget: Budget = BUDGET) -> Traced:
    """Edges of one statement, with what could not be resolved, or was too much, as findings."""
    with deep_stack():
        return _trace(resolved, catalog, budget)


def _trace(resolved: Resolved, catalog: Relations, budget: Budget) -> Traced:
    target = resolved.target or ""
    query = resolved.query
    if query is None or (resolved.kind == "insert" and not target and resolved.more):
        return Traced(target, (), (), (), ())
    tracer = Tracer(resolved.statement, budget.steps)
    names = _target_names(resolved, query, catalog)
    seen: Seen = {}
    rows: Seen = {}
    over: list[str] = []
    try:
        for i, name in enumerate(names[: len(query.outputs)]):
            _collect(tracer, seen, tracer.output(query, i), ColumnId(target, name))
        for stars in tracer.stars(query):
            _collect(tracer, seen, stars, ColumnId(target, "*"))
        _collect(tracer, rows, tracer.rows(query), ColumnId(target, "*"))
    except OverBudget:
        over.append(f"it takes more than {budget.steps:,} steps: what is left is linked by table")
        _collect(tracer, seen, _by_table(query), ColumnId(target, "*"))
    columns = tuple(dict.fromkeys((*names, *(() if query.complete else ("*",)))))
    whole = len(columns) > 1 and len(columns) * len(rows) > budget.edges
    if whole:
        over.append(
            f"conditions on rows read {len(rows):,} columns and reach {len(columns):,}: they are "
            "linked with the relation as a whole"
        )
    if tracer.cut:
        over.append(f"a star stands for more than {budget.columns:,} columns: not all are listed")
    at = resolved.statement.span
    findings = (*(_over_budget(text, at) for text in over), *tracer.findings())
    return Traced(target, columns, tuple(seen.values()), tuple(rows.values()), findings, whole)


def _over_budget(text: str, at: Span) -> Finding:
    return Finding("BUDGET", f"lineage of this statement is coarser: {text}", at, "split it")


def _by_table(query: Query) -> Flows:
    """Every base relation that a query reads at any depth, as a whole and in a way unknown."""
    flows: Flows = {}
    todo, seen = [query], {id(query)}
    while todo:
        each = todo.pop()
        below = [i.query for i in each.inputs if i.query is not None]
        for one in (*below, *each.branches, *each.ctes.values(), *each.children.values()):
            if id(one) not in seen:
                seen.add(id(one))
                todo.append(one)
        for item in each.inputs:
            if item.relation is not None:
                flows.setdefault((item.relation, "*", *TRANSFORMATION), (3, (item.node,)))
    return flows


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
    seen: Seen,
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
