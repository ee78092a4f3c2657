"""Scalar expressions both ways: sqlglot nodes to algebra values and back.

The mapping is generic: a node's key becomes the op, its child expressions become the operands, and
everything else that the node says is written into the shape, one entry per filled slot. So a
function nobody thought of keeps its whole meaning, and two nodes that differ in any setting never
become one value. An entry of a shape is one of

=====================  =====================================================================
``this``               the next operand fills the slot
``expressions*3``      the next three operands fill it, as a list
``safe=True``          a plain value (its repr)
``to:varchar(10)``     a data type
``unit:var DAY``       a bare word; units are upper-cased, as no dialect tells them apart
``this:id a``          an identifier, ``this:id "a"`` a quoted one
``this:*``             the star of COUNT(*)
``@ignore_nulls``      a clause around an aggregate; also ``@respect_nulls``, ``@within``
=====================  =====================================================================

An argument that is False, None or empty counts as absent, which is sqlglot's own notion of
equality. Both directions run on explicit stacks: a chain of a thousand ORs is no deeper than one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

from sqlglot import exp, serde
from sqlglot.errors import SqlglotError

from unwet.rewrite.algebra import (
    Agg,
    Call,
    Expr,
    Lit,
    Over,
    SortKey,
)
from unwet.rewrite.decoding import AGGREGATE_CLAUSES, built_type, decode
from unwet.rewrite.lists_of_spark import SPARK, with_mark
from unwet.rewrite.null_order import with_nulls_said

__all__ = ["Leaf", "Unsupported", "cast_to", "decode", "encode", "null"]

_SHOWN = 80  # characters of a part that is told of

Leaf = Callable[[exp.Expr], Expr | None]


class Unsupported(Exception):
    """The algebra has no expression for this: ``reason`` says what it met, ``node`` which part."""

    def __init__(self, reason: str, node: exp.Expr | None = None) -> None:
        super().__init__(reason)
        self.reason, self.node = reason, node

    def in_words(self, dialect: str) -> str:
        """What was met, with the part of the query as its dialect writes it."""
        if self.node is None:
            return self.reason
        text = " ".join(_written(self.node, dialect).split())
        return f"{self.reason}: {text if len(text) <= _SHOWN else text[: _SHOWN - 3] + '...'}"


def _written(node: exp.Expr, dialect: str) -> str:
    try:
        return node.sql(dialect=dialect or None, comments=False)
    except (SqlglotError, AttributeError, LookupError, TypeError, ValueError):
        return node.sql(comments=False)  # some printers need more than a part of a query


def encode(node: exp.Expr, leaf: Leaf, dialect: str = "") -> Expr:
    """The algebra expression of ``node``. ``leaf`` is asked first about every node and answers for
    columns, subqueries and parameters (None: not mine). Raises Unsupported. In most dialects a
    field of a struct has the name of the column in it: in all but those where it surely has none.
    """
    todo: list[exp.Expr | _Build] = [node]
    done: list[Expr] = []
    while todo:
        item = todo.pop()
        if isinstance(item, _Build):
            taken = done[len(done) - item.arity :] if item.arity else []
            del done[len(done) - len(taken) :]
            done.append(item.make(taken))
        elif (known := leaf(item)) is not None:
            done.append(known)
        else:
            step = _with_names(item, _as_written(item, dialect), dialect)
            todo.append(_Build(len(step.children), step.make))
            todo.extend(reversed(step.children))
    return done[0]


def cast_to(value: Expr, kind: str) -> Expr:
    """A value cast to a column type, encoded as the cast that a model writes for it."""
    return _cast(kind).make([value])


@lru_cache(maxsize=1024)
def _cast(kind: str) -> _Step:
    return _encoding(exp.cast(exp.column("value"), column_type(kind)))


def column_type(kind: str) -> exp.DataType:
    """A declared type by its name; some of a dialect, such as MONEY of T-SQL, have none that
    standard SQL knows, and stay what they are called."""
    return exp.DataType.build(kind, udt=True)


def is_decimal(expr: Expr | None) -> bool:
    """Is it a constant like 2.0, and not zero?"""
    match expr:
        case Lit(kind="number", text=text):
            return "." in text and text.strip("0.") != ""
        case _:
            return False


def _plain_constant(node: exp.Expr) -> Lit | None:
    return Lit("number", node.this) if isinstance(node, exp.Literal) and node.is_number else None


def null() -> Lit:
    """The encoded NULL."""
    return Lit("null", "")


# --- encode ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Build:
    arity: int
    make: Callable[[list[Expr]], Expr]


@dataclass(frozen=True, slots=True)
class _Step:
    """What one node needs: the nodes below it, and how their values make its own."""

    children: Sequence[exp.Expr]
    make: Callable[[list[Expr]], Expr]


@dataclass(slots=True)
class _Slots:
    """The slots of one node while they are read."""

    children: list[exp.Expr] = field(default_factory=list)
    shape: list[str] = field(default_factory=list)


# Rows, not scalars: one of these inside an expression multiplies or replaces rows.
_ROW_MAKERS = (exp.Query, exp.Table, exp.UDTF, exp.GenerateSeries, exp.ExplodingGenerateSeries)


def _encoding(node: exp.Expr) -> _Step:
    match node:
        case exp.Paren():
            return _Step([node.this], _only)
        case exp.Literal():
            return _constant("string" if node.args.get("is_string") else "number", node.this)
        case exp.RawString():
            return _constant("string", node.this)  # only its spelling is another
        case exp.Boolean():
            return _constant("boolean", "true" if node.this else "false")
        case exp.Null():
            return _constant("null", "")
        case exp.And() | exp.Or():
            return _connector(node)
        case exp.Window():
            return _window(node)
        case exp.AggFunc() | exp.Filter() | exp.WithinGroup():
            return _aggregate(node)
        case exp.IgnoreNulls() | exp.RespectNulls() if _is_aggregate(node.this):
            return _aggregate(node)
        case exp.Anonymous() if _is_aggregate(node):
            return _aggregate(node)
        case exp.Column():
            raise Unsupported("a column that is not resolved", node)
        case exp.Unnest() if isinstance(node.parent, exp.In):
            return _call(node)  # x IN UNNEST(array) is a test, not rows
        case exp.GenerateSeries() if isinstance(node.parent, exp.Unnest):
            return _call(node)  # the array that is unnested
        case _ if isinstance(node, _ROW_MAKERS):
            raise Unsupported("rows inside an expression", node)
        case exp.Star() | exp.Columns():
            raise Unsupported("a star inside an expression")
        case _ if isinstance(node, _BITWISE) and _is_mixed(node):
            raise Unsupported("signs for bits that not all dialects read in one order", node)
        case exp.DPipe(this=exp.Add() | exp.Sub()) | exp.DPipe(expression=exp.Add() | exp.Sub()):
            raise Unsupported("|| beside a sum, which not all dialects read in one order", node)
        case exp.DataType():
            text = type_text(node)
            return _Step((), lambda _: Call("datatype", (), (f"this:{text}",)))
        case exp.In() if node.args.get("query") or node.args.get("field"):
            raise Unsupported("IN over rows")
        case _:
            return _call(node)


# T-SQL reads `a & b + c` from left to right, BigQuery and Spark `a | b & c` from the & on; sqlglot
# reads neither so (their manuals, "Operator precedence"). || is as tight as + in Oracle and Spark,
# as * in BigQuery and tighter than both in SQLite.
_BITWISE = (
    exp.BitwiseAnd, exp.BitwiseOr, exp.BitwiseXor, exp.BitwiseLeftShift, exp.BitwiseRightShift,
)  # fmt: skip


def _is_mixed(node: exp.Expr) -> bool:
    """Whether a sign for bits stands beside another, or before a sum, without parentheses."""
    left, right = node.this, node.args.get("expression")
    others = tuple(kind for kind in _BITWISE if not isinstance(node, kind))
    tight = isinstance(node, exp.BitwiseOr) and isinstance(left, exp.BitwiseAnd)
    is_left = isinstance(left, others) and not tight
    return is_left or isinstance(right, (*_BITWISE, exp.Add, exp.Sub))


def _only(values: list[Expr]) -> Expr:
    return values[0]


def _constant(kind: str, text: str) -> _Step:
    return _Step((), lambda _: Lit(kind, text))


def _connector(node: exp.And | exp.Or) -> _Step:
    kind, flat = type(node), list[exp.Expr]()
    stack: list[exp.Expr] = [node]
    while stack:
        inner = stack.pop().unnest()
        if isinstance(inner, kind):
            stack.extend((inner.right, inner.left))
        else:
            flat.append(inner)
    return _Step(flat, lambda values: Call(node.key, tuple(values)))


def _call(node: exp.Expr) -> _Step:
    slots = _Slots()
    for name, value in _filled(node):
        _fill(slots, name, value, node)
    op, shape = node.key, tuple(slots.shape)
    return _Step(slots.children, lambda values: Call(op, tuple(values), shape))


# DATE_TRUNC(unit, x) is one function there, of days and of moments; the parser has another node for
# CAST(x AS DATE) in it, which a column that is one does not get
ONE_TRUNCATION: Final = frozenset({"duckdb", "snowflake", "presto", "trino", "athena"})


def _as_written(node: exp.Expr, dialect: str) -> _Step:
    """The step of a node; of what is written alike the same one, whatever is within."""
    match node:
        case exp.DateTrunc(args={"unit": exp.Literal(is_string=True) as unit}) if (
            dialect in ONE_TRUNCATION
        ):
            others = {name: v for name, v in node.args.items() if name not in ("this", "unit")}
            empty = exp.TimestampTrunc(this=exp.null(), unit=exp.var(unit.name), **others)
            return replace(_call(empty), children=[node.this])
        case exp.In() if dialect in SPARK:
            step = _encoding(node)
            return replace(step, make=lambda values: with_mark(step.make(values)))
        case _:
            return _encoding(node)


# ROW(a) of Trino: "Unnamed row fields" (its manual, "Data types"); elsewhere the value has names
_NAMELESS_ROWS = frozenset({"presto", "trino", "athena"})
# SQL/XML names elements and attributes after columns (Postgres manual, "XML Functions")
_NAMED_AFTER_COLUMNS = frozenset({"xmlforest", "xmlattributes", "xmlcolattval", "alias"})


def _with_names(node: exp.Expr, step: _Step, dialect: str) -> _Step:
    """The same step, where values take the names of their columns (STRUCT(a), XMLFOREST(a)): with
    these names, as the columns of a plan have none."""
    match node:
        case exp.Struct() if dialect not in _NAMELESS_ROWS:
            named = ("propertyeq", "this:id {}", "expression")
        case exp.Anonymous(this=str() as name) if name.lower() in _NAMED_AFTER_COLUMNS:
            named = ("alias", "this", "alias:id {}")
        case _:
            return step
    op, *slots = named
    shapes = [
        name and tuple(slot.format(name) for slot in slots)
        for name in map(_name_of_field, node.expressions)
    ]

    def make(values: list[Expr]) -> Expr:
        return step.make(
            [Call(op, (v,), s) if s else v for v, s in zip(values, shapes, strict=True)]
        )

    return _Step(step.children, make)


def _name_of_field(node: exp.Expr) -> str:
    """The name that a bare column, or a field of one, gives to what holds it, as it is written."""
    match node:
        case exp.Column() | exp.Dot():
            quoted = isinstance(last := node.parts[-1], exp.Identifier) and last.args.get("quoted")
            return f'"{node.name}"' if quoted else node.name
        case exp.Paren() if isinstance(node.unnest(), exp.Column | exp.Dot):
            raise Unsupported("a field that may have a name, or none", node)
        case _:
            return ""


def _filled(node: exp.Expr) -> list[tuple[str, Any]]:
    """The slots that say something, declared ones first and in their declared order."""
    if isinstance(node, exp.Div) and is_decimal(_plain_constant(node.expression)):
        # no integers that a dialect may truncate, no zero: written as it stands in all of them
        return [("this", node.this), ("expression", node.expression), ("typed", True)]
    args, declared = node.args, node.arg_types
    names = [name for name in declared if name in args]
    if len(names) < len(args):
        names += [name for name in args if name not in declared]
    return [(name, args[name]) for name in names if _says_something(node, name, args[name])]


def _says_something(node: exp.Expr, name: str, value: Any) -> bool:
    if isinstance(value, exp.Expr):
        return True
    if name == "nulls_first" and isinstance(node, exp.Ordered):
        return value is not None  # the one place where False is not the default
    return not (value is None or value is False or value == [] or value == ())


def _fill(slots: _Slots, name: str, value: Any, node: exp.Expr) -> None:
    match value:
        case exp.DataType():
            slots.shape.append(f"{name}:{type_text(value)}")
        case exp.Var() if _plain(value):
            is_unit = name == "unit" or isinstance(node, exp.Extract)
            word = value.name.upper() if is_unit else value.name
            if isinstance(node, exp.Interval):
                word = _IN_SINGULAR.get(word, word)  # INTERVAL '7 days' is INTERVAL '7' DAY
            slots.shape.append(f"{name}:var {word}")
        case exp.Identifier() if _plain(value):
            text = f'"{value.name}"' if value.args.get("quoted") else value.name
            slots.shape.append(f"{name}:id {text}")
        case exp.Expr():
            slots.shape.append(name)
            slots.children.append(value)
        case list() | tuple() if all(isinstance(v, exp.Expr) for v in value):
            slots.shape.append(f"{name}*{len(value)}")
            slots.children.extend(value)
        case str() if isinstance(node, exp.Anonymous) and name == "this":
            slots.shape.append(f"{name}={value.lower()!r}")
        case str() | bool() | int() | float() | bytes():
            slots.shape.append(f"{name}={value!r}")
        case list() | tuple() if all(isinstance(v, str | int | None) for v in value):
            slots.shape.append(f"{name}={list(value)!r}")
        case _:
            raise Unsupported("a setting that is not understood", node)


_IN_SINGULAR: Final = {
    f"{unit}S": unit
    for unit in ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND",
                 "MILLISECOND", "MICROSECOND")
}  # fmt: skip


def _plain(word: exp.Var | exp.Identifier) -> bool:
    said = {n for n, v in word.args.items() if v}
    return isinstance(word.this, str) and said <= {"this", "quoted"}


def type_text(kind: exp.DataType) -> str:
    """A type as the shape of a call has it."""
    if not any(value for name, value in kind.args.items() if name != "this"):
        return _plain_text_of_type(kind.this)
    return _cached_type_text(kind.copy() if kind.parent else kind)


@lru_cache(maxsize=4096)
def _plain_text_of_type(kind: Any) -> str:
    return _cached_type_text(exp.DataType(this=kind))


@lru_cache(maxsize=4096)
def _cached_type_text(kind: exp.DataType) -> str:
    """The shortest text from which the type can be built again."""
    plain = kind.this.value.lower() if isinstance(kind.this, exp.DType) else ""
    for text in (kind.sql().lower(), kind.sql(), plain):
        if text and built_type(text) == kind:
            return text
    return "json " + json.dumps(serde.dump(kind), sort_keys=True)


# --- encode: aggregates and windows -----------------------------------------------------------


def _is_aggregate(node: Any) -> bool:
    """A known aggregate, one with a clause only aggregates have, or a function of unknown name
    whose argument is DISTINCT or ordered."""
    match node:
        case exp.AggFunc() | exp.Filter() | exp.WithinGroup():
            return True
        case exp.IgnoreNulls() | exp.RespectNulls():
            return _is_aggregate(node.this)
        case exp.Anonymous():
            return any(isinstance(a, exp.Distinct | exp.Order) for a in node.expressions)
        case _:
            return False


@dataclass(slots=True)
class _Clauses:
    """What stands around an aggregate function."""

    core: exp.Expr
    marks: list[str] = field(default_factory=list)
    where: exp.Expr | None = None
    order: list[exp.Expr] = field(default_factory=list)
    distinct: bool = False


def _peel(node: exp.Expr) -> _Clauses:
    found = _Clauses(node)
    while True:
        match found.core:
            case exp.Filter(this=inner, expression=exp.Where(this=where)) if not found.where:
                found.where = where
            case exp.WithinGroup(this=inner, expression=exp.Order() as order) if not found.order:
                found.order = list(order.expressions)
                found.marks.append("@within")
            case exp.IgnoreNulls(this=inner) | exp.RespectNulls(this=inner):
                found.marks.append(AGGREGATE_CLAUSES[type(found.core)])
            case _:
                return found
        found.core = inner


def _aggregate(node: exp.Expr) -> _Step:
    found = _peel(node)
    if not isinstance(found.core, exp.AggFunc | exp.Anonymous):
        raise Unsupported("a clause of aggregates around something else", node)
    slots = _Slots()
    for name, value in _filled(found.core):
        if isinstance(found.core, exp.Count) and name == "big_int":
            continue  # the width of the counter, not the count
        if name == "this" and isinstance(value, exp.Expr):
            _fill_aggregated(slots, value, found)
        else:
            _fill(slots, name, value, found.core)
    slots.shape.extend(sorted(found.marks))
    return _aggregate_step(found, slots)


def _fill_aggregated(slots: _Slots, value: exp.Expr, found: _Clauses) -> None:
    """The first argument, out of its ORDER BY, DISTINCT and star wrappers."""
    if isinstance(value, exp.Order) and not found.order and not value.args.get("siblings"):
        found.order = list(value.expressions)
        value = value.this
    if isinstance(value, exp.Distinct) and not value.args.get("on"):
        found.distinct = True
        many = value.expressions
        slots.shape.append("this" if len(many) == 1 else f"this*{len(many)}")
        slots.children.extend(many)
    elif isinstance(value, exp.Star) and isinstance(found.core, exp.Count):
        if any(value.args.values()):
            raise Unsupported("COUNT of a star with exceptions")
        slots.shape.append("this:*")
    else:
        _fill(slots, "this", value, found.core)


def _aggregate_step(found: _Clauses, slots: _Slots) -> _Step:
    where = [found.where] if found.where is not None else []
    keys = [_sort_item(o) for o in found.order]
    size, op, shape = len(slots.children), found.core.key, tuple(slots.shape)

    def make(values: list[Expr]) -> Expr:
        args, rest = tuple(values[:size]), values[size:]
        test = rest.pop(0) if where else None
        order = tuple(_keyed(o, e) for o, e in zip(found.order, rest, strict=True))
        return Agg(op, args, shape, found.distinct, test, with_nulls_said(order))

    return _Step([*slots.children, *where, *keys], make)


def _sort_item(node: exp.Expr) -> exp.Expr:
    if isinstance(node, exp.Ordered):
        if node.args.get("with_fill"):
            raise Unsupported("ORDER BY ... WITH FILL")
        return node.this  # type: ignore[no-any-return]
    return node


def _keyed(node: exp.Expr, value: Expr) -> SortKey:
    nulls = node.args.get("nulls_first")
    first = None if nulls is None else bool(nulls)
    return SortKey(value, bool(node.args.get("desc")), first)


def _window(node: exp.Window) -> _Step:
    if node.args.get("first"):
        raise Unsupported("a window with FIRST")
    if (node.args.get("over") or "OVER") != "OVER":
        raise Unsupported("a window with KEEP")
    call = _encoding(node.this)
    named = _named_window(node)
    partition = list((named or node).args.get("partition_by") or ())
    order_node = node.args.get("order") or (named and named.args.get("order"))
    order = list(order_node.expressions) if order_node else []
    spec = node.args.get("spec") or (named and named.args.get("spec"))
    frame = _frame(spec, bool(order), node.this) if spec else ""
    size, split = len(call.children), len(call.children) + len(partition)

    def make(values: list[Expr]) -> Expr:
        function = call.make(values[:size])
        if not isinstance(function, Agg | Call):
            raise Unsupported("a window of what is no function", node)
        keys = tuple(_keyed(o, e) for o, e in zip(order, values[split:], strict=True))
        return Over(function, tuple(values[size:split]), with_nulls_said(keys), frame)

    return _Step([*call.children, *partition, *(_sort_item(o) for o in order)], make)


def _named_window(node: exp.Window) -> exp.Window | None:
    """What WINDOW w AS (...) says, for OVER w and OVER (w ...)."""
    name = node.args.get("alias")
    if name is None:
        return None
    block = node.find_ancestor(exp.Select)
    known = block.args.get("windows") or () if block is not None else ()
    found = [each for each in known if each.name.lower() == name.name.lower()]
    if len(found) != 1 or found[0].args.get("alias") or node.args.get("partition_by"):
        raise Unsupported(f"the window {name.name}")
    return found[0]  # type: ignore[no-any-return]


_WHOLE = ("unbounded preceding", "unbounded following")
_DEFAULT = "range between unbounded preceding and current row"


def _frame(spec: exp.WindowSpec, ordered: bool, call: exp.Expr) -> str:
    """The frame in words, or empty where it is what every dialect does without one."""
    start = _bound(spec, "start")
    end = _bound(spec, "end") if spec.args.get("end") else "current row"
    exclude = spec.args.get("exclude")
    kind = (spec.text("kind") or "rows").lower()
    text = f"{kind} between {start} and {end}"
    if exclude:
        word = exclude.name if isinstance(exclude, exp.Var) else str(exclude)
        return f"{text} exclude {word.lower()}"
    if not ordered and (start, end) == _WHOLE:
        return ""
    # Snowflake's first_value, last_value and nth_value see the whole partition by default
    positional = call.find(exp.FirstValue, exp.LastValue, exp.NthValue) is not None
    return "" if ordered and text == _DEFAULT and not positional else text


def _bound(spec: exp.WindowSpec, which: str) -> str:
    value, side = spec.args.get(which), spec.args.get(f"{which}_side")
    match value:
        case str():
            text = value.lower()
        case exp.Literal() if not value.is_string:
            text = value.this
        case exp.Interval(this=exp.Literal() as amount, unit=exp.Var() as unit):
            text = f"interval '{amount.this}' {unit.name.lower()}"
        case _:
            raise Unsupported("a computed window frame", spec)
    return f"{text} {side.lower()}" if side else text
