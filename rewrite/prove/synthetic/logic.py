"""What a condition needs of its parts to be true, false or unknown, one part deciding at a time.

    Logic(deriver).asks(expr, "false") -> ways to make it so, the plainest first

Conditions are taken apart as far as three-valued logic goes: AND, OR, NOT, CASE, COALESCE, EXISTS
and IN over rows. What is left are atoms, whose truth only an engine can tell.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from unwet.rewrite.algebra import Call, Expr, Lit, Subquery, parts
from unwet.rewrite.prove.synthetic.rows import Deriver, Way
from unwet.rewrite.prove.synthetic.symbols import (
    Symbols,
    Truth,
    binary,
    branches,
    is_null,
    numbers,
)
from unwet.rewrite.rules.refs import rebuild, with_operands

Fact = tuple[Expr, Truth]
MOST: Final = 45  # ways of one condition
DEEP: Final = 40

COMPARISONS: Final = frozenset({"eq", "neq", "gt", "gte", "lt", "lte", "nullsafeeq", "nullsafeneq"})
TESTS: Final = COMPARISONS | {"like", "ilike", "in", "between", "is", "regexplike", "startswith"}
_OPPOSITE: Final[dict[Truth, Truth]] = {"true": "false", "false": "true", "null": "null"}


@dataclass(frozen=True, slots=True)
class Ask:
    """Atoms and the truth each should have; `soft` ones only where that is possible. `scans`: rows
    that have to be there."""

    hard: tuple[Fact, ...] = ()
    soft: tuple[Fact, ...] = ()
    scans: frozenset[int] = frozenset()

    def also(self, other: Ask) -> Ask:
        """Both."""
        if not other.hard and not other.soft and not other.scans:
            return self
        return Ask(self.hard + other.hard, self.soft + other.soft, self.scans | other.scans)

    def wished(self) -> Ask:
        """What is needed, if possible, and nothing that was only wished for."""
        return Ask((), self.hard, self.scans)

    def softened(self) -> Ask:
        """The same, if possible; a wish against what was needed is dropped."""
        needed = {test for test, _ in self.hard}
        rest = tuple(fact for fact in self.soft if fact[0] not in needed)
        return Ask((), self.hard + rest, self.scans)


_PLAIN: Final = ("this", "expression")


class Logic:
    """Takes conditions apart; `deriver` finds the rows of subqueries."""

    def __init__(self, deriver: Deriver) -> None:
        self._deriver = deriver
        self._depth = 0
        self._asked: dict[tuple[bytes, Truth], list[Ask]] = {}
        self._ways: dict[bytes, tuple[Way, ...]] = {}

    @property
    def symbols(self) -> Symbols:
        """The variables of its conditions."""
        return self._deriver.symbols

    def asks(self, expr: Expr, truth: Truth) -> list[Ask]:
        """Ways to give the condition that truth; none where there is no way."""
        known = self._asked.get((expr.digest, truth))
        if known is not None:
            return known
        if self._depth > DEEP:
            return []
        self._depth += 1
        try:
            found = list(islice(self._asks(expr, truth), MOST))
        finally:
            self._depth -= 1
        self._asked[expr.digest, truth] = found
        return found

    def first(self, expr: Expr, truth: Truth) -> Ask:
        """The plainest way, or nothing."""
        return next(iter(self.asks(expr, truth)), Ask())

    def of_way(self, way: Way) -> Ask:
        """The plainest way to have that row."""
        return together((self.first(want, "true") for want in way.wants), Ask(scans=way.scans))

    def _asks(self, expr: Expr, truth: Truth) -> Iterator[Ask]:
        match expr:
            case Call(op="paren", args=(inner,)):
                yield from self._asks(inner, truth)
            case Call(op="not", args=(inner,)):
                yield from self.asks(inner, _OPPOSITE[truth])
            case Call(op="and", args=args):
                yield from (
                    self._all(args, "true") if truth == "true" else self._one(args, truth, "true")
                )
            case Call(op="or", args=args):
                yield from (
                    self._all(args, "false")
                    if truth == "false"
                    else self._one(args, truth, "false")
                )
            case Call(op="is", args=(inner, Lit(kind="boolean", text=wanted)), shape=shape) if (
                shape == _PLAIN
            ):
                yield from self._is(inner, wanted == "true", truth)
            case Lit(kind="boolean", text=text):
                if text == truth:
                    yield Ask()
            case Lit(kind="null"):
                if truth == "null":
                    yield Ask()
            case Call(op="case" | "if"):
                for path, value in self.paths(expr):
                    for each in self.asks(value, truth):
                        yield path.also(each)
            case Call(op="coalesce", args=args) if len(args) > 1:
                for path, value in self.defaults(args):
                    for each in self.asks(value, truth):
                        yield path.also(each)
            case Subquery(kind="exists" | "in" | "any"):
                yield from self._of_rows(expr, truth)
            case Call() if (found := self._pushed(expr)) is not None:
                if _is_wide(expr):  # of more arms than are looked at
                    yield self.atom(expr, truth)
                for path, whole in found:
                    for each in self.asks(whole, truth):
                        yield path.also(each)
            case _:
                yield from self._atoms(expr, truth)

    def _is(self, inner: Expr, wanted: bool, truth: Truth) -> Iterator[Ask]:
        """inner IS TRUE, inner IS FALSE: never NULL themselves."""
        same: Truth = "true" if wanted else "false"
        if truth == "true":
            yield from self.asks(inner, same)
        elif truth == "false":
            yield from self.asks(inner, _OPPOSITE[same])
            yield from self.asks(inner, "null")

    def _all(self, args: Sequence[Expr], truth: Truth) -> Iterator[Ask]:
        """All parts have that truth; each part in each way, the others in their first."""
        found = [self.asks(arg, truth) for arg in args]
        if not all(found):
            return
        yield together([ways[0] for ways in found])
        for at, ways in enumerate(found):
            for other in ways[1:]:
                yield together([other if i == at else each[0] for i, each in enumerate(found)])

    def _one(self, args: Sequence[Expr], truth: Truth, others: Truth) -> Iterator[Ask]:
        """One part decides alone."""
        rest = [self.first(arg, others).wished() for arg in args]
        for at, arg in enumerate(args):
            for each in self.asks(arg, truth):
                yield together([each if i == at else other for i, other in enumerate(rest)])

    # --- values that are chosen

    def paths(self, expr: Call) -> Iterator[tuple[Ask, Expr]]:
        """The results of a CASE, each with what it takes to come there."""
        before = Ask()
        for test, value in branches(expr):
            if test is None:
                yield before, value
                return
            for each in self.asks(test, "true")[:MOST]:
                yield before.wished().also(each), value
            before = before.also(self.first(test, "false"))

    def defaults(self, args: Sequence[Expr]) -> Iterator[tuple[Ask, Expr]]:
        """The values of a COALESCE, each with what it takes to come there."""
        before = Ask()
        for at, value in enumerate(args):
            last = at == len(args) - 1
            yield (before if last else before.also(self._known(value))), value
            before = before.also(self._unknown(value))

    def _known(self, value: Expr) -> Ask:
        return self.atom(is_null(value), "false")

    def _unknown(self, value: Expr) -> Ask:
        return self.atom(is_null(value), "true")

    def _pushed(self, expr: Call) -> Iterator[tuple[Ask, Expr]] | None:
        """A test of a chosen value: the test of each value that may be chosen."""
        if expr.op not in TESTS:
            return None
        for at, operand in enumerate(expr.args):
            inner = _chosen_inside(operand)
            if inner is None:
                continue
            paths = self.paths(inner) if inner.op != "coalesce" else self.defaults(inner.args)
            return ((path, _with(expr, at, inner, value)) for path, value in paths)
        return None

    # --- rows

    def _of_rows(self, expr: Subquery, truth: Truth) -> Iterator[Ask]:
        ways = self.rows(expr)
        if truth == "true":
            for way, equal in ways:
                for each in self._of_way(way):
                    yield each.also(self._equal(equal))
        elif truth == "false":
            yield Ask()  # no such row
            for way, equal in ways[:4]:
                yield from self._just_missed(way, equal)

    def _just_missed(self, way: Way, equal: Sequence[Expr]) -> Iterator[Ask]:
        """A row that fails one condition only."""
        tests = (*way.wants, *equal)
        for at, test in enumerate(tests):
            whole = Ask(scans=way.scans)
            for i, other in enumerate(tests):
                whole = whole.also(self.first(other, "true").softened() if i != at else Ask())
            for each in self.asks(test, "false")[:3]:
                yield whole.also(each)

    def _equal(self, tests: Sequence[Expr]) -> Ask:
        return together([self.first(test, "true") for test in tests])

    def rows(self, expr: Subquery) -> list[tuple[Way, list[Expr]]]:
        """How the rows of a subquery come about, and what IN wants of each."""
        known = self._ways.get(expr.digest)
        if known is None:
            known = self._ways[expr.digest] = self._deriver.ways(expr.rel)[:8]
        op = expr.op or "eq"
        if expr.kind == "exists":
            return [(way, []) for way in known]
        return [
            (way, [binary(op, a, o) for a, o in zip(expr.args, way.outputs, strict=False)])
            for way in known
        ]

    def _of_way(self, way: Way) -> Iterator[Ask]:
        """The plainest way to have that row, then each condition in its other ways."""
        firsts = [self.first(want, "true") for want in way.wants]
        scans = Ask(scans=way.scans)
        yield together([scans, *firsts])
        for at, want in enumerate(way.wants):
            for other in self.asks(want, "true")[1:]:
                others = [other if i == at else each for i, each in enumerate(firsts)]
                yield together([scans, *others])

    def _atoms(self, expr: Expr, truth: Truth) -> Iterator[Ask]:
        """Of the row of a scalar subquery in it, its conditions in their other ways, and one that
        just fails to be the row."""
        yield self.atom(expr, truth)
        for part in parts(expr):
            if isinstance(part, Subquery) and part.kind == "scalar":
                plain = self.atom(expr, truth)
                for way in self._ways.get(part.digest, ())[:1]:
                    for each in islice(self._of_way(way), 1, MOST):
                        yield plain.wished().also(each)
                    for each in self._just_missed(way, ()):
                        yield plain.wished().also(each)

    def atom(self, expr: Expr, truth: Truth) -> Ask:
        """A scalar subquery in it is the value of the row that it finds."""
        if not any(isinstance(part, Subquery) for part in parts(expr)):
            return Ask(((expr, truth),))
        found = Ask()

        def value(part: Expr) -> Expr:
            nonlocal found
            if not isinstance(part, Subquery):
                return part
            known = self._ways.get(part.digest)
            if known is None:
                known = self._ways[part.digest] = self._deriver.ways(part.rel)[:8]
            if part.kind != "scalar" or not known or not known[0].outputs:
                return self._deriver.symbols.made("unknown")
            found = found.also(self.of_way(known[0]))
            return known[0].outputs[0]

        whole = rebuild(expr, value)
        return found.also(Ask(((whole, truth),)))


def together(asks: Iterable[Ask], whole: Ask = Ask()) -> Ask:
    """All of them, on top of ``whole``."""
    for each in asks:
        whole = whole.also(each)
    return whole


_AROUND: Final = frozenset({"cast", "trycast", "paren", "upper", "lower", "trim", "neg"})


def _chosen_inside(operand: Expr) -> Call | None:
    """The CASE, IF or COALESCE that an operand is, below casts."""
    while isinstance(operand, Call):
        if operand.op in ("case", "if") or (operand.op == "coalesce" and len(operand.args) > 1):
            return operand
        if operand.op not in _AROUND or not operand.args:
            return None
        operand = operand.args[0]
    return None


def _is_wide(expr: Call) -> bool:
    """Whether one value is looked up in a long list: an engine tells at once which values are."""
    chosen = (_chosen_inside(each) for each in expr.args)
    return len(numbers(expr)) == 1 and any(
        len(each.args) > MOST for each in chosen if each is not None
    )


def _with(expr: Call, at: int, inner: Call, value: Expr) -> Expr:
    """`expr` with `value` in place of `inner`, which is operand `at` or below its casts."""

    def swapped(operand: Expr) -> Expr:
        if operand is inner:
            return value
        assert isinstance(operand, Call)
        return with_operands(operand, (swapped(operand.args[0]), *operand.args[1:]))

    new = [swapped(each) if i == at else each for i, each in enumerate(expr.args)]
    return with_operands(expr, new)
