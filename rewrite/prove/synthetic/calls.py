"""What the calls say that no signature tells: CASE, IN, casts, sums, structs, arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from unwet.rewrite.algebra import Call, Col, Expr, Lit
from unwet.rewrite.prove.synthetic.cells import Cell, unify
from unwet.rewrite.prove.synthetic.notes import How, Notes, Place
from unwet.rewrite.prove.synthetic.sums import Sum
from unwet.rewrite.prove.synthetic.values import (
    MANY,
    MORE,
    WHOLE_ROW,
    Frames,
    Value,
    array_of,
    is_null,
    of,
    slots,
    struct_field,
    type_of,
)


class Typing(Protocol):
    """What a call asks of the one who types expressions."""

    notes: Notes
    later: list[Sum]

    def value(self, expr: Expr, frames: Frames) -> Value: ...
    def function(self, expr: Call, values: Sequence[Value]) -> Value: ...
    def test(self, expr: Expr, frames: Frames) -> None: ...
    def read(self, value: Value) -> Value: ...
    def meet(self, one: Value, other: Value, alike: bool = True) -> None: ...
    def constants(
        self, side: Expr, value: Value, other: Expr, how: How, frames: Frames
    ) -> None: ...


def _member(self: Typing, expr: Call, frames: Frames) -> Value:
    """A field of a struct, or a column of a row that stands for all columns."""
    if "expression" in expr.shape:  # db.f(x)
        called = expr.args[-1]
        if isinstance(called, Call) and called.op == "anonymous":
            return self.function(expr, [self.value(arg, frames) for arg in called.args])
        return self.value(called, frames)
    name = expr.shape[-1].removeprefix("expression:id ").strip('"').lower()
    if not expr.args:
        return Value(Cell())
    inner = self.value(expr.args[0], frames)
    if inner.places and all(path[-1] == WHOLE_ROW for _, path in inner.places):
        owners = {relation for relation, _ in inner.places}
        if len(owners) == 1:
            owner = next(iter(owners))
            return self.read(Value(self.notes.cell(owner, name), ((owner, (name,)),)))
    places = tuple((relation, (*path, name)) for relation, path in inner.places)
    return Value(inner.cell.member(name), places)


def _case(self: Typing, expr: Call, frames: Frames) -> Value:
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
        if not is_null(last):
            unify(result, found.cell)
            places += found.places
    return Value(result, tuple(dict.fromkeys(places))[:MANY])


def _branch(self: Typing, arm: Call, subject: Value | None, case: Call, frames: Frames) -> Value:
    """WHEN test THEN value; `subject` is what all tests of a simple CASE are compared with."""
    test, *rest = arm.args
    if subject is None:
        self.test(test, frames)
    else:
        tested = self.value(test, frames)
        self.meet(subject, tested)
        self.constants(case.args[0], subject, test, "eq", frames)
    return self.value(rest[0], frames) if rest else Value(Cell())


def _connected(self: Typing, expr: Call, frames: Frames) -> Value:
    """AND, OR of any number of conditions."""
    for arg in expr.args:
        self.test(arg, frames)
    return Value(of("boolean"))


def _if(self: Typing, expr: Call, frames: Frames) -> Value:
    self.test(expr.args[0], frames)
    result, places = Cell(), list[Place]()
    for arg in expr.args[1:]:
        found = self.value(arg, frames)
        if not is_null(arg):
            unify(result, found.cell)
            places += found.places
    return Value(result, tuple(dict.fromkeys(places))[:MANY])


def _in(self: Typing, expr: Call, frames: Frames) -> Value:
    left = self.value(expr.args[0], frames)
    for slot, arg in list(zip(slots(expr), expr.args, strict=True))[1:]:
        found = self.value(arg, frames)
        if slot == "unnest" and not (isinstance(arg, Call) and arg.op == "unnest"):
            unify(left.cell, found.cell.item())
        elif not is_null(arg):
            self.meet(left, found)
            self.constants(expr.args[0], left, arg, "eq", frames)
    return Value(of("boolean"))


def _between(self: Typing, expr: Call, frames: Frames) -> Value:
    values = [self.value(arg, frames) for arg in expr.args]
    for bound, value in zip(expr.args[1:], values[1:], strict=True):
        self.meet(values[0], value, alike=False)
        self.constants(expr.args[0], values[0], bound, "order", frames)
    return Value(of("boolean"))


def _cast(self: Typing, expr: Call, frames: Frames) -> Value:
    value = self.value(expr.args[0], frames)
    kind = type_of(expr)
    result = Cell()
    if kind is not None:
        result.tell(kind)
        self.notes.constant(value.places, Lit("type", kind.kind), "cast")
    return Value(result)


def _is(self: Typing, expr: Call, frames: Frames) -> Value:
    value = self.value(expr.args[0], frames)
    match expr.args[1]:
        case Lit(kind="boolean"):
            value.cell.vote("boolean")
        case other:
            self.value(other, frames)
    return Value(of("boolean"))


def _sum(self: Typing, expr: Call, frames: Frames) -> Value:
    left, right = (self.value(arg, frames) for arg in expr.args[:2])
    result = Cell()
    self.later.append(Sum(expr.op == "sub", left.cell, right.cell, result))
    return Value(result)


def _arithmetic(self: Typing, expr: Call, frames: Frames) -> Value:
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


def _joined(self: Typing, expr: Call, frames: Frames) -> Value:
    """a || b: of arrays an array, else a text"""
    values = [self.value(arg, frames) for arg in expr.args]
    if not any(value.cell.root.element for value in values):
        return Value(of("text"))
    for other in values[1:]:
        unify(values[0].cell, other.cell)
    return Value(values[0].cell)


def _size(self: Typing, expr: Call, frames: Frames) -> Value:
    self.value(expr.args[0], frames).cell.item()
    return Value(of("integer"))


def _array(self: Typing, expr: Call, frames: Frames) -> Value:
    return array_of([self.value(arg, frames) for arg in expr.args])


def _element(self: Typing, expr: Call, frames: Frames) -> Value:
    return Value(self.value(expr.args[0], frames).cell.item())


def _bracket(self: Typing, expr: Call, frames: Frames) -> Value:
    value, *keys = (self.value(arg, frames) for arg in expr.args)
    match expr.args[1:]:
        case (Lit(kind="string", text=name),):
            return Value(value.cell.member(name))
        case _:
            for key in keys:
                key.cell.vote("integer", 1)
            return Value(value.cell.item())


def _struct(self: Typing, expr: Call, frames: Frames) -> Value:
    result = Cell()
    for place, arg in enumerate(expr.args):
        name, inner = struct_field(arg, place)
        value = self.value(inner, frames)
        if isinstance(arg, Col) and value.places:
            name = value.places[0][1][-1]  # a bare column names its field
        unify(result.member(name), value.cell)
    return Value(result)


def _tuple(self: Typing, expr: Call, frames: Frames) -> Value:
    result = Cell()
    result.places = [self.value(arg, frames).cell for arg in expr.args]
    return Value(result)


def _as_struct(self: Typing, expr: Call, frames: Frames) -> Value:
    result = Cell()
    for name, arg in zip(expr.shape, expr.args, strict=False):
        unify(result.member(name), self.value(arg, frames).cell)
    return Value(result)


def _rows(self: Typing, expr: Call, frames: Frames) -> Value:
    """A whole row, or the fields of a struct: no type of its own, but its parts are read."""
    values = [self.value(arg, frames) for arg in expr.args]
    if expr.op != "struct_fields":
        return Value(Cell(), values[0].places)
    for entry in expr.shape:
        how, _, name = entry.partition(":")
        if how in ("except", "replace"):
            values[0].cell.member(name)  # engines complain where it is not there
    values[0].cell.member(MORE)
    return Value(Cell())


def _of_one(self: Typing, expr: Call, frames: Frames) -> Value:
    """A column of one of several rows: nobody knows whose, so that it says nothing of any."""
    for arg in expr.args:
        self.value(arg, frames)
    return Value(Cell())


SPECIAL: Final[dict[str, Callable[[Typing, Call, Frames], Value]]] = {
    "dot": _member,
    "case": _case,
    "if": _if,
    "and": _connected,
    "or": _connected,
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
    "dpipe": _joined,
    "arraysize": _size,
    "bracket": _bracket,
    "unnest": _element,
    "struct": _struct,
    "tuple": _tuple,
    "as_struct": _as_struct,
    "whole_row": _rows,
    "row_value": _rows,
    "of_one": _of_one,
    "struct_fields": _rows,
}
