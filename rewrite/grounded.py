"""Plans over base columns: what a column is made of, which conditions its rows meet, and the
skeleton that is left without them.

A base column is ``Col(i)``, the same i for the same column of the same relation in all plans that
one ``Ground`` has seen; so the conditions of two plans can be compared although their columns
stand in other places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from typing import assert_never

from unwet.rewrite.algebra import (
    Aggregate,
    Call,
    Col,
    Distinct,
    Expr,
    Filter,
    Join,
    Opaque,
    Project,
    Rel,
    Scan,
    SetOp,
    Sort,
    Unnest,
    Values,
    Window,
    below,
    inputs,
)
from unwet.rewrite.folding import unknown
from unwet.rewrite.references import tree_order
from unwet.rewrite.rules.order import order_key
from unwet.rewrite.rules.refs import rebuild, substitute
from unwet.rewrite.rules.shapes import UNORDERED


class Ground:
    """Remembers the columns and conditions of every plan that it was asked for. ``shortened``:
    what stands for a column's term in the terms over it."""

    def __init__(self, shortened: Callable[[Expr], Expr] | None = None) -> None:
        self._places: dict[tuple[str, str], Col] = {}
        self._columns: dict[bytes, tuple[Expr, ...]] = {}
        self._conditions: dict[bytes, frozenset[Expr]] = {}
        self._shortened = shortened

    def columns(self, rel: Rel) -> tuple[Expr, ...]:
        """Each output column over base columns."""
        for node in unknown(rel, inputs, self._columns):
            made = self._made(node)
            short = self._shortened
            self._columns[node.digest] = made if short is None else tuple(map(short, made))
        return self._columns[rel.digest]

    def conditions(self, rel: Rel) -> frozenset[Expr]:
        """What the rows have to meet, anywhere in the plan: conjuncts of filters and joins."""
        for node in unknown(rel, below, self._conditions):
            known = (self._conditions[each.digest] for each in below(node))
            self._conditions[node.digest] = frozenset(self._asked(node)).union(*known)
        return self._conditions[rel.digest]

    def _asked(self, node: Rel) -> Iterator[Expr]:
        match node:
            case Filter(input=inner, conjuncts=conjuncts):
                seen = self.columns(inner)
            case Join(inputs=many, on=conjuncts):
                seen = tuple(c for each in many for c in self.columns(each))
            case _:
                return
        for each in conjuncts:
            yield in_order(substitute(each, seen))

    def over(self, exprs: Sequence[Expr], rel: Rel) -> tuple[Expr, ...]:
        """Expressions over the columns of a plan, over base columns."""
        self.columns(rel)
        return self._over(exprs, rel)

    def _place(self, table: str, column: str) -> Col:
        return self._places.setdefault((table, column), Col(len(self._places)))

    def _made(self, rel: Rel) -> tuple[Expr, ...]:
        match rel:
            case Scan(table=table, columns=names):
                return tuple(self._place(table, name) for name in names)
            case Filter(input=inner) | Sort(input=inner) | Distinct(input=inner):
                return self._of(inner)
            case Project(input=inner, exprs=exprs):
                return self._over(exprs, inner)
            case Aggregate(input=inner, keys=keys, aggs=aggs):
                return self._over((*keys, *aggs), inner)
            case Window(input=inner, functions=functions):
                return (*self._of(inner), *self._over(functions, inner))
            case Unnest(input=inner, array=array, ordinal=ordinal):
                (over,) = self._over((array,), inner)
                element = Call("element", (over,), ("of",))
                place = (Call("ordinal", (over,), ("of",)),) if ordinal else ()
                return (*self._of(inner), element, *place)
            case Join(kind="semi" | "anti", inputs=(left, *_)):
                return self._of(left)
            case Join(inputs=many):
                return tuple(c for each in many for c in self._of(each))
            case SetOp(inputs=many):
                return tuple(map(_united, zip(*map(self._of, many), strict=True)))
            case Values(width=width) | Opaque(width=width):
                name = rel.digest.hex()
                return tuple(Call("of", (), (name, str(at))) for at in range(width))
            case _:
                assert_never(rel)

    def _of(self, rel: Rel) -> tuple[Expr, ...]:
        return self._columns[rel.digest]

    def _over(self, exprs: Sequence[Expr], rel: Rel) -> tuple[Expr, ...]:
        seen = self._of(rel)
        return tuple(substitute(expr, seen) for expr in exprs)


def in_order(expr: Expr) -> Expr:
    """The same with all operands whose order says nothing in one order."""
    return rebuild(expr, _in_order)


def _in_order(expr: Expr) -> Expr:
    """Operands whose order says nothing, in the order of their content (normal forms sort them by
    where their columns stand), and those of copies with other constants in the same order."""
    if isinstance(expr, Call) and expr.op in UNORDERED:
        args = tuple(sorted(expr.args, key=order_key))
        return replace(expr, args=args) if args != expr.args else expr
    return expr


def _united(many: tuple[Expr, ...]) -> Expr:
    distinct = {term.digest: term for term in many}
    if len(distinct) == 1:
        return many[0]
    return Call("union", tuple(distinct[digest] for digest in sorted(distinct)))


def skeleton(rel: Rel) -> bytes:
    """A digest of the relations and how they are put together; plans of one skeleton may differ
    in filters, columns, functions and constants."""
    return skeletons(rel)[rel.digest]


def skeletons(rel: Rel) -> Mapping[bytes, bytes]:
    """That of a plan and of each relation below, by their digests."""
    done: dict[bytes, bytes] = {}
    for node in tree_order(rel):
        parts = [done[each.digest] for each in inputs(node)]
        match node:
            case Filter() | Project():
                done[node.digest] = parts[0]
                continue
            case Scan(table=table):
                words = ["scan", table]
            case Aggregate(keys=keys, aggs=aggs):
                words = ["group", str(len(keys))] if aggs else ["distinct"]
            case Join(kind=kind, on=on):
                words = ["join", kind, str(sum(map(_is_equation, on)))]
                parts = sorted(parts) if kind == "inner" else parts
            case SetOp(kind=kind):
                words, parts = ["set", kind, str(len(parts))], sorted({*parts})
            case Window(functions=functions):
                words = ["window", str(len(functions))]
            case _:
                words = [type(node).__name__]
        state = blake2b(" ".join(words).encode(), digest_size=16)
        for each in parts:
            state.update(each)
        done[node.digest] = state.digest()
    return done


def _is_equation(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.op == "eq"
