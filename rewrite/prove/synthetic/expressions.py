"""What scalar expressions say about the types of the columns in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, assert_never

from unwet.rewrite.algebra import Agg, Call, Col, Expr, Lit, Outer, Over, Param, Rel, Subquery
from unwet.rewrite.prove.synthetic.calls import SPECIAL
from unwet.rewrite.prove.synthetic.cells import Cell, unify
from unwet.rewrite.prove.synthetic.notes import How, Notes, Place
from unwet.rewrite.prove.synthetic.signatures import NOTHING, SIGNATURES
from unwet.rewrite.prove.synthetic.sums import Sum, settle_sum
from unwet.rewrite.prove.synthetic.types import SqlType
from unwet.rewrite.prove.synthetic.values import (
    MANY,
    Frames,
    Row,
    Value,
    array_of,
    constant,
    function_name,
    is_null,
    of,
    of_literal,
    places_in,
    slots,
)

_NAME: Final = re.compile(r"\w+:id ")
_NAMING: Final = frozenset({"dot", "propertyeq", "alias", "kwarg"})
_EQUAL: Final = frozenset({"eq", "neq", "nullsafeeq", "nullsafeneq"})
_ORDER: Final = frozenset({"lt", "lte", "gt", "gte"})
_LIKE: Final[dict[str, How]] = {
    "like": "like", "ilike": "ilike", "regexplike": "regexp", "regexpilike": "regexp",
    "similarto": "regexp", "startswith": "prefix", "regexpextract": "regexp", "contains": "inside",
}  # fmt: skip


@dataclass
class Scalars:
    """Types expressions; `rows` gives the values of a subquery's rows, seen from rows around it."""

    notes: Notes
    rows: Callable[[Rel, Frames], Row]
    later: list[Sum] = field(default_factory=list)
    params: dict[str, Cell] = field(default_factory=dict)
    functions: dict[str, Cell] = field(default_factory=dict)  # results of those nobody knows
    arguments: dict[str, list[SqlType | None]] = field(default_factory=dict)  # as declared

    def value(self, expr: Expr, frames: Frames) -> Value:
        """The value of an expression over the row `frames[0]`, inside those behind it."""
        match expr:
            case Col(index=at):
                return self.read(frames[0][at])
            case Outer(level=level, index=at):
                return self.read(frames[level][at]) if level < len(frames) else Value(Cell())
            case Lit():
                return Value(of_literal(expr))
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
            for each in self.later:
                settle_sum(each)

    # --- leaves

    def read(self, value: Value) -> Value:
        self.notes.read(value.places)
        return value

    def _subquery(self, expr: Subquery, frames: Frames) -> Value:
        rows = self.rows(expr.rel, frames)
        if expr.kind == "scalar":
            return rows[0] if rows else Value(Cell())
        if expr.kind == "array":
            return array_of([self.read(each) for each in rows])
        for arg, found in zip(expr.args, rows, strict=False):
            left = self.value(arg, frames)
            self.meet(left, self.read(found))
        return Value(of("boolean"))

    def _aggregate(self, expr: Agg, frames: Frames) -> Value:
        if expr.where is not None:
            self.test(expr.where, frames)
        for key in expr.order:
            self.value(key.expr, frames)
        values = [self.value(arg, frames) for arg in expr.args]
        if expr.op == "arrayagg":
            return array_of(values)
        return self._by_signature(expr, values, frames)

    # --- calls

    def _call(self, expr: Call, frames: Frames) -> Value:
        if expr.op not in _NAMING and any(map(_NAME.match, expr.shape)):
            # inside a lambda, whose parameters are names and no operands: x -> x + 1
            for arg in expr.args:
                self.value(arg, frames)
            return Value(Cell())
        special = SPECIAL.get(expr.op)
        if special is not None:
            return special(self, expr, frames)
        values = [self.value(arg, frames) for arg in expr.args]
        if expr.op in ("anonymous", "anonymousaggfunc"):
            return self.function(expr, values)
        if expr.op in _EQUAL or expr.op in _ORDER:
            return self._compared(expr, values, frames)
        return self._by_signature(expr, values, frames)

    def function(self, expr: Call, values: Sequence[Value]) -> Value:
        """A function of which only the name is known: all its results are of one type."""
        name = function_name(expr)
        for value, kind in zip(values, self.arguments.get(name, ()), strict=False):
            if kind is not None:
                value.cell.tell(kind)
        return Value(self.functions.setdefault(name, Cell()))

    def _compared(self, expr: Call, values: list[Value], frames: Frames) -> Value:
        left, right = values[0], values[1]
        self.meet(left, right, alike=expr.op in _EQUAL)
        how: How = "eq" if expr.op in _EQUAL else "order"
        self.constants(expr.args[0], left, expr.args[1], how, frames)
        self.constants(expr.args[1], right, expr.args[0], how, frames)
        return Value(of("boolean"))

    def meet(self, one: Value, other: Value, alike: bool = True) -> None:
        unify(one.cell, other.cell)
        if alike:
            self.notes.link((*one.places, *other.places))

    def constants(self, side: Expr, value: Value, other: Expr, how: How, frames: Frames) -> None:
        """A constant on the other side is one that this side's columns may hold."""
        found = constant(other)
        if found is not None and constant(side) is None:
            self.notes.constant(value.places or places_in(side, frames), found, how)

    def _by_signature(self, expr: Call | Agg, values: list[Value], frames: Frames) -> Value:
        signature = SIGNATURES.get(expr.op, NOTHING)
        result, places = Cell(), tuple[Place, ...]()
        for slot, arg, value in zip(slots(expr), expr.args, values, strict=False):
            if (vote := signature.takes.get(slot)) is not None:
                value.cell.vote(vote)
            if slot in signature.same and not is_null(arg):
                unify(result, value.cell)
                places = (*places, *value.places)
        if how := _LIKE.get(expr.op):
            self.constants(expr.args[0], values[0], expr.args[1], how, frames)
        if signature.gives is not None:
            (result.item() if signature.many else result).vote(signature.gives)
        return Value(result, tuple(dict.fromkeys(places))[:MANY])
