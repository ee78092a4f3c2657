"""Operators on constants: another text, the next number, the next day, one row more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation

from sqlglot import exp

from unwet.rewrite.prove.mutations.edits import Edit, Operator, literal

_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})(.*)", re.DOTALL)
_AMOUNTS = (
    exp.DateAdd, exp.DateSub, exp.DatetimeAdd, exp.DatetimeSub, exp.TimestampAdd, exp.TimestampSub,
    exp.TsOrDsAdd, exp.TimeAdd, exp.TimeSub, exp.AddMonths,
)  # fmt: skip
# what stands there is a position, a length, a type or a name, no value of the data
_NO_VALUES = (
    exp.DataTypeParam, exp.Ordered, exp.Group, exp.JSONPathPart, exp.Property, exp.TableSample,
    exp.Limit, exp.Fetch, exp.Offset, exp.WindowSpec,
)  # fmt: skip


def _string(node: exp.Expr) -> Iterator[Edit]:
    """'DE' becomes 'DEx'."""
    if _is_value(node) and node.is_string and not _is_amount(node) and _next_day(node.name) is None:
        yield literal(f"{node.name}x", True)


def _number(node: exp.Expr) -> Iterator[Edit]:
    """The last digit is one more."""
    if _is_value(node) and not node.is_string and not _is_amount(node):
        more = _more(node.name)
        if more is not None:
            yield literal(more, False)


def _date(node: exp.Expr) -> Iterator[Edit]:
    """The next day; an interval, or an amount of days or months that is added, one longer."""
    if not isinstance(node, exp.Literal):
        return
    if _is_amount(node):
        more = _more(node.name)
    else:
        more = _next_day(node.name) if node.is_string and _is_value(node) else None
    if more is not None:
        yield literal(more, bool(node.is_string))


def _limit(node: exp.Expr) -> Iterator[Edit]:
    """One row more."""
    key = "expression" if isinstance(node, exp.Limit) else "count"
    if not isinstance(node, exp.Limit | exp.Fetch):
        return
    bound = node.args.get(key)
    if _is_first_taken(node):
        return
    if isinstance(bound, exp.Literal) and (more := _more(bound.name)) is not None:

        def edit(each: exp.Expr) -> exp.Expr:
            each.set(key, exp.Literal.number(more))
            return each

        yield edit


def _is_first_taken(node: exp.Expr) -> bool:
    """ARRAY_AGG(x ORDER BY y LIMIT 1)[OFFSET(0)]: one more element changes nothing."""
    array = node.parent
    taken = array.parent if isinstance(array, exp.ArrayAgg) else None
    first = [exp.Literal.number(0)]
    return isinstance(taken, exp.Bracket) and taken.this is array and taken.expressions == first


def _is_value(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and not isinstance(node.parent, _NO_VALUES)


def _is_amount(node: exp.Expr) -> bool:
    """How much is added to a date."""
    at = node.parent if isinstance(node.parent, exp.Neg) else node
    parent = at.parent
    if isinstance(parent, exp.Interval):
        return at.arg_key == "this"
    return isinstance(parent, _AMOUNTS) and at.arg_key == "expression"


def _more(text: str) -> str | None:
    """The number with one more in its last digit; None for what is no plain number."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    exponent = number.as_tuple().exponent
    if not isinstance(exponent, int) or exponent > 0:
        return None
    return str(number + Decimal(1).scaleb(exponent))


def _next_day(text: str) -> str | None:
    hit = _DAY.fullmatch(text)
    if hit is None:
        return None
    try:
        return f"{date.fromisoformat(hit[1]) + timedelta(days=1)}{hit[2]}"
    except (ValueError, OverflowError):
        return None


VALUES: dict[str, Operator] = {
    "string literal": _string,
    "number literal": _number,
    "date literal": _date,
    "LIMIT": _limit,
}
