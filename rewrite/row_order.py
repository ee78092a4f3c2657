"""What depends on the order of the rows that it is given.

A plan has no place for the order of a subquery: it is dropped. Where somebody may notice, the query
becomes Opaque. No engine promises that order, and all that is asked here keep it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from sqlglot import exp

from unwet.rewrite.clauses import order_items, position, skips
from unwet.rewrite.plan_types import words

# Aggregates that give the same for any order of their input (float rounding apart).
_ORDERLESS: Final = (
    exp.Sum, exp.Count, exp.CountIf, exp.Min, exp.Max, exp.Avg, exp.Stddev, exp.StddevPop,
    exp.StddevSamp, exp.Variance, exp.VariancePop, exp.Median, exp.PercentileCont,
    exp.PercentileDisc, exp.Quantile, exp.LogicalAnd, exp.LogicalOr, exp.Corr, exp.CovarPop,
    exp.CovarSamp, exp.ApproxDistinct, exp.Hll, exp.BitwiseAndAgg, exp.BitwiseOrAgg,
    exp.BitwiseXorAgg, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist,
)  # fmt: skip
_COLLECTING: Final = frozenset(
    {"list", "listagg", "group_concat", "collect_list", "collect_set", "collect", "first", "last",
     "first_value", "last_value", "nth_value", "any", "any_value", "arbitrary", "arg_max",
     "arg_min", "arg_max_null", "arg_min_null", "max_by", "min_by", "mode", "stats_mode",
     "json_group_array", "json_group_object", "json_group_structure", "map_union", "wm_concat",
     "approx_top_k", "approx_most_frequent", "numeric_histogram", "histogram_numeric",
     "reservoir_quantile"}
)  # fmt: skip
# What a row's place among the others decides.
_PLACED: Final = frozenset(
    {"monotonically_increasing_id", "rownumberinallblocks", "rownumberinblock", "neighbor",
     "runningdifference", "runningdifferencestartingwithfirstvalue", "runningaccumulate",
     "runningconcurrency", "nextval", "csum", "msum", "mavg", "mdiff", "mlinreg"}
)  # fmt: skip
_NUMBERING: Final = frozenset({"seq1", "seq2", "seq4", "seq8", "rownum", "nextvaluefor"})
_ESTIMATES: Final = (exp.ApproxQuantile, exp.ApproxQuantiles)
# Where texts that differ in capitals, accents or blanks at the end are equal by default, so that
# rows may tie in all of their columns and be others.
_CASELESS: Final = words("tsql fabric mysql singlestore teradata")
_KEYS: Final = {"expressions"}  # what a GROUP BY says that makes one row of each key
# Where a query in parentheses is rows and no value.
_OF_ROWS: Final = (exp.From, exp.Join, exp.In, exp.Query, exp.CTE, exp.Exists, exp.Lateral, exp.DDL,
                   exp.DML, exp.Values)  # fmt: skip


def reads_order(tree: exp.Expr, dialect: str) -> bool:
    """Whether anything in a statement may see the order of the rows it is given."""
    exact = dialect not in _CASELESS
    return any(_reads_order(node, exact) for node in tree.walk()) or _says_rownum(tree)


def sees_order(tree: exp.Expr, ordered: exp.Expr, dialect: str) -> bool:
    """Whether anything in a statement may see the order of one of its queries: its own aggregates
    and windows with an order of their own, and those of what it reads, have their rows before these
    are put into that order; and no CTE reads what is part of none."""
    exact = dialect not in _CASELESS
    again = any(block.args.get("recursive") for block in tree.find_all(exp.With))
    inside = set() if again else {id(n) for n in ordered.walk() if _is_before(n)}
    if ordered.find_ancestor(exp.CTE) is None:
        inside |= {id(node) for cte in tree.find_all(exp.CTE) for node in cte.walk()}
    inside |= {id(node) for node in _in_groups(tree, ordered)} if exact else set()
    seen = (node for node in tree.walk() if id(node) not in inside)
    return any(_reads_order(node, exact) for node in seen) or _says_rownum(tree)


def _in_groups(tree: exp.Expr, ordered: exp.Expr) -> Iterator[exp.Expr]:
    """The estimates that the only query makes which reads an ordered one, if it reads nothing else
    and its groups are of rows that are equal in all that these are ordered by:

        SELECT d, APPROX_QUANTILES(x, 4) FROM (SELECT d, x FROM t ORDER BY d) GROUP BY d

    What collects rows, or takes one, is asked where it is lowered.
    """
    reader = _only_reader(tree, ordered)
    if reader is None:
        return
    sorted_by = {_output(item.this, ordered) for item in order_items(ordered)}
    if None not in sorted_by and sorted_by <= {_column(key, reader) for key in _keys(reader)}:
        yield from (node for node in reader.find_all(*_ESTIMATES) if _is_of(node, reader))


def _keys(query: exp.Select) -> Sequence[exp.Expr]:
    """What makes one row of all that are equal in it, where that is said plainly."""
    group = query.args.get("group")
    said = {name for name, value in group.args.items() if value} if group is not None else set()
    if said == {"all"}:
        return query.expressions
    return group.expressions if group is not None and said == _KEYS else ()


def _only_reader(tree: exp.Expr, ordered: exp.Expr) -> exp.Select | None:
    """The query that alone reads a CTE or a query in a FROM, and nothing beside it."""
    relation = ordered.parent
    if isinstance(relation, exp.CTE):
        name = relation.alias.lower()
        named = [cte for cte in tree.find_all(exp.CTE) if cte.alias.lower() == name]
        reads = [table for table in tree.find_all(exp.Table) if table.name.lower() == name]
        relation = reads[0] if len(named) == len(reads) == 1 else None
    source = relation.parent if relation is not None else None
    reader = source.parent if isinstance(source, exp.From) else None
    if not isinstance(reader, exp.Select) or reader.args.get("joins"):
        return None
    return None if reader.args.get("laterals") else reader


def _output(key: exp.Expr, query: exp.Expr) -> str | None:
    """The output that a query is ordered by, if that is one."""
    outputs = [item.alias_or_name.lower() for item in query.args.get("expressions") or ()]
    place = position(key)
    if place is not None:
        return outputs[place] if 0 <= place < len(outputs) else None
    plain = isinstance(key, exp.Column) and not key.table and outputs.count(key.name.lower()) == 1
    return key.name.lower() if plain else None


def _column(key: exp.Expr, reader: exp.Select) -> str | None:
    """The column that is a group key, if it is one, and no output is called so that says other
    things."""
    if not isinstance(key, exp.Column):
        return None
    name = key.name.lower()
    called = [item for item in reader.expressions if item.alias_or_name.lower() == name]
    same = all(isinstance(item, exp.Column) for item in called)
    return name if same else None


def _is_of(node: exp.Expr, reader: exp.Select) -> bool:
    """Whether a query says it itself, and no query inside of it."""
    return node.find_ancestor(exp.Query) is reader


def _is_before(node: exp.Expr) -> bool:
    """Whether part of a query has its rows before these are put into the query's order."""
    ordered = isinstance(node, exp.Window) and bool(node.args.get("order"))
    return ordered or isinstance(node, exp.AggFunc)


def _says_rownum(tree: exp.Expr) -> bool:
    """Whether a word in it may be Oracle's number of a row: ROWNUM, where nothing is called so."""
    said = (c for c in tree.find_all(exp.Column) if not c.table and c.name.lower() == "rownum")
    named = (a for a in tree.find_all(exp.Alias) if a.alias.lower() == "rownum")
    return any(said) and not any(named)


def _reads_order(node: exp.Expr, exact: bool) -> bool:
    """What has an order of its own reads that of its rows, too, where rows are equal in it.
    ``exact``: rows that are equal in all that is sorted by are the same."""
    match node:
        case exp.ApproxQuantile():
            return True  # values are merged into groups as they come
        case exp.AggFunc() if not isinstance(node, _ORDERLESS):
            return not isinstance(node.parent, exp.Window) and not (exact and _sorts_itself(node))
        case exp.Anonymous():
            name = str(node.this).lower()
            known = name in _COLLECTING or name in _PLACED or name.endswith("agg")
            return known or _may_collect(node)
        case _ if node.key in _NUMBERING:
            return True
        case exp.Pseudocolumn() | exp.TableSample() | exp.MatchRecognize():
            return True
        case exp.Array(expressions=[exp.Query()]):
            return True
        case exp.PropertyEQ(this=exp.Parameter()):
            return True  # MySQL's @n := @n + 1
        case exp.Window():
            return not isinstance(node.this, _ORDERLESS) or _takes_rows(node)
        case exp.Distinct():
            return node.args.get("on") is not None
        case exp.Query():
            limited = bool(node.args.get("limit")) or skips(node) != 0
            return (limited and not (exact and _sorts_all(node))) or _is_one_value(node)
        case _:
            return False


def _sorts_itself(call: exp.Expr) -> bool:
    """Whether an aggregate takes its values in their own order, so that none is before an equal
    one: `STRING_AGG(name, ',' ORDER BY name)`."""
    parent = call.parent
    if isinstance(parent, exp.Filter):
        parent = parent.parent
    order = parent.args.get("expression") if isinstance(parent, exp.WithinGroup) else call.this
    if not isinstance(order, exp.Order):
        return False
    value = call.this.this if isinstance(call.this, exp.Order) else call.this
    return any(item.this == value for item in order.expressions)


def _sorts_all(query: exp.Expr) -> bool:
    """Whether rows that are equal in a query's own order are the same, so that any may be first."""
    if not isinstance(query, exp.Select):
        return False
    outputs = [item.unalias() for item in query.expressions]
    named = {item.alias_or_name.lower(): value
             for item, value in zip(query.expressions, outputs, strict=True)}  # fmt: skip

    def meant(key: exp.Expr) -> exp.Expr:
        place = position(key)
        if place is not None:
            return outputs[place] if 0 <= place < len(outputs) else key
        plain = isinstance(key, exp.Column) and not key.table
        return named.get(key.name.lower(), key) if plain else key

    keys = [meant(item.this) for item in order_items(query) if isinstance(item, exp.Ordered)]
    group = query.args.get("group")
    wanted = outputs
    if group is not None and {name for name, value in group.args.items() if value} == _KEYS:
        wanted = [key if position(key) is None else meant(key) for key in group.expressions]
    return bool(keys) and all(each in keys and not each.is_star for each in wanted)


def _takes_rows(window: exp.Window) -> bool:
    """Whether its frame counts rows; in any other, rows that are equal are all in or all out."""
    spec = window.args.get("spec")
    if spec is None or str(spec.args.get("kind")).upper() != "ROWS":
        return False
    return not all(str(spec.args.get(end)).upper() == "UNBOUNDED" for end in ("start", "end"))


def _may_collect(call: exp.Expr) -> bool:
    """Whether an unknown function may be an aggregate: all columns of its query are in such."""
    query = call.find_ancestor(exp.Select)
    if query is None or call.find(exp.Column) is None or query.args.get("group") is not None:
        return False  # what a group has is looked at where it is lowered
    return not any(_is_of_row(column, query)
                   for item in query.expressions
                   for column in item.find_all(exp.Column, exp.Star))  # fmt: skip


def _is_of_row(column: exp.Expr, query: exp.Expr) -> bool:
    """Whether an output has it outside of what may be an aggregate."""
    above = column.find_ancestor(exp.Anonymous, exp.AggFunc, exp.Select)
    return above is query


def _is_one_value(query: exp.Expr) -> bool:
    """Whether it is a value of which some engines take the first of several rows."""
    above = query.parent
    if not isinstance(above, exp.Subquery) or isinstance(above.parent, _OF_ROWS):
        return False
    return query.args.get("group") is not None or not any(
        item.find(exp.AggFunc) for item in query.args.get("expressions") or ()
    )
