"""What two blocks of one skeleton may differ in: their constants, columns and relations."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from unwet.rewrite.algebra import Col, Lit, Node, Outer, Param, Scan, content_fields
from unwet.rewrite.open_form import Opened, Register
from unwet.rewrite.rules.order import HOLES

LITERAL, COLUMN, RELATION = "lcr"  # the first letter of a leaf


def leaves(form: Opened, register: Register, restore: Callable[[str], str]) -> tuple[str, ...]:
    """The distinct leaves of an open form, each with its kind in front, sorted."""
    return tuple(sorted({restore(leaf) for leaf in _leaves(form, register)}))


def _leaves(form: Opened, register: Register) -> Iterator[str]:
    seen: set[bytes] = set()
    stack: list[object] = [form]
    while stack:
        value = stack.pop()
        if isinstance(value, tuple):
            stack.extend(value)
        if not isinstance(value, Node) or value.digest in seen:
            continue
        seen.add(value.digest)
        match value:
            case Lit(kind=kind, text=text) if kind in HOLES:
                yield LITERAL + (f"'{text}'" if kind == "string" else text)
            case Param(name=name):
                yield LITERAL + name
            case Col(index=at):
                yield COLUMN + register.columns[at].name
            case Outer():
                pass
            case Scan(table=table):
                yield RELATION + table
            case _:
                stack.extend(getattr(value, name) for name in content_fields(type(value)))
