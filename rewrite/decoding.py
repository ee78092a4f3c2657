"""Algebra expressions as sqlglot nodes: the way back from ``scalars.encode``."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from typing import Any, assert_never

from sqlglot import exp, serde
from sqlglot.errors import SqlglotError

from unwet.lineage.names import is_token
from unwet.rewrite.algebra import (
    Agg,
    Call,
    Col,
    Expr,
    Lit,
    Outer,
    Over,
    Param,
    Rel,
    SortKey,
    Subquery,
    operands,
)

AGGREGATE_CLAUSES = {
    exp.IgnoreNulls: "@ignore_nulls",
    exp.RespectNulls: "@respect_nulls",
}


def decode(
    expr: Expr,
    column: Callable[[Col | Outer], exp.Expr],
    query: Callable[[Rel], exp.Expr],
) -> exp.Expr:
    """The sqlglot node of ``expr``, parenthesised where precedence needs it. ``column`` names
    columns, ``query`` writes the plan of a subquery (a Select or set operation, not wrapped).
    A Param becomes its placeholder token, an identifier ``p__name__p``, if it is none already."""
    todo: list[tuple[Expr, bool]] = [(expr, False)]
    done: list[exp.Expr] = []
    while todo:
        item, ready = todo.pop()
        below = operands(item)
        if ready:
            taken = done[len(done) - len(below) :] if below else []
            del done[len(done) - len(taken) :]
            done.append(_decoded(item, taken, column, query))
        else:
            todo.append((item, True))
            todo.extend((child, False) for child in reversed(below))
    return done[0]


def built_type(text: str) -> exp.Expr | None:
    """The data type that a text in sqlglot's neutral dialect says, or one as JSON."""
    if text.startswith(_AS_JSON):
        node: object = serde.load(json.loads(text[len(_AS_JSON) :]))
        return node if isinstance(node, exp.Expr) else None
    try:
        return exp.DataType.build(text)
    except (SqlglotError, ValueError, TypeError):  # the last one where a text is read as a CAST
        return None  # no text of the neutral dialect: the caller writes JSON instead


_AS_JSON = "json "


# --- one node ---

_CLASSES: dict[str, type[exp.Expr]] = {
    thing.key: thing
    for thing in vars(exp).values()
    if isinstance(thing, type) and issubclass(thing, exp.Expr)
}


def _decoded(
    expr: Expr,
    below: list[exp.Expr],
    column: Callable[[Col | Outer], exp.Expr],
    query: Callable[[Rel], exp.Expr],
) -> exp.Expr:
    match expr:
        case Col() | Outer():
            return column(expr)
        case Lit():
            return _literal(expr)
        case Param(name=name):
            return exp.column(name if is_token(name) else f"p__{name}__p")
        case Call(op="and" | "or" as op):
            return _chain(_CLASSES[op], below)
        case Call():
            return _node(expr.op, expr.shape, below)
        case Agg():
            return _aggregate_node(expr, below)
        case Over():
            return _window_node(expr, below)
        case Subquery():
            return _subquery_node(expr, below, query(expr.rel))
        case _:
            assert_never(expr)


def _literal(lit: Lit) -> exp.Expr:
    match lit.kind:
        case "number" if lit.text.startswith("-"):
            return exp.Neg(this=exp.Literal.number(lit.text[1:]))
        case "number":
            return exp.Literal.number(lit.text)
        case "string":
            return exp.Literal.string(lit.text)
        case "boolean":
            return exp.Boolean(this=lit.text == "true")
        case "null":
            return exp.Null()
        case kind:
            return exp.cast(exp.Literal.string(lit.text), kind)


def _chain(kind: type[exp.Expr], items: list[exp.Expr]) -> exp.Expr:
    """a AND b AND c, left-deep as the parser would build it; TRUE or FALSE when empty."""
    if not items:
        return exp.Boolean(this=kind is exp.And)
    wrapped = [_wrap(kind.key, "this", item) for item in items]
    out = wrapped[0]
    for item in wrapped[1:]:
        out = kind(this=out, expression=item)
    return out


# their shape holds names of columns
_ROWS = frozenset({"whole_row", "struct_fields", "as_struct", "row_value", "of_one"})
_ENTRY = re.compile(r"(?s)(?P<slot>[^=:*@]+)(?P<how>[=:*]?)(?P<text>.*)")


def _node(op: str, shape: tuple[str, ...], below: list[exp.Expr]) -> exp.Expr:
    if op == "datatype":
        return _type_node(shape[0].partition(":")[2])
    if op not in _CLASSES:
        return _spelled(op, shape, below)
    return _CLASSES[op](**_arguments(op, shape, below))


def _spelled(op: str, shape: tuple[str, ...], below: list[exp.Expr]) -> exp.Expr:
    """What no parser has a node for (whole rows, structs of a query, elements), for readers: a
    call that holds everything the value depends on."""
    said = (exp.Literal.string(each) for each in shape if op in _ROWS)
    return exp.Anonymous(this=op, expressions=[*below, *said])


def _arguments(op: str, shape: tuple[str, ...], below: list[exp.Expr]) -> dict[str, Any]:
    rest, args = iter(below), dict[str, Any]()
    for entry in shape:
        if entry.startswith("@"):
            continue
        match = _ENTRY.fullmatch(entry)
        if match is None:
            raise ValueError(f"not a shape entry: {entry!r}")
        slot, how, text = match.group("slot", "how", "text")
        if how == "*":
            args[slot] = [_wrap(op, slot, next(rest)) for _ in range(int(text))]
        elif how == "=":
            args[slot] = ast.literal_eval(text)
        elif how == ":":
            args[slot] = _word(text)
        else:
            args[slot] = _wrap(op, slot, next(rest))
    return args


def _word(text: str) -> exp.Expr:
    if text == "*":
        return exp.Star()
    if text.startswith("var "):
        return exp.Var(this=text[4:])
    if text.startswith("id "):
        name = text[3:]
        quoted = len(name) > 1 and name[0] == name[-1] == '"'
        return exp.Identifier(this=name[1:-1] if quoted else name, quoted=quoted)
    return _type_node(text)


def _type_node(text: str) -> exp.Expr:
    node = built_type(text)
    if node is None:
        raise ValueError(f"not a data type: {text!r}")
    return node


def _aggregate_node(agg: Agg, below: list[exp.Expr]) -> exp.Expr:
    rest = below[len(agg.args) :]
    where = rest.pop(0) if agg.where is not None else None
    order = [_ordered(k, e) for k, e in zip(agg.order, rest, strict=True)]
    args = _arguments(agg.op, agg.shape, below[: len(agg.args)])
    if agg.distinct:
        first = args["this"]
        args["this"] = exp.Distinct(expressions=first if isinstance(first, list) else [first])
    if order and "@within" not in agg.shape:
        args["this"] = exp.Order(this=args["this"], expressions=order)
    node = _CLASSES[agg.op](**args)
    for mark in agg.shape:
        if mark in AGGREGATE_CLAUSES.values():
            node = next(k for k, m in AGGREGATE_CLAUSES.items() if m == mark)(this=node)
    if "@within" in agg.shape:
        node = exp.WithinGroup(this=node, expression=exp.Order(expressions=order))
    return exp.Filter(this=node, expression=exp.Where(this=where)) if where is not None else node


def _ordered(key: SortKey, node: exp.Expr) -> exp.Expr:
    return exp.Ordered(this=node, desc=key.descending, nulls_first=key.nulls_first)


def _window_node(over: Over, below: list[exp.Expr]) -> exp.Expr:
    split = 1 + len(over.partition)
    order = [_ordered(k, e) for k, e in zip(over.order, below[split:], strict=True)]
    return exp.Window(
        this=below[0],
        partition_by=below[1:split],
        order=exp.Order(expressions=order) if order else None,
        spec=_spec(over.frame) if over.frame else None,
        over="OVER",
    )


_FRAME = re.compile(r"(\w+) between (.+?) and (.+?)(?: exclude (.+))?")


def _spec(frame: str) -> exp.Expr:
    match = _FRAME.fullmatch(frame)
    if match is None:
        raise ValueError(f"not a frame: {frame!r}")
    kind, start, end, exclude = match.groups()
    first, first_side = _bound_node(start)
    last, last_side = _bound_node(end)
    return exp.WindowSpec(
        kind=kind.upper(),
        start=first,
        start_side=first_side,
        end=last,
        end_side=last_side,
        exclude=exp.var(exclude.upper()) if exclude else None,
    )


def _bound_node(text: str) -> tuple[exp.Expr | str, str | None]:
    if text == "current row":
        return "CURRENT ROW", None
    amount, _, side = text.rpartition(" ")
    if amount == "unbounded":
        return "UNBOUNDED", side.upper()
    if amount.startswith("interval "):
        _, count, unit = amount.split(" ")
        size = exp.Literal.string(count.strip("'"))
        return exp.Interval(this=size, unit=exp.var(unit.upper())), side.upper()
    return exp.Literal.number(amount), side.upper()


def _subquery_node(sub: Subquery, below: list[exp.Expr], rel: exp.Expr) -> exp.Expr:
    row = below[0] if len(below) == 1 else exp.Tuple(expressions=below)
    match sub.kind:
        case "exists":
            return exp.Exists(this=rel)
        case "scalar":
            return exp.Subquery(this=rel)
        case "array":
            return exp.Anonymous(this="ARRAY", expressions=[rel])  # rel may be a word for a text
        case "in":
            return exp.In(this=_wrap("in", "this", row), query=exp.Subquery(this=rel))
        case "any" | "all":
            inner = (exp.Any if sub.kind == "any" else exp.All)(this=exp.Subquery(this=rel))
            return _CLASSES[sub.op](this=_wrap(sub.op, "this", row), expression=inner)
        case _:
            assert_never(sub.kind)


# --- decode: parentheses --------------------------------------------------------------------

# How tightly the operators bind whose order all dialects agree on. What is not listed here is
# parenthesised wherever it stands inside another operator.
_TIGHTNESS = {
    "or": 1, "and": 2, "not": 3,
    "eq": 4, "neq": 4, "lt": 4, "lte": 4, "gt": 4, "gte": 4, "is": 4, "in": 4, "like": 4,
    "between": 4, "add": 6, "sub": 6, "mul": 7, "div": 7, "neg": 8,
}  # fmt: skip
_ASSOCIATIVE_LEFT = {"add", "sub", "mul", "div", "dpipe", "and", "or"}
_OPERATORS = (exp.Binary, exp.Unary, exp.Between, exp.In, exp.AtTimeZone, exp.Interval)
_TIGHT_BINARY = (exp.Dot, exp.PropertyEQ, exp.Kwarg, exp.Slice)
_POSTFIX = {"bracket", "dot", "attimezone", "interval", "collate", "cast", "trycast"}


def _wrap(parent: str, slot: str, child: exp.Expr) -> exp.Expr:
    return exp.Paren(this=child) if needs_parentheses(parent, slot, child) else child


def needs_parentheses(parent: str, slot: str, child: exp.Expr) -> bool:
    """Whether an operator would tear apart what stands in one of its slots; ``parent`` is its
    key."""
    if not isinstance(child, _OPERATORS) or isinstance(child, (exp.Paren, *_TIGHT_BINARY)):
        return False
    if isinstance(child, exp.Interval):
        return parent in _POSTFIX
    if parent == "escape" and slot == "this":
        return False
    if parent == child.key and parent in _ASSOCIATIVE_LEFT:
        return slot != "this"
    outer = _TIGHTNESS.get(parent)
    if outer is None:
        return parent in _POSTFIX - {"cast", "trycast"} or _is_operator(parent)
    inner = _TIGHTNESS.get(child.key)
    if inner is None or inner == outer == 4:
        return True
    return inner < outer or (inner == outer and slot != "this")


def _is_operator(key: str) -> bool:
    kind = _CLASSES.get(key)
    if kind is None or issubclass(kind, _TIGHT_BINARY):
        return False
    return issubclass(kind, _OPERATORS)
