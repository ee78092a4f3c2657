"""How many rows a block gives, and which of them: what it groups by, whether equal rows are one,
how its first rows are chosen, and what its CTEs are called.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Literal

from sqlglot import exp

from unwet.lineage.resolve import Query
from unwet.rewrite.algebra import Agg, Lit, parts
from unwet.rewrite.tracing import Tracer

GrainKind = Literal["grain", "distinct", "union", "order", "name"]


@dataclass(frozen=True, slots=True)
class Said:
    """One thing of that kind: `text` is it in SQL, `node` has its place, `keys` are
    what it is grouped by and does not show."""

    kind: GrainKind
    slot: Hashable
    value: str
    node: exp.Expression
    text: str
    keys: frozenset[str] = frozenset()


def said(query: Query, tracer: Tracer, relations: frozenset[str]) -> Iterator[Said]:
    """What a SELECT says of its rows."""
    about = (relations, frozenset(output.name for output in query.outputs))
    if not about[1] or not query.complete or isinstance(query.node.parent, (exp.In, exp.Exists)):
        return
    group = query.node.args.get("group")
    if isinstance(group, exp.Group):
        yield from _grouped(query, group, tracer, about)
    elif _says_more(query.node) and not query.node.find(exp.AggFunc):
        distinct = query.node.args.get("distinct")
        value = "SELECT" if distinct is None else "SELECT DISTINCT"
        if not getattr(distinct, "args", {}).get("on"):
            yield Said("distinct", ("distinct", *about), value, query.node, value)
    yield from _first_rows(query, tracer, about)


def united(query: Query, relations: frozenset[str]) -> Iterator[Said]:
    """Whether a set operation keeps equal rows."""
    node = query.node
    if isinstance(node, exp.Union) and query.outputs:
        value = "UNION" if node.args.get("distinct") else "UNION ALL"
        slot = ("union", relations, frozenset(output.name for output in query.outputs))
        yield Said("union", slot, value, node, value)


def named(query: Query, relations: frozenset[str]) -> Iterator[Said]:
    """What a CTE is called."""
    cte = query.node.parent
    alias = cte.args.get("alias") if isinstance(cte, exp.CTE) else None
    names = frozenset(output.name for output in query.outputs)
    if alias is not None and isinstance(alias.this, exp.Identifier) and names:
        name = alias.this.name
        yield Said("name", ("name", relations, names), name.lower(), alias.this, name)


def _says_more(node: exp.Expression) -> bool:
    """Whether a block is more than the columns of a table: else it is a copy of nothing."""
    return any(node.args.get(part) for part in ("where", "joins", "laterals", "qualify"))


def _grouped(
    query: Query, group: exp.Group, tracer: Tracer, about: tuple[Hashable, ...]
) -> Iterator[Said]:
    if any(group.args.get(part) for part in ("cube", "rollup", "grouping_sets", "all", "totals")):
        return
    found: dict[str, frozenset[int]] = {}
    shown = _shown(query, tracer)
    for node in group.expressions:
        if isinstance(node, exp.Literal) and not node.is_string:
            at = int(node.this) - 1 if str(node.this).isdigit() else -1
            if not 0 <= at < len(query.outputs):
                return
            term = tracer.output(query, at)
        else:
            key = tracer.term(query, node, "group")
            if key is None:
                return
            term = key
        if not isinstance(term, Lit):
            found[tracer.terms.masked(term).digest.hex()] = tracer.terms.bases(term)
    keys = {key for key, bases in found.items() if not bases or not bases <= shown}
    text = group.sql(dialect=query.dialect, comments=False)
    yield Said("grain", ("grain", *about), " ".join(sorted(keys)), group, text, frozenset(keys))


def _shown(query: Query, tracer: Tracer) -> frozenset[int]:
    """The columns that a block shows, as they are or inside of a name for them."""
    terms = [tracer.output(query, at) for at in range(len(query.outputs))]
    single = [t for t in terms if not any(isinstance(part, Agg) for part in parts(t))]
    return frozenset().union(*(tracer.terms.bases(term) for term in single))


def _first_rows(query: Query, tracer: Tracer, about: tuple[Hashable, ...]) -> Iterator[Said]:
    """By what the first rows are the first: only of a block that has a limit."""
    order = query.node.args.get("order")
    if not isinstance(order, exp.Order) or query.node.args.get("limit") is None:
        return
    by: list[str] = []
    ways: list[str] = []
    for item in order.expressions:
        node = item.this if isinstance(item, exp.Ordered) else item
        at = int(node.this) - 1 if isinstance(node, exp.Literal) and node.is_int else None
        if at is not None and not 0 <= at < len(query.outputs):
            return
        term = tracer.output(query, at) if at is not None else tracer.term(query, node, "order")
        if term is None:
            return
        by.append(tracer.terms.masked(term).digest.hex())
        ways.append("desc" if item.args.get("desc") else "asc")
    text = order.sql(dialect=query.dialect, comments=False)
    yield Said("order", ("order", *about, tuple(by)), " ".join(ways), order, text)
