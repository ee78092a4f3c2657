"""Every branch inside expressions: WHENs and ELSE, defaults, NULLIF, tests that are values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from unwet.rewrite.algebra import Agg, Call, Col, Expr, Over, Subquery, operands
from unwet.rewrite.prove.synthetic.logic import DEEP, TESTS, Ask, Logic
from unwet.rewrite.prove.synthetic.symbols import Truth, binary, branches, is_null, negated

_OTHER: Final[tuple[Truth, ...]] = ("false", "null")
_EQUAL: Final[tuple[Truth, ...]] = ("true", "false")
_ALL: Final[tuple[Truth, ...]] = ("true", "false", "null")


def conditions(logic: Logic, exprs: Sequence[Expr]) -> Iterator[tuple[str, Ask]]:
    """Every branch inside the expressions, with what it takes to come there: WHENs and ELSE,
    defaults, equal and unequal operands of NULLIF, tests that are values."""
    seen: set[bytes] = set()
    for expr in exprs:
        yield from _inside(logic, expr, Ask(), seen, 0)


def _inside(
    logic: Logic, expr: Expr, path: Ask, seen: set[bytes], depth: int
) -> Iterator[tuple[str, Ask]]:
    if depth > DEEP or expr.digest in seen or isinstance(expr, Col | Agg | Over):
        return
    seen.add(expr.digest)
    match expr:
        case Call(op="case" | "if"):
            first: dict[bytes, Ask] = {}
            for each, value in logic.paths(expr):
                yield "branch", path.also(each)
                first.setdefault(value.digest, each)
            for test, _ in branches(expr):
                if test is not None:
                    for truth in _OTHER:
                        for each in logic.asks(test, truth)[:6]:
                            yield f"branch {truth}", path.also(each)
                    yield from _operands(logic, test, path, seen, depth)
            for _, value in branches(expr):
                inner = path.also(first.get(value.digest, Ask()))
                yield from _inside(logic, value, inner, seen, depth + 1)
            return
        case Call(op="coalesce", args=args):
            for each, _ in logic.defaults(args):
                yield "default", path.also(each)
        case Call(op="nullif", args=(left, right)):
            for truth in _EQUAL:
                for each in logic.asks(binary("eq", left, right), truth)[:4]:
                    yield "nullif", path.also(each)
        case Call(op=op) if op in TESTS or op in ("and", "or", "not"):
            for truth in _ALL:
                for each in logic.asks(expr, truth)[:12]:
                    yield f"test {truth}", path.also(each)
        case Subquery(kind="scalar"):
            yield "subquery", path.also(logic.atom(negated(is_null(expr)), "true"))
    yield from _operands(logic, expr, path, seen, depth)


def _operands(
    logic: Logic, expr: Expr, path: Ask, seen: set[bytes], depth: int
) -> Iterator[tuple[str, Ask]]:
    for each in operands(expr):
        yield from _inside(logic, each, path, seen, depth + 1)
