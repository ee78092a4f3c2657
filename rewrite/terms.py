"""Scalar expressions over base columns in one loose spelling, for comparing copies.

Starts from the normal form of `normal.py` and goes further than a proof may: a date is a date
however it is written, ``COALESCE(x, 0)`` is ``CASE WHEN x IS NULL ...``, a FILTER clause is a
CASE inside the aggregate. Terms are compared and counted, never written into a project.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Final, TypeVar

from unwet.rewrite.algebra import Agg, Call, Col, Expr, Lit, Over, SortKey, operands, parts
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.rules.refs import rebuild
from unwet.rewrite.rules.shapes import UNORDERED
from unwet.rewrite.truth import accepted

MANY: Final = 4000  # nodes; a term that is larger than this is not looked into
_DATE_TYPES: Final = frozenset({"to:date", "to:timestamp", "to:timestamptz", "to:datetime"})
_TEXT_TYPES: Final = ("to:varchar", "to:text", "to:char", "to:nvarchar", "to:nchar", "to:string")
UNION: Final = "union"
_UNORDERED: Final = UNORDERED | {UNION}
_UNITS: Final = re.compile(r"\s*([\d.]+)\s*([A-Za-z]+?)s?\s*")

T = TypeVar("T")


class Terms:
    """The terms of one pile: knows its base columns and remembers what it has worked out.

    A base column is ``Col(i)``, ``names[i]`` its relation and name.
    """

    def __init__(self) -> None:
        self.names: list[tuple[str, str]] = []
        self._places: dict[tuple[str, str], Col] = {}
        self._normalizer = Normalizer()
        self._spelled: dict[bytes, Expr] = {}
        self._masked: dict[bytes, Expr] = {}
        self._bases: dict[bytes, frozenset[int]] = {}
        self._sizes: dict[bytes, int] = {}

    def column(self, relation: str, name: str) -> Col:
        """The term of a base column."""
        known = self._places.get((relation, name))
        if known is None:
            known = self._places[relation, name] = Col(len(self.names))
            self.names.append((relation, name))
        return known

    def spelled(self, expr: Expr) -> Expr:
        """The expression in the one spelling."""
        known = self._spelled.get(expr.digest)
        if known is None:
            known = self._loose(self._normalizer.expression(expr))
            self._spelled[expr.digest] = self._spelled[known.digest] = known
        return known

    def masked(self, expr: Expr) -> Expr:
        """The term without the values of its literals."""
        return rebuild(expr, _mask, self._masked)

    def bases(self, expr: Expr) -> frozenset[int]:
        """The base columns of a term."""
        known = self._bases.get(expr.digest)
        if known is None:
            found = {part.index for part in parts(expr) if isinstance(part, Col)}
            known = self._bases[expr.digest] = frozenset(found)
        return known

    def relations(self, expr: Expr) -> frozenset[str]:
        """The relations a term's columns are of."""
        return frozenset(self.names[at][0] for at in self.bases(expr))

    def is_large(self, expr: Expr) -> bool:
        """Whether a term is too large to be worth comparing; shared parts count each time."""
        known = self._sizes.get(expr.digest)
        if known is None:
            known = 1 + sum(self._size(part) for part in operands(expr))
            self._sizes[expr.digest] = known
        return known > MANY

    def _size(self, expr: Expr) -> int:
        self.is_large(expr)
        return self._sizes[expr.digest]

    def _loose(self, expr: Expr) -> Expr:
        done: dict[bytes, Expr] = {}
        return rebuild(expr, self._looser, done)

    def _looser(self, expr: Expr) -> Expr:
        for step in _STEPS:
            expr = step(expr)
        return self._in_order(self._member(expr))

    def _member(self, expr: Expr) -> Expr:
        """A part of a column of JSON or of a struct is a column of its own."""
        match expr:
            case Call(op="jsonextract" | "jsonextractscalar", args=(Col(index=at), Call() as path)):
                keys = [_key(part) for part in path.args if not _is_root(part)]
            case Call(op="field", args=(Col(index=at),), shape=path):
                keys = list(path)
            case _:
                return expr
        relation, name = self.names[at]
        return self.column(relation, ".".join([name, *keys])) if all(keys) else expr

    def _in_order(self, expr: Expr) -> Expr:
        """Operands whose order says nothing, sorted so that their literals decide last."""
        if not isinstance(expr, Call) or expr.op not in (*_UNORDERED, "in"):
            return expr
        head = 1 if expr.op == "in" else 0
        rest = sorted(expr.args[head:], key=self._place)
        args = (*expr.args[:head], *rest)
        return replace(expr, args=args) if args != expr.args else expr

    def _place(self, expr: Expr) -> tuple[bool, bytes, bytes]:
        return isinstance(expr, Lit), self.masked(expr).digest, expr.digest


def literals(expr: Expr | None) -> tuple[Lit, ...]:
    """The literals of a term that a mask hides, from left to right."""
    found = parts(expr) if expr is not None else ()
    return tuple(p for p in found if isinstance(p, Lit) and p.kind in ("number", "string"))


def holders(expr: Expr) -> tuple[Expr, ...]:
    """For each of the `literals` the part of the term that it is an operand of."""
    found: list[Expr] = []
    stack: list[tuple[Expr, Expr]] = [(expr, expr)]
    while stack:
        part, above = stack.pop()
        if isinstance(part, Lit) and part.kind in ("number", "string"):
            found.append(above)
        stack.extend((below, part) for below in reversed(operands(part)))
    return tuple(found)


def constant(expr: Expr, at: int) -> Expr:
    """The literal at that position among the `literals`, or the interval it is the length of."""
    above = holders(expr)[at]
    return above if isinstance(above, Call) and above.op == "interval" else literals(expr)[at]


def union(terms: list[Expr]) -> Expr:
    """What a column of a set operation holds: one of these."""
    distinct = sorted(set(terms), key=lambda term: term.digest)
    return distinct[0] if len(distinct) == 1 else Call(UNION, tuple(distinct))


def _is_root(part: Expr) -> bool:
    return isinstance(part, Call) and part.op == "jsonpathroot"


def _key(part: Expr) -> str:
    """`this='status'` of a JSON path -> status; "" for anything that is no plain key."""
    if not isinstance(part, Call) or part.op not in ("jsonpathkey", "jsonpathsubscript"):
        return ""
    return "".join(part.shape).removeprefix("this=").strip("'")


def _mask(expr: Expr) -> Expr:
    if isinstance(expr, Lit) and expr.kind in ("number", "string"):
        return Lit("literal", "?")
    return expr


# --- one spelling -----------------------------------------------------------------------------


def _undated(expr: Expr) -> Expr:
    """DATE '2024-01-01', CAST('2024-01-01' AS DATE) -> '2024-01-01'"""
    match expr:
        case Call(op="cast" | "trycast" | "tsordstodate", args=(Lit(kind="string") as text,)):
            kinds = _DATE_TYPES.intersection(expr.shape)
            return text if kinds or expr.op == "tsordstodate" else expr
        case _:
            return expr


def _plain_text(expr: Expr) -> Expr:
    """CAST(x AS VARCHAR(255)) -> x: a value and its text are one value"""
    if isinstance(expr, Call) and expr.op in ("cast", "trycast", "tochar"):
        kind = next((slot for slot in expr.shape if slot.startswith("to:")), "")
        if kind.startswith(_TEXT_TYPES):
            return expr.args[0]
    return expr


def _interval(expr: Expr) -> Expr:
    """INTERVAL '90' DAYS, INTERVAL '90 days' -> interval of a number and a unit"""
    match expr:
        case Call(op="interval", args=(Lit(text=text),), shape=(_, unit)):
            word = unit.rpartition(" ")[2].lower().rstrip("s")
            return Call("interval", (Lit("number", text), Lit("string", word)), ("of",))
        case Call(op="interval", args=(Lit(text=text),), shape=("this",)):
            found = _UNITS.fullmatch(text)
            if found is None:
                return expr
            amount, word = found.groups()
            return Call("interval", (Lit("number", amount), Lit("string", word.lower())), ("of",))
        case _:
            return expr


def _case_to_coalesce(expr: Expr) -> Expr:
    """CASE WHEN x IS NULL THEN y ELSE x END -> COALESCE(x, y), and NOT NULL the other way"""
    match expr:
        case Call(
            op="case", args=(Call(op="if", args=(test, yes)), no), shape=("ifs*1", "default")
        ):
            pass
        case _:
            return expr
    match test:
        case Call(op="is", args=(tested, Lit(kind="null")), shape=("this", "expression")):
            value, other = no, yes
        case Call(op="is", args=(tested, Lit(kind="null")), shape=(*_, "negate=True")):
            value, other = yes, no
        case Call(op="not", args=(Call(op="is", args=(tested, Lit(kind="null"))),)):
            value, other = yes, no
        case _:
            return expr
    if value != tested:
        return expr
    return Call("coalesce", (tested, other), ("this", "expressions*1"))


def _filter_to_case(expr: Expr) -> Expr:
    """agg(x) FILTER (WHERE p) -> agg(CASE WHEN p THEN x END): aggregates leave out NULL"""
    match expr:
        case Agg(where=where, args=(value, *rest)) if where is not None:
            arm = Call("if", (where, value), ("this", "true"))
            return replace(expr, where=None, args=(Call("case", (arm,), ("ifs*1",)), *rest))
        case Agg(op="count", where=where, args=()) if where is not None:
            arm = Call("if", (where, Lit("number", "1")), ("this", "true"))
            return Agg("count", (Call("case", (arm,), ("ifs*1",)),), ("this",))
        case _:
            return expr


def _plain_division(expr: Expr) -> Expr:
    """Marks of the dialect on a division say nothing when copies of one pile are compared."""
    if isinstance(expr, Call) and expr.op == "div":
        return replace(expr, shape=tuple(s for s in expr.shape if s in ("this", "expression")))
    return expr


def _truth(expr: Expr) -> Expr:
    """x IS NOT TRUE, NOT COALESCE(x, FALSE), x = FALSE OR x IS NULL, ... -> one test of x"""
    found = accepted(expr)
    if found is None:
        return expr
    tested, values = found
    if values == {None}:
        return _is(tested, Lit("null", ""))
    if values == {True, False}:
        return _is(tested, Lit("null", ""), negated=True)
    if len(values) == 1:
        return _is(tested, Lit("boolean", "true" if True in values else "false"))
    # two of three: not the third
    return _is(tested, Lit("boolean", "true" if False in values else "false"), negated=True)


def _plain_test(expr: Expr) -> Expr:
    """COUNTIF(x IS TRUE), CASE WHEN x IS TRUE THEN ... -> the same with x: NULL is not counted"""
    match expr:
        case Agg(op="countif", args=(test, *rest)) if (plain := _untrue(test)) is not None:
            return replace(expr, args=(plain, *rest))
        case Call(op="if", args=(test, *rest)) if (plain := _untrue(test)) is not None:
            return replace(expr, args=(plain, *rest))
        case _:
            return expr


def _untrue(test: Expr) -> Expr | None:
    """A test without IS TRUE where that says nothing; None where it has none."""
    match test:
        case Call(op="and" | "or", args=args):
            plain = [_untrue(arg) for arg in args]
            if all(each is None for each in plain):
                return None
            kept = tuple(
                arg if each is None else each for arg, each in zip(args, plain, strict=True)
            )
            return replace(test, args=kept)
        case Call(op="is", args=(tested, Lit(kind="boolean", text="true")), shape=shape):
            return tested if "negate=True" not in shape else None
        case _:
            return None


def _is(tested: Expr, what: Lit, negated: bool = False) -> Call:
    more = ("negate=True",) if negated else ()
    return Call("is", (tested, what), ("this", "expression", *more))


def _plain_order(expr: Expr) -> Expr:
    """Where NULLs go by default is no difference."""
    if isinstance(expr, Over) and expr.order:
        keys = tuple(SortKey(key.expr, key.descending) for key in expr.order)
        return replace(expr, order=keys)
    return expr


_STEPS: tuple[Callable[[Expr], Expr], ...] = (
    _undated,
    _plain_text,
    _interval,
    _case_to_coalesce,
    _filter_to_case,
    _plain_division,
    _truth,
    _plain_test,
    _plain_order,
)
