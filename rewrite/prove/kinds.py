"""What kind of values the columns of a plan hold, as far as declarations and functions tell."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final, Literal

from unwet.rewrite.algebra import (
    Agg,
    Aggregate,
    Call,
    Col,
    Expr,
    Join,
    Lit,
    Opaque,
    Outer,
    Over,
    Param,
    Project,
    Rel,
    Scan,
    SetOp,
    Subquery,
    Unnest,
    Values,
    Window,
    inputs,
    operands,
    walk,
)

Kind = Literal["text", "char", "number", "time", "truth", "other"]
Declared = Callable[[str, str], str]
"""The declared type of a column of a table; empty where nobody says."""


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# "char": texts that are filled with blanks up to a length
_OF_TYPE: Final[tuple[tuple[Kind, str], ...]] = (
    ("char", r"(?:n?char|character|bpchar|national char(?:acter)?)\b(?! varying)"),
    ("text", r"n?varchar|character varying|\w*text|string|clob|nclob|char varying|citext|name"),
    ("number", r"u?(?:big|small|tiny|medium)?int(?!erval)\w*|serial|bigserial|number|numeric"
               r"|decimal|dec\b|float\w*|double|real|money|smallmoney|bignumeric|long|byteint"),
    ("time", r"date|time|interval|smalldatetime"),
    ("truth", r"bool|bit\b"),
)  # fmt: skip
_TRUTH: Final = words(
    "and or not xor eq neq lt lte gt gte between in is like ilike similarto regexplike "
    "regexpilike nullsafeeq nullsafeneq exists startswith endswith contains"
)
_NUMBER: Final = words(
    "mul div intdiv mod neg abs round floor ceil sign sqrt ln log exp pow length strposition "
    "extract year month day week quarter dayofweek dayofmonth dayofyear hour minute second "
    "datediff timestampdiff count countif sum avg stddev variance rownumber rank denserank "
    "ntile percentrank cumedist ascii unicode"
)
_TEXT: Final = words(
    "upper lower substring concat concatws dpipe trim replace left right lpad pad repeat "
    "reverse initcap timetostr tochar splitpart md5 groupconcat hex translate chr"
)
_TIME: Final = words(
    "currentdate currenttimestamp timestamptrunc datetrunc dateadd datesub tsordsadd "
    "timestampadd timestampsub tsordstodate tsordstotimestamp timestrtotime strtotime "
    "strtodate date timestamp lastday interval"
)
_OF_OPERANDS: Final = words(
    "coalesce nullif case if greatest least min max anyvalue first last firstvalue lastvalue "
    "lag lead nthvalue add sub"
)


def kind_of_type(name: str) -> Kind | None:
    """Of a type's name; None for none."""
    said = name.strip().lower()
    if not said:
        return None
    found = (kind for kind, pattern in _OF_TYPE if re.match(pattern, said))
    return next(found, "other")


class Kinds:
    """Of the columns of plans; None is any."""

    def __init__(self, declared: Declared) -> None:
        self._declared = declared
        self._known: dict[bytes, list[Kind | None]] = {}

    def seen(self, node: Rel) -> list[Kind | None]:
        """Of what the expressions of a node see."""
        return [kind for each in inputs(node) for kind in self._outputs(each)]

    def of(self, expr: Expr, seen: Sequence[Kind | None]) -> Kind | None:
        """Of an expression over such columns."""
        match expr:
            case Col(index=index):
                return seen[index] if index < len(seen) else None
            case Lit(kind=kind):
                return _of_constant(kind)
            case Over(call=call):
                return self.of(call, seen)
            case Subquery(kind=kind):
                return None if kind == "scalar" else "truth"
            case Outer() | Param():
                return None
            case Call(op=op) | Agg(op=op):
                return self._called(op, expr, seen)

    def _called(self, op: str, expr: Call | Agg, seen: Sequence[Kind | None]) -> Kind | None:
        if op in ("cast", "trycast", "convert"):
            to = next((s.removeprefix("to:") for s in expr.shape if s.startswith("to:")), "")
            return kind_of_type(to)
        for kind, ops in _BY_OP:
            if op in ops:
                return kind
        if op not in _OF_OPERANDS:
            return None
        below = {self.of(each, seen) for each in _values(op, operands(expr))}
        return below.pop() if len(below) == 1 else None

    def _outputs(self, rel: Rel) -> list[Kind | None]:
        for each in walk(rel):  # inputs first: no recursion in deep plans
            if each.digest not in self._known:
                self._known[each.digest] = self._made(each)
        return self._known[rel.digest]

    def _made(self, rel: Rel) -> list[Kind | None]:
        below = [kind for each in inputs(rel) for kind in self._known[each.digest]]
        match rel:
            case Scan(table=table, columns=columns):
                return [kind_of_type(self._declared(table, name)) for name in columns]
            case Project(exprs=exprs):
                return [self.of(each, below) for each in exprs]
            case Aggregate(keys=keys, aggs=aggs):
                return [self.of(each, below) for each in (*keys, *aggs)]
            case Window(functions=functions):
                return below + [self.of(each, below) for each in functions]
            case Unnest(ordinal=ordinal):
                element: list[Kind | None] = [None, "number"] if ordinal else [None]
                return below + element
            case Join(kind="semi" | "anti", inputs=many):
                return self._known[many[0].digest]
            case SetOp(inputs=many):
                sides = zip(*(self._known[each.digest] for each in many), strict=True)
                return [side[0] if len({*side}) == 1 else None for side in sides]
            case Values(width=n) | Opaque(width=n):
                return [None] * n
            case _:
                return below


def _values(op: str, args: Sequence[Expr]) -> Iterator[Expr]:
    """Of the operands those that may be what comes out."""
    if op == "if":
        args = args[1:]  # the condition
    for each in args:
        if op == "case" and isinstance(each, Call) and each.op == "if":
            yield from _values("if", each.args)
        elif not (isinstance(each, Lit) and each.kind == "null"):
            yield each


_BY_OP: Final[tuple[tuple[Kind, frozenset[str]], ...]] = (
    ("truth", _TRUTH),
    ("number", _NUMBER),
    ("text", _TEXT),
    ("time", _TIME),
)


def _of_constant(kind: str) -> Kind | None:
    match kind:
        case "number":
            return "number"
        case "string":
            return "text"
        case "boolean":
            return "truth"
        case "null":
            return None
        case _:
            return kind_of_type(kind)
