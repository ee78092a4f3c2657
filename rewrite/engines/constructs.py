"""Constructs of SQL that some engines have no words for (their manuals, "SELECT", "Expressions").

The printer refuses a part of these and writes the others as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from sqlglot import exp

_Test = Callable[[exp.Expr], bool]


def _is(*kinds: type[exp.Expr]) -> _Test:
    return lambda node: isinstance(node, kinds)


def _has(kind: type[exp.Expr], key: str) -> _Test:
    return lambda node: isinstance(node, kind) and bool(node.args.get(key))


def _all_rows(node: exp.Expr) -> bool:
    """EXCEPT ALL, INTERSECT ALL"""
    return isinstance(node, exp.Except | exp.Intersect) and node.args.get("distinct") is False


def _compared_rows(node: exp.Expr) -> bool:
    """(a, b) = (1, 2), (a, b) IN (..)"""
    return isinstance(node, exp.Tuple) and isinstance(node.parent, exp.Predicate | exp.Binary)


def _joined(side: str, kind: str = "") -> _Test:
    def test(node: exp.Expr) -> bool:
        return isinstance(node, exp.Join) and (node.side, node.kind) == (side, kind)

    return test


def _distinct_on(node: exp.Expr) -> bool:
    return isinstance(node, exp.Distinct) and bool(node.args.get("on"))


def _ordered_quantile(node: exp.Expr) -> bool:
    """PERCENTILE_CONT(..) WITHIN GROUP (..) as an aggregate, not OVER a window"""
    quantile = isinstance(node, exp.WithinGroup) and isinstance(
        node.this, exp.PercentileCont | exp.PercentileDisc
    )
    return quantile and not isinstance(node.parent, exp.Window)


def _any_of_query(node: exp.Expr) -> bool:
    """x = ANY (SELECT ..), x > ALL (SELECT ..)"""
    return isinstance(node, exp.Any | exp.All) and isinstance(node.this, exp.Query)


def _distinct_over(node: exp.Expr) -> bool:
    """COUNT(DISTINCT x) OVER (..)"""
    if not isinstance(node, exp.Window) or not isinstance(node.this, exp.AggFunc):
        return False
    return isinstance(node.this.this, exp.Distinct)


def _columns_but(node: exp.Expr) -> bool:
    """SELECT * EXCEPT (a)"""
    return isinstance(node, exp.Star) and any(node.args.values())


def _lacks(kind: type[exp.Expr], key: str) -> _Test:
    return lambda node: isinstance(node, kind) and node.args.get(key) is None


def _value_as_condition(node: exp.Expr) -> bool:
    """WHERE COALESCE(b, 0), CASE WHEN f(x) THEN ..: a value where a comparison has to stand"""
    if not isinstance(node, exp.Coalesce | exp.Column | exp.Cast | exp.Case | exp.Anonymous):
        return False
    while isinstance(node.parent, exp.Paren):
        node = node.parent
    parent = node.parent
    if isinstance(parent, exp.If):
        is_simple = isinstance(parent.parent, exp.Case) and bool(parent.parent.this)
        return node.arg_key == "this" and not is_simple
    if isinstance(parent, exp.Join):
        return node.arg_key == "on"
    return isinstance(parent, exp.Where | exp.Having | exp.And | exp.Or | exp.Not)


def _order_beside_distinct(node: exp.Expr) -> bool:
    """SELECT DISTINCT a .. ORDER BY b"""
    if not isinstance(node, exp.Select):
        return False
    order, distinct = node.args.get("order"), node.args.get("distinct")
    if order is None or distinct is None or distinct.args.get("on"):
        return False
    outputs = [output.unalias() for output in node.selects]
    names = {output.alias_or_name.lower() for output in node.selects}
    keys = [key.this for key in order.expressions]
    if any(output.is_star for output in node.selects):
        return not all(isinstance(key, exp.Column | exp.Literal) for key in keys)
    return not all(
        key in outputs
        or isinstance(key, exp.Literal)
        or (isinstance(key, exp.Column) and key.name.lower() in names)
        for key in keys
    )


def _fetched_with_ties(node: exp.Expr) -> bool:
    """FETCH FIRST 3 ROWS WITH TIES, where TOP (3) WITH TIES has to stand"""
    options = node.args.get("limit_options") if isinstance(node, exp.Fetch) else None
    return options is not None and bool(options.args.get("with_ties"))


# what it is called, how it is told, the engines that have it not
_TABLE: Final[tuple[tuple[str, _Test, str], ...]] = (
    ("INTERVAL", _is(exp.Interval), "tsql sqlite"),
    ("ILIKE", _is(exp.ILike), "tsql mysql sqlite oracle bigquery trino"),
    ("SIMILAR TO", _is(exp.SimilarTo),
     "tsql mysql sqlite oracle snowflake bigquery trino databricks spark"),
    ("FILTER (WHERE ..)", _is(exp.Filter), "tsql mysql snowflake bigquery redshift oracle"),
    ("WITHIN GROUP", _is(exp.WithinGroup), "bigquery mysql sqlite"),
    ("PERCENTILE_CONT without OVER", _ordered_quantile, "tsql"),
    ("QUALIFY", _has(exp.Select, "qualify"), "tsql mysql sqlite oracle postgres trino spark"),
    ("ANY and ALL of a query", _any_of_query, "sqlite bigquery spark databricks"),
    ("DISTINCT over a window", _distinct_over,
     "tsql mysql sqlite postgres redshift spark databricks trino"),
    ("GROUP BY ALL", _has(exp.Group, "all"), "tsql mysql sqlite oracle postgres trino"),
    ("DISTINCT ON", _distinct_on,
     "tsql mysql sqlite oracle snowflake bigquery redshift trino databricks spark"),
    ("EXCEPT ALL and INTERSECT ALL", _all_rows, "tsql sqlite snowflake bigquery redshift"),
    ("columns but some", _columns_but, "tsql mysql sqlite oracle postgres redshift trino"),
    ("USING in joins", _has(exp.Join, "using"), "tsql"),
    ("comparison of rows", _compared_rows, "tsql"),
    ("ROUND without digits", _lacks(exp.Round, "decimals"), "tsql"),
    ("SUBSTRING without a length", _lacks(exp.Substring, "length"), "tsql"),
    ("condition that is a value", _value_as_condition, "tsql oracle"),
    ("FULL JOIN", _joined("FULL"), "mysql"),
    ("FULL JOIN", _joined("FULL", "OUTER"), "mysql"),
    ("SEMI JOIN", _joined("", "SEMI"),
     "tsql mysql sqlite oracle postgres redshift snowflake bigquery trino"),
    ("SEMI JOIN", _joined("LEFT", "SEMI"),
     "tsql mysql sqlite oracle postgres redshift snowflake bigquery trino"),
    ("ANTI JOIN", _joined("", "ANTI"),
     "tsql mysql sqlite oracle postgres redshift snowflake bigquery trino"),
    ("ANTI JOIN", _joined("LEFT", "ANTI"),
     "tsql mysql sqlite oracle postgres redshift snowflake bigquery trino"),
    ("ASOF JOIN", lambda node: isinstance(node, exp.Join) and node.method == "ASOF",
     "tsql mysql sqlite oracle postgres redshift bigquery trino databricks spark"),
    ("GROUPING SETS, CUBE and ROLLUP", _is(exp.GroupingSets, exp.Cube, exp.Rollup), "sqlite"),
    ("GROUPING SETS and CUBE", _is(exp.GroupingSets, exp.Cube), "mysql"),
    ("arrays", _is(exp.Array, exp.Unnest, exp.Explode), "tsql mysql sqlite oracle"),
    ("structs", _is(exp.Struct), "tsql mysql sqlite oracle postgres redshift"),
    ("AT TIME ZONE", _is(exp.AtTimeZone), "mysql sqlite"),
    ("IGNORE NULLS", _is(exp.IgnoreNulls), "mysql sqlite postgres"),
    ("LATERAL", _is(exp.Lateral), "sqlite redshift bigquery"),
    ("NATURAL JOIN", lambda node: isinstance(node, exp.Join) and node.method == "NATURAL",
     "tsql bigquery"),
    ("LIMIT .. PERCENT", _has(exp.LimitOptions, "percent"),
     "postgres mysql sqlite redshift snowflake bigquery trino databricks spark"),
    ("LIMIT .. WITH TIES", _has(exp.LimitOptions, "with_ties"),
     "postgres duckdb mysql sqlite redshift snowflake bigquery trino databricks spark"),
    ("FETCH .. WITH TIES", _fetched_with_ties, "tsql"),
    ("order beside DISTINCT by what is no output", _order_beside_distinct,
     "tsql postgres redshift oracle"),
    ("WITH ROLLUP", lambda node: isinstance(node, exp.Rollup | exp.Cube) and not node.expressions,
     "postgres duckdb sqlite oracle redshift snowflake bigquery trino"),
    ("PIVOT", _is(exp.Pivot), "mysql sqlite postgres trino"),
    ("regular expressions as conditions", _is(exp.RegexpLike, exp.RegexpILike), "tsql sqlite"),
)  # fmt: skip


def unknown_constructs(tree: exp.Expr, engine: str) -> Iterator[str]:
    """What a query says that its engine has no words for."""
    tests = [(name, test) for name, test, without in _TABLE if engine in without.split()]
    for node in tree.walk():
        yield from (name for name, test in tests if test(node))
