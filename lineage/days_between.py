"""DATEDIFF of Databricks: of two arguments it is of days, of three of whole units of time.

DATEDIFF(end, start) compares the days of two moments, DATEDIFF(DAY, start, end) counts 24 hours
(manual, "datediff function" and "datediff (timestamp) function"). The parser has one node for both,
and its printer one form: here the first has no unit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlglot import exp
from sqlglot.tokenizer_core import Token, TokenType

from unwet.lineage.trees import found_in

_OPENING: Final = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSING: Final = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})


def mark_days(tokens: Sequence[Token], trees: Sequence[exp.Expr | None]) -> None:
    """What has two arguments in the text is of days."""
    found = [n for tree in trees if tree is not None for n in found_in(tree, exp.DateDiff)]
    starts = {token.start: at for at, token in enumerate(tokens)} if found else {}
    for node in found:
        at = starts.get(node.meta.get("start", -1))
        if at is not None and _arguments(tokens, at + 1) == 2:
            node.set("unit", None)


def _arguments(tokens: Sequence[Token], start: int) -> int:
    """How many there are in the parentheses that the token at `start` opens."""
    depth, found = 0, 1
    for at in range(start, len(tokens)):
        token = tokens[at]
        depth += (token.token_type in _OPENING) - (token.token_type in _CLOSING)
        if depth == 0:
            return found
        found += depth == 1 and token.token_type is TokenType.COMMA
    return 0


def with_two_arguments(tree: exp.Expr) -> exp.Expr:
    """What is of days, as it is written; changes the tree."""
    for node in found_in(tree, exp.DateDiff):
        if node.args.get("unit") is None:
            written = exp.Anonymous(this="DATEDIFF", expressions=[node.this, node.expression])
            if node is tree:
                return written
            node.replace(written)
    return tree
