"""What scalar expressions and conditions say of the columns in them: what is never NULL, what holds
one constant, what is equal."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from unwet.rewrite.algebra import Agg, Call, Col, Expr, Lit

_STRICT: Final = frozenset({"eq", "neq", "lt", "lte", "gt", "gte", "like", "between"})
# NULL only where an operand is. Dividing by zero and casting what cannot be cast give NULL in some
# engines (MySQL, Spark), so they are not here.
_TOTAL: Final = frozenset({"add", "sub", "mul", "neg", "paren", "not", "and", "or",
                           "timestamptrunc", "datetrunc", "upper", "lower"}) | _STRICT  # fmt: skip


def holds(expr: Expr, filled: frozenset[int]) -> bool:
    """Whether an expression is never NULL."""
    match expr:
        case Col(index=i):
            return i in filled
        case Lit(kind=kind):
            return kind != "null"
        case Call(op="coalesce", args=args):
            return any(holds(each, filled) for each in args)
        case Call(op="case", args=args, shape=shape) if shape[-1:] == ("default",):
            return all(holds(_result(each), filled) for each in args)
        case Call(op="is"):
            return True
        case Call(op=op, args=args) if op in _TOTAL:
            return bool(args) and all(holds(each, filled) for each in args)
        case _:
            return False


def _result(arm: Expr) -> Expr:
    """What an arm of a CASE gives."""
    if isinstance(arm, Call) and arm.op == "if":
        return arm.args[1]
    return arm


def gives(agg: Agg, filled: frozenset[int], grouped: bool) -> bool:
    """Whether an aggregate is never NULL: a count, or of rows that are there and have no NULLs."""
    if agg.op in ("count", "countif"):
        return True
    plain = agg.op in ("sum", "min", "max", "avg") and agg.where is None
    return grouped and plain and all(holds(each, filled) for each in agg.args)


def proved(conjuncts: Iterable[Expr]) -> Iterator[int]:
    """Columns that are not NULL where all conjuncts are true."""
    for each in conjuncts:
        match each:
            case Call(op="is", args=(Col(index=i), Lit(kind="null")), shape=shape):
                yield from (i,) if any(s.startswith("negate") for s in shape) else ()
            case Call(op="in", args=(Col(index=i), *_)):
                yield i
            case Call(op=op, args=args) if op in _STRICT:
                for arg in args:
                    yield from _decides(arg)
            case _:
                pass


def _decides(expr: Expr) -> Iterator[int]:
    """Columns whose NULL makes an expression NULL."""
    match expr:
        case Col(index=i):
            yield i
        case Call(op="add" | "sub" | "mul" | "neg" | "cast" | "paren", args=args):
            for arg in args:
                yield from _decides(arg)
        case _:
            pass


def fixed(conjuncts: Iterable[Expr]) -> Iterator[int]:
    """Columns that hold one text. A number is none: '01' = 1 and '1' = 1 are both true."""
    for each in conjuncts:
        match each:
            case Call(op="eq", args=(Col(index=i), Lit(kind="string"))):
                yield i
            case _:
                pass


def ones(conjuncts: Iterable[Expr]) -> frozenset[int]:
    """Columns that are 1."""
    return frozenset(
        each.args[0].index
        for each in conjuncts
        if isinstance(each, Call) and each.op == "eq" and len(each.args) == 2
        if isinstance(each.args[0], Col) and each.args[1] == Lit("number", "1")
    )


def equalities(conjuncts: Iterable[Expr]) -> Iterator[tuple[int, int]]:
    for each in conjuncts:
        match each:
            case Call(op="eq", args=(Col(index=one), Col(index=other))):
                yield one, other
            case _:
                pass
