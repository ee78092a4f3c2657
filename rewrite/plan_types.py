"""What the columns of a plan are, as far as declarations and functions tell: the walk over plans.

What "what" is, a subclass says: the kind of values (`prove.kinds`), the type of numbers
(`number_types`). None is always: nobody knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Expr,
    Join,
    Lit,
    Opaque,
    Project,
    Rel,
    Scan,
    SetOp,
    Unnest,
    Values,
    Window,
    inputs,
    walk,
)

Declared = Callable[[str, str], str]
"""The declared type of a column of a table; empty where nobody says."""

T = TypeVar("T")
_IN_JSON = re.compile(r'json \[.*"v": "(\w+)".*\]')


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


class PlanTypes(Generic[T]):
    """Of the columns of plans."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self._known: dict[bytes, list[T | None]] = {}
        self._over: Sequence[T | None] = ()
        self._told: dict[bytes, T | None] = {}

    def of(self, expr: Expr, seen: Sequence[T | None]) -> T | None:
        """Of an expression over columns of which these are known."""
        raise NotImplementedError

    def once(
        self,
        expr: Expr,
        seen: Sequence[T | None],
        of: Callable[[Expr, Sequence[T | None]], T | None],
    ) -> T | None:
        """What `of` says, asked once for each part of the expressions over some columns: it asks
        some parts of its own twice, and those in them four times."""
        if self._over is not seen:
            self._over, self._told = seen, {}
        if expr.digest not in self._told:
            told = of(expr, seen)
            if self._over is not seen:  # a query in it had columns of its own
                return told
            self._told[expr.digest] = told
        return self._told[expr.digest]

    def of_type(self, name: str) -> T | None:
        """Of a type's name; None for none."""
        raise NotImplementedError

    def position(self) -> T | None:
        """Of a position in an array."""
        raise NotImplementedError

    def seen(self, node: Rel) -> list[T | None]:
        """Of what the expressions of a node see."""
        return [kind for each in inputs(node) for kind in self.outputs(each)]

    def outputs(self, rel: Rel) -> list[T | None]:
        """Of what a node gives."""
        if rel.digest not in self._known:
            for each in walk(rel):  # inputs first: no recursion in deep plans
                if each.digest not in self._known:
                    self._known[each.digest] = self._made(each)
        return self._known[rel.digest]

    def _made(self, rel: Rel) -> list[T | None]:
        below = [kind for each in inputs(rel) for kind in self._known[each.digest]]
        match rel:
            case Scan(table=table, columns=columns):
                return [self.of_type(self._declared(table, name)) for name in columns]
            case Project(exprs=exprs):
                return [self.of(each, below) for each in exprs]
            case Aggregate(keys=keys, aggs=aggs):
                return [self.of(each, below) for each in (*keys, *aggs)]
            case Window(functions=functions):
                return below + [self.of(each, below) for each in functions]
            case Unnest(ordinal=ordinal):
                element: list[T | None] = [None, self.position()] if ordinal else [None]
                return below + element
            case Join(kind="semi" | "anti", inputs=many):
                return self._known[many[0].digest]
            case SetOp(inputs=many):
                sides = zip(*(self._known[each.digest] for each in many), strict=True)
                return [self.of_branches(side) for side in sides]
            case Values(width=n) | Opaque(width=n):
                return [None] * n
            case _:
                return below

    def of_branches(self, branches: Sequence[T | None]) -> T | None:
        """Of a column of a set operation, by those of its inputs."""
        return branches[0] if len({*branches}) == 1 else None


def cast_type(expr: Call | Agg) -> str:
    """The name of the type that a value is cast to."""
    return type_name(next((s.removeprefix("to:") for s in expr.shape if s.startswith("to:")), ""))


def type_name(said: str) -> str:
    """A type as a reader knows it, of what `scalars` has for it: DATETIME2 is JSON there."""
    hit = _IN_JSON.fullmatch(said)
    return hit[1].lower() if hit is not None else said


def values_of(op: str, args: Sequence[Expr]) -> Iterator[Expr]:
    """Of the operands of COALESCE, CASE and the like those that may be what comes out."""
    if op == "if":
        args = args[1:]  # the condition
    for each in args:
        if op == "case" and isinstance(each, Call) and each.op == "if":
            yield from values_of("if", each.args)
        elif not (isinstance(each, Lit) and each.kind == "null"):
            yield each
