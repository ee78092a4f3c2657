"""What an operator returns, and small edits that several operators share."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlglot import exp

Edit = Callable[[exp.Expr], exp.Expr]
"""Changes a node of a copy in place and returns what stands in its place: itself or another."""

Operator = Callable[[exp.Expr], Iterable[Edit]]
"""What can be done at one node, which is only looked at; often nothing."""


def setting(**args: object) -> Edit:
    """The node with other arguments."""

    def edit(node: exp.Expr) -> exp.Expr:
        for key, value in args.items():
            node.set(key, value)
        return node

    return edit


def becoming(kind: type[exp.Expr]) -> Edit:
    """A node of another kind over the same arguments."""
    return lambda node: kind(**node.args)


def child(key: str) -> Edit:
    """One argument instead of the whole node."""
    return lambda node: node.args[key]


def without(key: str, index: int) -> Edit:
    """The node with one element less in a list."""

    def edit(node: exp.Expr) -> exp.Expr:
        kept = [each for at, each in enumerate(node.args[key]) if at != index]
        node.set(key, kept)
        return node

    return edit


def literal(text: str, is_string: bool) -> Edit:
    """Another constant."""
    return lambda _: exp.Literal(this=text, is_string=is_string)


def closed(node: exp.Expr) -> exp.Expr:
    """In parentheses where the operators beside it could bind tighter."""
    return exp.Paren(this=node) if isinstance(node, exp.Connector) else node
