"""The small clauses of a query block, read one by one: bounds, sort keys, set operations.

All of it is a closed world: an argument that nobody here gives a meaning to raises Unsupported.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from unwet.rewrite.algebra import Call, Col, Expr, Plan, Project, Rel, SetKind, SortKey, width
from unwet.rewrite.scalars import Unsupported, encode


def only(node: exp.Expr, understood: frozenset[str]) -> None:
    """Raises Unsupported when the node says anything beyond the understood arguments."""
    for name, value in node.args.items():
        if value and name not in understood:
            raise Unsupported(
                f"{node.key.upper()} with {name.strip('_').replace('_', ' ').upper()}"
            )


def trim(plan: Plan) -> Rel:
    """The plan's rows without hidden order columns; an order without limit means nothing here."""
    return first_columns(plan.rel, len(plan.names))


def first_columns(rel: Rel, size: int) -> Rel:
    """The first columns of a relation. Those behind are no outputs of anybody's: an expression
    that makes one goes with it, whatever it is."""
    match rel:
        case _ if width(rel) == size:
            return rel
        case Project(input=inner, exprs=exprs):
            return Project(inner, exprs[:size])
        case _:
            return Project(rel, tuple(Col(i) for i in range(size)))


def conjuncts(expr: Expr) -> tuple[Expr, ...]:
    """The operands of a top-level AND, or the expression alone."""
    match expr:
        case Call(op="and", args=args):
            return args
        case _:
            return (expr,)


def position(node: exp.Expr) -> int | None:
    """The 0-based output that a bare number in GROUP BY or ORDER BY stands for; else None."""
    bare = node.unnest()
    return int(bare.name) - 1 if isinstance(bare, exp.Literal) and bare.is_int else None


def nth(outputs: Sequence[Expr], index: int, clause: str) -> Expr:
    """The output at a position that a clause names. Raises Unsupported when there is none."""
    if not 0 <= index < len(outputs):
        raise Unsupported(f"{clause} position out of range")
    return outputs[index]


# --- order and bounds -------------------------------------------------------------------------


def order_items(node: exp.Expr) -> list[exp.Expr]:
    """The items of the block's own ORDER BY."""
    order = node.args.get("order")
    return list(order.expressions) if order is not None else []


def orders_by_all(items: Sequence[exp.Expr], dialect: str) -> bool:
    """Whether an order is DuckDB's ORDER BY ALL: by all outputs, from left to right. Its name is a
    reserved word there, and no column's."""
    return dialect == "duckdb" and len(items) == 1 and is_all(items[0].this)


def all_by_number(item: exp.Expr, many: int) -> list[exp.Expr]:
    """ORDER BY ALL as ORDER BY 1, 2, ... is, of so many outputs."""
    said = {name: item.args.get(name) for name in ("desc", "nulls_first")}
    return [exp.Ordered(this=exp.Literal.number(n + 1), **said) for n in range(many)]


def is_all(key: exp.Expr) -> bool:
    """Whether it is no value of a row, but the word ALL: all outputs, from left to right."""
    word = isinstance(key, exp.Column) and not key.table and not key.this.args.get("quoted")
    return isinstance(key, exp.Var) or (word and key.name.upper() == "ALL")


def sort_key(item: exp.Expr, value: Expr) -> SortKey:
    """The order by one value; ``item`` is the ORDER BY item that says it."""
    if item.args.get("with_fill"):
        raise Unsupported("ORDER BY WITH FILL")
    return SortKey(value, bool(item.args.get("desc")), item.args.get("nulls_first"))


def is_limited(node: exp.Expr) -> bool:
    """Whether the block has LIMIT, OFFSET, TOP or FETCH."""
    return bool(node.args.get("limit") or node.args.get("offset"))


def skips(node: exp.Expr) -> int | None:
    """How many rows the block's OFFSET leaves out, where a number says it."""
    offset = node.args.get("offset")
    number = offset.expression.unnest() if offset is not None else exp.Literal.number(0)
    return int(number.name) if isinstance(number, exp.Literal) and number.is_int else None


def bounds(node: exp.Expr) -> tuple[Expr | None, Expr | None, bool]:
    """LIMIT, OFFSET, and whether ties of the last row are rows too."""
    limit, offset = node.args.get("limit"), node.args.get("offset")
    count, ties = _count(limit)
    if offset is None:
        return count, None, ties
    only(offset, frozenset({"expression"}))
    return count, encode(offset.expression, no_columns), ties


def _count(limit: exp.Expr | None) -> tuple[Expr | None, bool]:
    match limit:
        case None:
            return None, False
        case exp.Limit():
            only(limit, frozenset({"expression", "limit_options"}))
            return encode(limit.expression, no_columns), _ties(limit)
        case exp.Fetch() if limit.args.get("count") is not None:
            only(limit, frozenset({"direction", "count", "limit_options"}))
            return encode(limit.args["count"], no_columns), _ties(limit)
        case _:
            raise Unsupported("LIMIT with options")


def _ties(limit: exp.Expr) -> bool:
    options = limit.args.get("limit_options")
    if options is None:
        return False
    only(options, frozenset({"rows", "with_ties"}))
    return bool(options.args.get("with_ties"))


def no_columns(node: exp.Expr) -> Expr | None:
    """For encode, where only constants may stand."""
    if isinstance(node, (exp.Column, exp.Query)):
        raise Unsupported("something where a constant is expected", node)
    return None


# --- set operations ---------------------------------------------------------------------------


def set_kind(node: exp.Expr) -> tuple[SetKind, bool]:
    """The operation, and whether its result is made distinct afterwards."""
    distinct = node.args.get("distinct") is not False
    match node:
        case exp.Union():
            return "union_all", distinct
        case exp.Intersect():
            return ("intersect" if distinct else "intersect_all"), False
        case exp.Except():
            return ("except" if distinct else "except_all"), False
        case _:
            raise Unsupported(node.key)
