"""What kind of values the columns of a plan hold, as far as declarations and functions tell."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from unwet.rewrite.algebra import (
    Agg,
    Call,
    Col,
    Expr,
    Lit,
    Outer,
    Over,
    Param,
    Subquery,
    operands,
)
from unwet.rewrite.plan_types import PlanTypes, cast_type, values_of, words

Kind = Literal["text", "char", "number", "time", "truth", "other"]

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


class Kinds(PlanTypes[Kind]):
    """Of the columns of plans; None is any."""

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

    def of_type(self, name: str) -> Kind | None:
        """Of a type's name; None for none."""
        return kind_of_type(name)

    def position(self) -> Kind:
        """Of a position in an array."""
        return "number"

    def _called(self, op: str, expr: Call | Agg, seen: Sequence[Kind | None]) -> Kind | None:
        if op in ("cast", "trycast", "convert"):
            return kind_of_type(cast_type(expr))
        for kind, ops in _BY_OP:
            if op in ops:
                return kind
        if op not in _OF_OPERANDS:
            return None
        below = {self.of(each, seen) for each in values_of(op, operands(expr))}
        return below.pop() if len(below) == 1 else None


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
