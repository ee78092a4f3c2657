"""What scalar expressions say about the types of the columns in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, assert_never

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
    Subquery,
    parts,
)
from unwet.rewrite.decoding import built_type
from unwet.rewrite.prove.synthetic.cells import Cell, Vote, unify
from unwet.rewrite.prove.synthetic.notes import How, Notes, Place
from unwet.rewrite.prove.synthetic.signatures import NOTHING, SIGNATURES
from unwet.rewrite.prove.synthetic.types import SqlType, of_node

WHOLE_ROW: Final = "*"  # the column that stands for all columns of a relation nobody describes
_MANY: Final = 6  # places of one value; a column of a union of more tables is none of them


class Value(NamedTuple):
    """The values of an expression: their type, and the base columns they are taken from as is."""

    cell: Cell
    places: tuple[Place, ...] = ()


Row = Sequence[Value]
Frames = tuple[Row, ...]  # the row an expression sees, then those of the queries around it
_EQUAL: Final = frozenset({"eq", "neq", "nullsafeeq", "nullsafeneq"})
_ORDER: Final = frozenset({"lt", "lte", "gt", "gte"})
_LIKE: Final[dict[str, How]] = {
    "like": "like", "ilike": "ilike", "regexplike": "regexp", "regexpilike": "regexp",
    "similarto": "regexp", "startswith": "prefix", "regexpextract": "regexp", "contains": "inside",
}  # fmt: skip
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}.*")


@dataclass
class Scalars:
    """Types expressions; `rows` gives the values of a subquery's rows, seen from rows around it."""

    notes: Notes
    rows: Callable[[Rel, Frames], Row]
    later: list[tuple[Cell, Cell, Cell]] = field(default_factory=list)  # sums: left, right, result
    params: dict[str, Cell] = field(default_factory=dict)

    def value(self, expr: Expr, frames: Frames) -> Value:
        """The value of an expression over the row `frames[0]`, inside those behind it."""
        match expr:
            case Col(index=at):
                return self.read(frames[0][at])
            case Outer(level=level, index=at):
                return self.read(frames[level][at]) if level < len(frames) else Value(Cell())
            case Lit():
                return Value(_of_literal(expr))
            case Param(name=name):
                return Value(self.params.setdefault(name, Cell()))
            case Subquery():
                return self._subquery(expr, frames)
            case Over(call=call, partition=partition, order=order):
                for each in (*partition, *(key.expr for key in order)):
                    self.value(each, frames)
                return self.value(call, frames)
            case Agg():
                return self._aggregate(expr, frames)
            case Call():
                return self._call(expr, frames)
            case _:
                assert_never(expr)

    def test(self, expr: Expr, frames: Frames) -> None:
        """A condition."""
        self.value(expr, frames).cell.vote("boolean")

    def settle(self) -> None:
        """What sums and differences say, once the types of their operands are known."""
        for _ in range(3):
            for left, right, result in self.later:
                _settle_sum(left, right, result)

    # --- leaves

    def read(self, value: Value) -> Value:
        self.notes.read(value.places)
        return value

    def _subquery(self, expr: Subquery, frames: Frames) -> Value:
        rows = self.rows(expr.rel, frames)
        if expr.kind == "scalar":
            return rows[0] if rows else Value(Cell())
        for arg, found in zip(expr.args, rows, strict=False):
            left = self.value(arg, frames)
            self.meet(left, self.read(found))
        return Value(_of("boolean"))

    def _aggregate(self, expr: Agg, frames: Frames) -> Value:
        if expr.where is not None:
            self.test(expr.where, frames)
        for key in expr.order:
            self.value(key.expr, frames)
        values = [self.value(arg, frames) for arg in expr.args]
        if expr.op == "arrayagg":
            return _array_of(values)
        return self._by_signature(expr, values, frames)

    # --- calls

    def _call(self, expr: Call, frames: Frames) -> Value:
        special = _SPECIAL.get(expr.op)
        if special is not None:
            return special(self, expr, frames)
        values = [self.value(arg, frames) for arg in expr.args]
        if expr.op in _EQUAL or expr.op in _ORDER:
            return self._compared(expr, values, frames)
        return self._by_signature(expr, values, frames)

    def _compared(self, expr: Call, values: list[Value], frames: Frames) -> Value:
        left, right = values[0], values[1]
        self.meet(left, right, alike=expr.op in _EQUAL)
        how: How = "eq" if expr.op in _EQUAL else "order"
        self.constants(expr.args[0], left, expr.args[1], how, frames)
        self.constants(expr.args[1], right, expr.args[0], how, frames)
        return Value(_of("boolean"))

    def meet(self, one: Value, other: Value, alike: bool = True) -> None:
        unify(one.cell, other.cell)
        if alike:
            self.notes.link((*one.places, *other.places))

    def constants(self, side: Expr, value: Value, other: Expr, how: How, frames: Frames) -> None:
        """A constant on the other side is one that this side's columns may hold."""
        found = constant(other)
        if found is not None and constant(side) is None:
            self.notes.constant(value.places or _places_in(side, frames), found, how)

    def _by_signature(self, expr: Call | Agg, values: list[Value], frames: Frames) -> Value:
        signature = SIGNATURES.get(expr.op, NOTHING)
        result, places = Cell(), tuple[Place, ...]()
        for slot, arg, value in zip(slots(expr), expr.args, values, strict=False):
            if (vote := signature.takes.get(slot)) is not None:
                value.cell.vote(vote)
            if slot in signature.same and not _is_null(arg):
                unify(result, value.cell)
                places = (*places, *value.places)
        if how := _LIKE.get(expr.op):
            self.constants(expr.args[0], values[0], expr.args[1], how, frames)
        if signature.gives is not None:
            (result.item() if signature.many else result).vote(signature.gives)
        return Value(result, tuple(dict.fromkeys(places))[:_MANY])


# --- calls that no signature tells


def _member(self: Scalars, expr: Call, frames: Frames) -> Value:
    """A field of a struct, or a column of a row that stands for all columns."""
    name = next((s for s in expr.shape if s.startswith("expression:id ")), "")
    name = name.removeprefix("expression:id ").strip('"').lower()
    inner = self.value(expr.args[0], frames)
    if inner.places and all(path[-1] == WHOLE_ROW for _, path in inner.places):
        owners = {relation for relation, _ in inner.places}
        if len(owners) == 1:
            owner = next(iter(owners))
            return self.read(Value(self.notes.cell(owner, name), ((owner, (name,)),)))
    places = tuple((relation, (*path, name)) for relation, path in inner.places)
    return Value(inner.cell.member(name), places)


def _case(self: Scalars, expr: Call, frames: Frames) -> Value:
    result, places = Cell(), list[Place]()
    subject: Value | None = None
    for slot, arg in zip(slots(expr), expr.args, strict=True):
        if slot == "this":
            subject = self.value(arg, frames)
            continue
        if slot == "ifs" and isinstance(arg, Call):
            found = _branch(self, arg, subject, expr, frames)
        else:
            found = self.value(arg, frames)
        last = arg.args[-1] if isinstance(arg, Call) and slot == "ifs" else arg
        if not _is_null(last):
            unify(result, found.cell)
            places += found.places
    return Value(result, tuple(dict.fromkeys(places))[:_MANY])


def _branch(self: Scalars, arm: Call, subject: Value | None, case: Call, frames: Frames) -> Value:
    """WHEN test THEN value; `subject` is what all tests of a simple CASE are compared with."""
    test, *rest = arm.args
    if subject is None:
        self.test(test, frames)
    else:
        tested = self.value(test, frames)
        self.meet(subject, tested)
        self.constants(case.args[0], subject, test, "eq", frames)
    return self.value(rest[0], frames) if rest else Value(Cell())


def _if(self: Scalars, expr: Call, frames: Frames) -> Value:
    self.test(expr.args[0], frames)
    result, places = Cell(), list[Place]()
    for arg in expr.args[1:]:
        found = self.value(arg, frames)
        if not _is_null(arg):
            unify(result, found.cell)
            places += found.places
    return Value(result, tuple(dict.fromkeys(places))[:_MANY])


def _in(self: Scalars, expr: Call, frames: Frames) -> Value:
    left = self.value(expr.args[0], frames)
    for slot, arg in list(zip(slots(expr), expr.args, strict=True))[1:]:
        found = self.value(arg, frames)
        if slot == "unnest" and not (isinstance(arg, Call) and arg.op == "unnest"):
            unify(left.cell, found.cell.item())
        elif not _is_null(arg):
            self.meet(left, found)
            self.constants(expr.args[0], left, arg, "eq", frames)
    return Value(_of("boolean"))


def _between(self: Scalars, expr: Call, frames: Frames) -> Value:
    values = [self.value(arg, frames) for arg in expr.args]
    for bound, value in zip(expr.args[1:], values[1:], strict=True):
        self.meet(values[0], value, alike=False)
        self.constants(expr.args[0], values[0], bound, "order", frames)
    return Value(_of("boolean"))


def _cast(self: Scalars, expr: Call, frames: Frames) -> Value:
    value = self.value(expr.args[0], frames)
    kind = type_of(expr)
    result = Cell()
    if kind is not None:
        result.tell(kind)
        self.notes.constant(value.places, Lit("type", kind.kind), "cast")
    return Value(result)


def _is(self: Scalars, expr: Call, frames: Frames) -> Value:
    value = self.value(expr.args[0], frames)
    match expr.args[1]:
        case Lit(kind="boolean"):
            value.cell.vote("boolean")
        case other:
            self.value(other, frames)
    return Value(_of("boolean"))


def _sum(self: Scalars, expr: Call, frames: Frames) -> Value:
    left, right = (self.value(arg, frames) for arg in expr.args[:2])
    result = Cell()
    self.later.append((left.cell, right.cell, result))
    return Value(result)


def _arithmetic(self: Scalars, expr: Call, frames: Frames) -> Value:
    result = Cell()
    for arg in expr.args:
        value = self.value(arg, frames)
        if value.cell.root.votes["interval"]:
            result.vote("interval")
        else:
            value.cell.vote("number", 1)
    if not result.votes:
        result.vote("double" if expr.op == "div" else "number")
    return Value(result)


def _array(self: Scalars, expr: Call, frames: Frames) -> Value:
    return _array_of([self.value(arg, frames) for arg in expr.args])


def _element(self: Scalars, expr: Call, frames: Frames) -> Value:
    return Value(self.value(expr.args[0], frames).cell.item())


def _bracket(self: Scalars, expr: Call, frames: Frames) -> Value:
    value, *keys = (self.value(arg, frames) for arg in expr.args)
    match expr.args[1:]:
        case (Lit(kind="string", text=name),):
            return Value(value.cell.member(name))
        case _:
            for key in keys:
                key.cell.vote("integer", 1)
            return Value(value.cell.item())


def _struct(self: Scalars, expr: Call, frames: Frames) -> Value:
    result = Cell()
    for place, arg in enumerate(expr.args):
        name, inner = _struct_field(arg, place)
        unify(result.member(name), self.value(inner, frames).cell)
    return Value(result)


def _as_struct(self: Scalars, expr: Call, frames: Frames) -> Value:
    result = Cell()
    for name, arg in zip(expr.shape, expr.args, strict=False):
        unify(result.member(name), self.value(arg, frames).cell)
    return Value(result)


def _rows(self: Scalars, expr: Call, frames: Frames) -> Value:
    """A whole row, or the fields of a struct: no type of its own, but its parts are read."""
    values = [self.value(arg, frames) for arg in expr.args]
    return Value(Cell(), values[0].places if expr.op != "struct_fields" else ())


_SPECIAL: Final[dict[str, Callable[[Scalars, Call, Frames], Value]]] = {
    "dot": _member,
    "case": _case,
    "if": _if,
    "in": _in,
    "between": _between,
    "cast": _cast,
    "trycast": _cast,
    "is": _is,
    "add": _sum,
    "sub": _sum,
    "mul": _arithmetic,
    "div": _arithmetic,
    "intdiv": _arithmetic,
    "mod": _arithmetic,
    "array": _array,
    "bracket": _bracket,
    "unnest": _element,
    "struct": _struct,
    "as_struct": _as_struct,
    "whole_row": _rows,
    "row_value": _rows,
    "struct_fields": _rows,
}


# --- small questions


def slots(expr: Call | Agg) -> Iterator[str]:
    """The slot of each argument, as the shape has it."""
    for entry in expr.shape:
        name, star, many = entry.partition("*")
        if star and many.isdigit():
            yield from (name for _ in range(int(many)))
        elif not any(sign in entry for sign in "=:@"):
            yield entry


def type_of(cast: Call) -> SqlType | None:
    """The type that a cast is to."""
    text = next((s.removeprefix("to:") for s in cast.shape if s.startswith("to:")), "")
    node = built_type(text) if text and not text.startswith("json ") else None
    return of_node(node) if node is not None else None


def constant(expr: Expr) -> Lit | None:
    """The literal that an expression is, a cast of one or its negation."""
    match expr:
        case Lit(kind="null"):
            return None
        case Lit():
            return expr
        case Call(op="cast" | "trycast", args=(Lit(kind="string", text=text),)):
            kind = type_of(expr)
            return Lit(kind.kind, text) if kind is not None else None
        case Call(op="date" | "timestamp" | "tsordstodate", args=(Lit(kind="string", text=text),)):
            return Lit("timestamp" if expr.op == "timestamp" else "date", text)
        case Call(op="neg", args=(Lit(kind="number", text=text),)):
            return Lit("number", text[1:] if text.startswith("-") else "-" + text)
        case _:
            return None


def _struct_field(arg: Expr, place: int) -> tuple[str, Expr]:
    match arg:
        case Call(op="propertyeq", args=(value,), shape=shape):
            name = next((s for s in shape if s.startswith("this:id ")), f"this:id _{place}")
            return name.removeprefix("this:id ").strip('"').lower(), value
        case Call(op="propertyeq", args=(_, value)):
            return f"_{place}", value
        case Call(op="alias", args=(value,), shape=shape):
            name = next((s for s in shape if s.startswith("alias:id ")), f"alias:id _{place}")
            return name.removeprefix("alias:id ").strip('"').lower(), value
        case _:
            return f"_{place}", arg


def _of(vote: Vote) -> Cell:
    cell = Cell()
    cell.vote(vote)
    return cell


def _of_literal(lit: Lit) -> Cell:
    cell = Cell()
    match lit.kind:
        case "number":
            cell.vote("integer" if lit.text.lstrip("-").isdigit() else "double", 1)
        case "boolean":
            cell.vote("boolean")
        case "string" if _DATE.fullmatch(lit.text):
            cell.vote("date", 1)
        case "string" if _MOMENT.fullmatch(lit.text):
            cell.vote("timestamp", 1)
        case "string":
            cell.vote("text")
        case "null":
            pass
        case other:
            node = built_type(other)
            kind = of_node(node) if node is not None else None
            if kind is not None:
                cell.tell(kind)
    return cell


def _places_in(expr: Expr, frames: Frames) -> tuple[Place, ...]:
    """The base columns that an expression reads itself, its subqueries left out."""
    found: list[Place] = []
    for part in parts(expr):
        match part:
            case Col(index=at):
                found += frames[0][at].places
            case Outer(level=level, index=at) if level < len(frames):
                found += frames[level][at].places
    return tuple(dict.fromkeys(found))[:_MANY]


def _array_of(values: Sequence[Value]) -> Value:
    result = Cell()
    for value in values:
        unify(result.item(), value.cell)
    return Value(result)


def _is_null(expr: Expr) -> bool:
    return isinstance(expr, Lit) and expr.kind == "null"


def _settle_sum(left: Cell, right: Cell, result: Cell) -> None:
    """date + interval is temporal, date - date a number, and of numbers a number."""
    kinds = [_temporal(cell) for cell in (left, right)]
    if all(kinds):
        result.vote("integer", 1)
    elif any(kinds):
        result.vote(kinds[0] or kinds[1] or "temporal", 1)
    elif left.root.votes["interval"] or right.root.votes["interval"]:
        other = right if left.root.votes["interval"] else left
        if not other.root.votes["interval"]:
            other.vote("temporal", 1)
            result.vote("temporal", 1)
    else:
        kind = _number(left, right)
        for cell in (left, right, result):
            cell.vote(kind, 1)


def _number(left: Cell, right: Cell) -> Vote:
    """What a sum is: of a fraction a fraction, of whole numbers whole."""
    votes = left.root.votes + right.root.votes
    if votes["double"] or votes["decimal"]:
        return "number"
    return "integer" if votes["integer"] else "number"


_MOMENTS: Final[tuple[Vote, ...]] = ("timestamp", "date", "temporal")


def _temporal(cell: Cell) -> Vote | None:
    votes = cell.root.votes
    numbers = votes["number"] + votes["integer"] + votes["double"] + votes["decimal"]
    return next((kind for kind in _MOMENTS if votes[kind] > numbers), None)
