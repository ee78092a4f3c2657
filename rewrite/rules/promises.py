"""What is declared of base tables, and what follows from it for the columns of a plan.

Each question is answered by the promises that the answer rests on, in words, or by None where it is
not known. No promise at all: the plan itself says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Lit,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    Values,
    Window,
    inputs,
    width,
)
from unwet.rewrite.rules.nulls import rejected_by
from unwet.rewrite.rules.shapes import BINARY, integer, is_constant

Grounds = frozenset[str]
NOTHING: Grounds = frozenset()
_DEEPEST = 100  # what lies deeper is not looked at


class Rested(NamedTuple):
    """What a rule makes of a relation, and what that rests on."""

    grounds: Grounds
    rel: Rel


@dataclass(frozen=True, slots=True)
class Foreign:
    """Values of ``columns`` are those of the columns ``to`` of one row of ``table``, unless one of
    them is NULL."""

    columns: tuple[str, ...]
    table: str
    to: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Promise:
    """Of one table. ``keys``: no two rows are equal in all columns of one, where none is NULL;
    ``kinds``: columns of types for which x = x unless x is NULL; values of one kind are compared as
    they are, none is converted; ``types``: of columns, as they are declared."""

    not_null: frozenset[str] = frozenset()
    keys: tuple[frozenset[str], ...] = ()
    foreign: tuple[Foreign, ...] = ()
    kinds: Mapping[str, str] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)


class Origin(NamedTuple):
    """The column of a base table that a value is taken from as it is, if it is not NULL; ``path``
    tells apart where the table is read: the numbers of the inputs on the way there."""

    table: str
    column: str
    path: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Promises:
    """By table, as scans call it. ``dialects``: those of both plans that are compared."""

    tables: Mapping[str, Promise] = field(default_factory=dict)
    dialects: frozenset[str] = frozenset()

    def of(self, table: str) -> Promise:
        return self.tables.get(table, _NONE)

    def type_of(self, table: str, column: str) -> str:
        """As it is declared; empty where nobody says."""
        return self.of(table).types.get(column, "")

    def never_null(self, rel: Rel, at: int, depth: int = 0) -> Grounds | None:
        """Is column ``at`` of the relation never NULL?"""
        if depth > _DEEPEST:
            return None
        match rel:
            case Scan(table=table, columns=columns):
                name = columns[at]
                return frozenset({f"{table}.{name} is not NULL"}) if (
                    name in self.of(table).not_null
                ) else None  # fmt: skip
            case Filter(input=inner, conjuncts=conjuncts):
                if rejected_by(conjuncts, Col(at)):
                    return NOTHING
                return self.never_null(inner, at, depth + 1)
            case Project(input=inner, exprs=exprs):
                return self.value_never_null(exprs[at], inner, depth + 1)
            case Aggregate(input=inner, keys=keys, aggs=aggs):
                if at < len(keys):
                    return self.value_never_null(keys[at], inner, depth + 1)
                return NOTHING if _counts(aggs[at - len(keys)]) else None
            case Join():
                return self._never_null_in_join(rel, at, depth + 1)
            case Sort(input=inner) | Distinct(input=inner):
                return self.never_null(inner, at, depth + 1)
            case Window(input=inner) if at < width(inner):
                return self.never_null(inner, at, depth + 1)
            case Window(input=inner, functions=functions):
                return NOTHING if functions[at - width(inner)].call.op in _NUMBERING else None
            case SetOp(kind=kind, inputs=many):
                some = many if kind == "union_all" else many[:1]
                return _all([self.never_null(each, at, depth + 1) for each in some])
            case Values(rows=rows):
                return NOTHING if all(is_constant(row[at]) for row in rows) else None
            case _:
                return None

    def value_never_null(self, expr: Expr, rel: Rel, depth: int = 0) -> Grounds | None:
        """Is an expression over the columns of the relation never NULL?"""
        match expr:
            case Col(index=index):
                return self.never_null(rel, index, depth)
            case Call(op="is"):
                return NOTHING
            case Call(op="coalesce", args=args, shape=shape) if "is_null=True" not in shape:
                each = (self.value_never_null(arg, rel, depth) for arg in args)
                return next((found for found in each if found is not None), None)
            case Call(op=op, args=args, shape=shape) if op in _SUMS and shape in ((), BINARY):
                is_sure = bool(self.dialects) and self.dialects <= RAISING
                if not is_sure or not all(map(_is_number, args)):
                    return None
                return _all([self.value_never_null(arg, rel, depth) for arg in args])
            case _:
                return NOTHING if is_constant(expr) else None

    def _never_null_in_join(self, rel: Join, at: int, depth: int) -> Grounds | None:
        if rel.kind in ("inner", "semi") and rejected_by(rel.on, Col(at)):
            return NOTHING
        start = 0
        for number, item in enumerate(rel.inputs):
            if at < start + width(item):
                has_rows = rel.kind != "full" and (rel.kind != "left" or number == 0)
                return self.never_null(item, at - start, depth) if has_rows else None
            start += width(item)
        return None

    def kind(self, rel: Rel, expr: Expr) -> str:
        """The kind of the values of an expression over a relation; empty where it is not known."""
        match expr:
            case Lit(kind="string"):
                return "text"
            case Lit():
                return "integer" if integer(expr) is not None else ""
            case Col(index=index):
                found = origin(rel, index)
                return self.of(found.table).kinds.get(found.column, "") if found else ""
            case _:
                return ""

    def at_most_one(self, rel: Rel, columns: frozenset[int], depth: int = 0) -> Grounds | None:
        """Is there at most one row that is equal, by =, to given values in these columns? Values of
        the same kind, that is: '1' and '01' are both equal to the number 1 where texts are
        converted."""
        if depth > _DEEPEST:
            return None
        match rel:
            case Scan(table=table, columns=names):
                given = {names[i] for i in columns}
                for key in self.of(table).keys:
                    if key <= given:
                        said = ", ".join(sorted(key))
                        return frozenset({f"{said} is a key of {table}"})
                return None
            case Filter(input=inner) | Sort(input=inner):
                return self.at_most_one(inner, columns, depth + 1)
            case Project(input=inner, exprs=exprs):
                below = frozenset(e.index for i in columns if isinstance(e := exprs[i], Col))
                return self.at_most_one(inner, below, depth + 1)
            case Aggregate(keys=keys):
                return NOTHING if frozenset(range(len(keys))) <= columns else None
            case Distinct(input=inner):
                return NOTHING if frozenset(range(width(inner))) <= columns else None
            case Window(input=inner):
                below = frozenset(i for i in columns if i < width(inner))
                return self.at_most_one(inner, below, depth + 1)
            case Join(kind="semi" | "anti", inputs=(left, _)):
                return self.at_most_one(left, columns, depth + 1)
            case Values(rows=rows):
                return NOTHING if len(rows) <= 1 else None
            case _:
                return None


_NONE = Promise()
_NUMBERING: Final = frozenset({"rownumber", "rank", "denserank", "count"})
_SUMS: Final = frozenset({"add", "sub", "mul"})
RAISING: Final = frozenset(
    {"duckdb", "postgres", "redshift", "bigquery", "snowflake", "trino", "presto"}
)
"""Where a sum that is too large is an error. It is NULL in Spark without ANSI mode (its guide,
"ANSI Compliance") and T-SQL with ARITHABORT off; SQLite has NULL where infinities are apart."""


def _is_number(expr: Expr) -> bool:
    """By its shape: as a path of Postgres may be NULL if one is added to it."""
    match expr:
        case Lit(kind=kind):
            return kind == "number"
        case Call(op="coalesce", args=args) | Call(op="add" | "sub" | "mul", args=args):
            return any(map(_is_number, args))
        case _:
            return False


def _counts(agg: Agg) -> bool:
    return agg.op == "count"


def _all(found: Sequence[Grounds | None]) -> Grounds | None:
    known = [each for each in found if each is not None]
    return NOTHING.union(*known) if len(known) == len(found) else None


def origin(rel: Rel, at: int) -> Origin | None:
    """Where a column comes from, if it is handed on as it is."""
    path: list[int] = []
    for _ in range(_DEEPEST):
        match rel:
            case Scan(table=table, columns=columns):
                return Origin(table, columns[at], tuple(path))
            case Filter(input=inner) | Sort(input=inner) | Distinct(input=inner):
                rel = inner
            case Project(input=inner, exprs=exprs):
                expr = exprs[at]
                if not isinstance(expr, Col):
                    return None
                rel, at = inner, expr.index
            case Aggregate(input=inner, keys=keys):
                key = keys[at] if at < len(keys) else None
                if not isinstance(key, Col):
                    return None
                rel, at = inner, key.index
            case Window(input=inner) if at < width(inner):
                rel = inner
            case Join(inputs=many):
                number = 0
                while at >= width(many[number]):
                    at -= width(many[number])
                    number += 1
                rel = many[number]
                path.append(number)
            case _:
                return None
    return None


def input_of(rel: Rel) -> Rel | None:
    """What the expressions of a relation see, as one relation."""
    match rel:
        case Join(inputs=many):
            return Join("inner", many)  # each pair of rows, before any is filled with NULLs
        case _:
            below = inputs(rel)
            return below[0] if below else None
