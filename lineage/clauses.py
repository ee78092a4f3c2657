"""The parts of a query that decide which rows there are, each with its kind of influence."""

from collections.abc import Iterator

from sqlglot import exp

from unwet.lineage.resolve import Query

# argument of the node -> (clause for name lookup, sub-type of the edges)
_CLAUSES: tuple[tuple[str, str, str], ...] = (
    ("prewhere", "where", "FILTER"),
    ("where", "where", "FILTER"),
    ("connect", "where", "JOIN"),
    ("group", "group", "GROUP_BY"),
    ("having", "having", "FILTER"),
    ("qualify", "qualify", "FILTER"),
    ("order", "order", "SORT"),
    ("sort", "order", "SORT"),
    ("distribute", "order", "SORT"),
    ("cluster", "order", "SORT"),
)


def row_clauses(query: Query) -> Iterator[tuple[exp.Expression, str, str]]:
    """(expression, clause, sub-type) of everything that selects, joins, groups or sorts rows."""
    node = query.node
    for key, clause, subtype in _CLAUSES:
        part = node.args.get(key)
        if isinstance(part, exp.Expression):
            yield part, clause, subtype
    limit = node.args.get("limit")
    if isinstance(limit, exp.Limit) and limit.expressions:  # ClickHouse: LIMIT 1 BY a
        yield from ((each, "order", "FILTER") for each in limit.expressions)
    if isinstance(node, exp.MatchRecognize):
        yield from _pattern_clauses(node)
    distinct = node.args.get("distinct")
    if isinstance(distinct, exp.Distinct) and distinct.args.get("on") is not None:
        yield distinct.args["on"], "group", "GROUP_BY"
    if isinstance(node, exp.ConditionalInsert) and isinstance(node.expression, exp.Expression):
        yield node.expression, "where", "FILTER"
    if isinstance(node, exp.Merge):
        yield from _merge_clauses(node)
    if isinstance(node, exp.Pivot) and not node.args.get("unpivot"):
        yield from ((each.this, "select", "GROUP_BY") for each in node.args.get("fields") or ())
    for each in query.inputs:
        if each.join is not None and each.join.args.get("on") is not None:
            yield each.join.args["on"], "on", "JOIN"
        if each.relation is None and each.query is None:
            yield from ((part, "from", "JOIN") for part in produced_from(each.node, None))


def _pattern_clauses(node: exp.MatchRecognize) -> Iterator[tuple[exp.Expression, str, str]]:
    yield from ((each, "where", "GROUP_BY") for each in node.args.get("partition_by") or ())
    for each in node.args.get("define") or ():
        yield (each.this if isinstance(each, exp.Alias) else each), "where", "FILTER"


def produced_from(node: exp.Expression, position: int | None) -> list[exp.Expression]:
    """What the rows of UNNEST, LATERAL or a table function are made of.

    `position`: of the column that is asked for; None for all. UNNEST of several arrays makes a
    column of each.
    """
    if isinstance(node, exp.Table):
        return [node.this]  # a table function; the walk passes tables over
    arrays = node.expressions if isinstance(node, exp.Unnest) else []
    if position is not None and len(arrays) > 1 and position < len(arrays):
        return [arrays[position]]
    return [node]


def _merge_clauses(node: exp.Merge) -> Iterator[tuple[exp.Expression, str, str]]:
    if isinstance(node.args.get("on"), exp.Expression):
        yield node.args["on"], "on", "JOIN"
    whens = node.args.get("whens")
    for when in whens.expressions if whens is not None else ():
        if isinstance(when.args.get("condition"), exp.Expression):
            yield when.args["condition"], "where", "FILTER"


def is_distinct(query: Query) -> bool:
    """Whether equal rows become one, as if grouped by all columns: SELECT DISTINCT, and set
    operations without ALL."""
    distinct = query.node.args.get("distinct")
    if isinstance(query.node, exp.SetOperation):
        return distinct is not False
    return isinstance(distinct, exp.Distinct) and distinct.args.get("on") is None


def ordinals(query: Query) -> Iterator[tuple[int, str]]:
    """(output position, sub-type) of GROUP BY 2, ORDER BY 1, and GROUP BY ALL."""
    for key, subtype in (("group", "GROUP_BY"), ("order", "SORT")):
        part = query.node.args.get(key)
        if not isinstance(part, exp.Expression):
            continue
        for item in part.expressions:
            inner = item.this if isinstance(item, exp.Ordered) else item
            if isinstance(inner, exp.Literal) and not inner.is_string and inner.this.isdigit():
                yield int(inner.this) - 1, subtype
        if key == "group" and part.args.get("all"):
            yield from (
                (i, subtype)
                for i, each in enumerate(query.outputs)
                if each.expression is None or each.expression.find(exp.AggFunc) is None
            )
