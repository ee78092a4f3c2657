"""What sqlglot prints so that DuckDB cannot read it, or reads as something else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce

from sqlglot import exp

from unwet.rewrite.divisions import is_typed
from unwet.rewrite.prove.limits import limit_of_percent, limit_with_ties
from unwet.rewrite.prove.nested import NESTED

Mend = Callable[[exp.Expr], exp.Expr]


def mend(tree: exp.Expr, mends: Sequence[Mend] | None = None) -> exp.Expr:
    """In place, from the leaves up: each of the mends (default: all that DuckDB needs), and nothing
    that would change rows."""
    for node in reversed(list(tree.walk(bfs=False))):
        parent, key, index = node.parent, node.arg_key, node.index
        made = node
        for mend_one in DUCKDB if mends is None else mends:
            made = mend_one(made)
        if made is node:
            continue
        if node is tree:
            tree = made
        elif parent is not None and key is not None:
            parent.set(key, made, index)
    return tree


def _typed_division(node: exp.Expr) -> exp.Expr:
    """In dialects where 7 / 2 is 3 and 7.0 / 2 is 3.5: printed as /, which is a fraction for both;
    DuckDB says //, which fails for a zero and for intervals. A zero is NULL here, whoever wrote
    the quotient."""
    cut_off = isinstance(node, exp.IntDiv) and not node.find(exp.Interval)
    if not (is_typed(node) or cut_off):
        return node
    assert isinstance(node, exp.Binary)
    divisor = exp.Nullif(this=node.expression, expression=exp.Literal.number(0))
    if isinstance(node.expression, exp.Nullif):
        divisor = node.expression
    return exp.IntDiv(this=node.this, expression=divisor)


_TEXTS = (exp.DPipe, exp.Concat, exp.Upper, exp.Lower, exp.Trim, exp.Substring, exp.Replace)


def _text_sum(node: exp.Expr) -> exp.Expr:
    """T-SQL's + puts texts together where one side is surely text, not a number or an interval."""
    operands = list(node.flatten()) if isinstance(node, exp.Add) else []
    if not any(map(_is_text, operands)):
        return node
    return reduce(lambda left, right: exp.DPipe(this=left, expression=right, safe=True), operands)


def _is_text(node: exp.Expr) -> bool:
    match node:
        case exp.Literal(is_string=True):
            return not any(sign.isdigit() for sign in node.name) and node.name.strip() != ""
        case exp.Cast():
            return node.to.this in exp.DataType.TEXT_TYPES
        case _:
            return isinstance(node, _TEXTS)


def _null_safe(node: exp.Expr) -> exp.Expr:
    """EQUAL_NULL(a, b) is a IS NOT DISTINCT FROM b, which binds less than what is around a call."""
    if not isinstance(node, exp.EqualNull):
        return node
    return exp.Paren(this=exp.NullSafeEQ(this=node.this, expression=node.expression))


def _count_if(node: exp.Expr) -> exp.Expr:
    """COUNTIF: DuckDB's COUNT_IF is NULL, and not 0, where the test is NULL for all rows."""
    if not isinstance(node, exp.CountIf) or isinstance(node.this, exp.Distinct):
        return node
    one = exp.If(this=node.this, true=exp.Literal.number(1))
    return exp.Count(this=exp.Case(ifs=[one]))


def _collected(node: exp.Expr) -> exp.Expr:
    """COLLECT_LIST and COLLECT_SET of Spark, ARRAY_AGG of Snowflake: an array without elements if
    no value is left, which is NULL in DuckDB."""
    around = (exp.Filter, exp.Window)
    core = node
    while isinstance(core, around):
        core = core.this
    is_set = isinstance(core, exp.ArrayUniqueAgg)
    is_list = isinstance(core, exp.ArrayAgg) and core.args.get("nulls_excluded")
    if not (is_set or is_list) or (isinstance(node.parent, around) and node.arg_key == "this"):
        return node
    return exp.Coalesce(this=node.copy(), expressions=[exp.Array()])


def _safe_function(node: exp.Expr) -> exp.Expr:
    """BigQuery SAFE.f(x): printed as SAFE.f(x); DuckDB says TRY(f(x))."""
    return exp.Try(this=node.this) if isinstance(node, exp.SafeFunc) else node


def _without_max(node: exp.Expr) -> exp.Expr:
    """VARCHAR(MAX): printed as TEXT(MAX); a text without limit is just TEXT."""
    if isinstance(node, exp.DataType) and any(
        isinstance(p, exp.DataTypeParam) and p.name.upper() == "MAX" for p in node.expressions
    ):
        node.set("expressions", [])
    return node


def _without_dual(node: exp.Expr) -> exp.Expr:
    """Oracle's FROM dual: DuckDB selects without FROM."""
    if isinstance(node, exp.Select) and not node.args.get("joins"):
        source = node.args.get("from_")
        table = source.this if source is not None else None
        if isinstance(table, exp.Table) and table.name.lower() == "dual" and not table.db:
            node.set("from_", None)
    return node


def _without_hints(node: exp.Expr) -> exp.Expr:
    """NOLOCK, OPTION (..), FOR UPDATE and the like say how to run, not what to return."""
    if isinstance(node, exp.Table):
        node.set("hints", None)
    if isinstance(node, exp.Select):
        for slot in ("hint", "locks", "options"):
            node.set(slot, None)
    return node


EVERYWHERE: Sequence[Mend] = (_without_dual, _without_hints)
"""What other engines need, too."""

DUCKDB: Sequence[Mend] = (
    _typed_division,
    _text_sum,
    _null_safe,
    _count_if,
    _collected,
    _safe_function,
    _without_max,
    limit_of_percent,
    limit_with_ties,
    *NESTED,
    *EVERYWHERE,
)
