"""Tests of one truth value, by what they accept: ``NOT COALESCE(x, FALSE)`` accepts FALSE, NULL."""

from __future__ import annotations

from typing import Final

from unwet.rewrite.algebra import Call, Expr, Lit

Truth = bool | None
_VALUES: Final[tuple[Truth, ...]] = (True, False, None)
_TESTS: Final = frozenset({"and", "or", "not", "eq", "neq", "is", "coalesce"})


def accepted(expr: Expr) -> tuple[Expr, frozenset[Truth]] | None:
    """(tested, the truth values of it for which `expr` is true), if `expr` is nothing but a test
    of one truth value; NULL is never true. A bare column says nothing about itself: None."""
    if not isinstance(expr, Call) or expr.op not in _TESTS - {"coalesce"}:
        return None
    atoms: set[Expr] = set()
    if not _collect(expr, atoms) or len(atoms) != 1 or not _has_constant(expr):
        return None
    (atom,) = atoms
    values = frozenset(value for value in _VALUES if _value(expr, atom, value) is True)
    return (atom, values) if 0 < len(values) < len(_VALUES) else None


def _collect(expr: Expr, atoms: set[Expr]) -> bool:
    """Put the tested values of `expr` into `atoms`; False where it is more than a test."""
    match expr:
        case Lit(kind="boolean" | "null"):
            return True
        case Call(op=op, args=args) if op in _TESTS:
            return all(_collect(arg, atoms) for arg in args)
        case Lit():
            return False
        case _:
            atoms.add(expr)
            return True


def _has_constant(expr: Expr) -> bool:
    """Whether TRUE or FALSE is said, or NOT: `a = b` and `a IS NULL` alone are of any type."""
    match expr:
        case Lit(kind="boolean"):
            return True
        case Call(op="not", args=(inner,)):
            return not isinstance(inner, Call) or inner.op != "is" or _has_constant(inner)
        case Call(op=op, args=args) if op in _TESTS:
            return any(map(_has_constant, args))
        case _:
            return False


def _value(expr: Expr, atom: Expr, value: Truth) -> Truth:
    match expr:
        case _ if expr == atom:
            return value
        case Lit(kind="boolean", text=text):
            return text == "true"
        case Call(args=args, shape=shape):
            known = [_value(arg, atom, value) for arg in args]
            return _combined(expr.op, known, "negate=True" in shape)
        case _:
            return None


def _combined(op: str, known: list[Truth], negated: bool) -> Truth:
    match op:
        case "and":
            return False if False in known else None if None in known else True
        case "or":
            return True if True in known else None if None in known else False
        case "not":
            return None if known[0] is None else not known[0]
        case "is":
            return (known[0] is known[1]) != negated
        case "coalesce":
            return next((each for each in known if each is not None), None)
        case _ if None in known:
            return None
        case _:
            return (known[0] == known[1]) == (op == "eq")
