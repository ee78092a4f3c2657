"""A month has two usual ends: before the first day of the next, or up to its own last day."""

from __future__ import annotations

from datetime import date, timedelta

from unwet.rewrite.algebra import Call, Expr, Lit


def whole_months(term: Expr) -> Expr:
    """x <= '2024-04-30' -> x < '2024-05-01', and x > '2024-04-30' -> x >= '2024-05-01'.

    Right for days, not for points in time: a day that is left out is no question of style."""
    match term:
        case Call(op="lte", args=(value, Lit(kind="string", text=text))):
            after = _after_month(text)
            return term if after is None else Call("lt", (value, Lit("string", after)), term.shape)
        case Call(op="lt", args=(Lit(kind="string", text=text), value)):
            after = _after_month(text)
            return term if after is None else Call("lte", (Lit("string", after), value), term.shape)
        case _:
            return term


def _after_month(text: str) -> str | None:
    """The day after, if that begins a month."""
    try:
        after = date.fromisoformat(text) + timedelta(days=1)
    except (ValueError, OverflowError):
        return None
    return after.isoformat() if after.day == 1 else None
