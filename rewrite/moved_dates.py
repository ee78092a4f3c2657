"""A date moved by an INTERVAL, for T-SQL, which has none: DATEADD.

    x - INTERVAL '1 month'  ->  DATEADD(MONTH, -1, x)

Both end a month early where it has no such day ("DATEADD (Transact-SQL)"; PostgreSQL's manual,
"Date/Time Functions and Operators"). A day moved by days is a moment in some dialects, and a day in
T-SQL, which tells no moment at midnight from its day when the two are compared; that is assumed.
CURRENT_DATE is CAST(GETDATE() AS DATE) there.

written(tree, source, target)  in place
spoken(call, source, target) -> the call of a plan in these words
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.lineage.dialects import TSQL
from unwet.rewrite.algebra import Call, Expr, Lit

_UNITS: Final = frozenset(
    {"YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE", "SECOND", "MILLISECOND",
     "MICROSECOND"}
)  # fmt: skip
_UNIT: Final = "unit:var "


def written(tree: exp.Expr, source: str, target: str) -> None:
    """In place: sums and differences of dates and intervals as DATEADD."""
    if target not in TSQL or source in TSQL:
        return
    for node in list(tree.find_all(exp.Add, exp.Sub)):
        span = node.expression
        if not isinstance(span, exp.Interval) or isinstance(node.this, exp.Interval):
            continue
        amount, unit = span.this, _in_singular(span.text("unit"))
        if isinstance(amount, exp.Literal) and amount.name.isdecimal() and unit in _UNITS:
            number: exp.Expr = exp.Literal.number(amount.name)
            if isinstance(node, exp.Sub):
                number = exp.Neg(this=number)
            node.replace(exp.DateAdd(this=node.this, expression=number, unit=exp.var(unit)))
    for today in list(tree.find_all(exp.CurrentDate)):
        if today.this is None:  # no time zone
            today.replace(exp.cast(exp.CurrentTimestamp(), "date"))


def spoken(call: Call, source: str, target: str) -> tuple[Call, str]:
    """A call of a plan as T-SQL has to say it, and what that takes for granted."""
    if target not in TSQL or source in TSQL:
        return call, ""
    match call:
        case Call(op="currentdate", args=()):
            now = Call("currenttimestamp", (), ())
            return Call("cast", (now,), ("this", "to:date")), ""
        case Call(
            op="add" | "sub" as op,
            args=(of, Call(op="interval", args=(Lit(text=amount),), shape=("this", said))),
            shape=("this", "expression"),
        ) if amount.isdecimal() and said[len(_UNIT) :] in _UNITS:
            number: Expr = Lit("number", amount)
            if op == "sub":
                number = Call("neg", (number,), ("this",))
            moved = Call("dateadd", (of, number), ("this", "expression", said))
            return moved, f"a day moved by days is a day or a timestamp ({source} and {target})"
        case Call(op="left" | "right", args=(of, number)) if not isinstance(of, Lit):
            text = Call("cast", (of,), ("this", "to:text"))  # as its parser has it
            return replace(call, args=(text, number)), ""
        case _:
            return call, ""


def _in_singular(unit: str) -> str:
    word = unit.upper()
    return word if word in _UNITS else word.removesuffix("S")
