"""Where a statement stops to be SQL, and which word was meant there.

   SELECT a FORM t     "unexpected token near t": FORM is an alias of a for the parser
-> FORM, for which FROM may be meant
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from sqlglot.tokenizer_core import Token, TokenType

_WORDS: Final = frozenset(
    {"SELECT", "FROM", "WHERE", "GROUP", "ORDER", "HAVING", "JOIN", "LEFT", "RIGHT", "INNER"}
    | {"OUTER", "CROSS", "UNION", "LIMIT", "INSERT", "INTO", "VALUES", "UPDATE", "DELETE"}
    | {"CREATE", "TABLE", "VIEW", "DISTINCT", "BETWEEN", "WITH"}
)
_LETTERS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_KINDS: Final = frozenset({"TABLE", "VIEW"})
_BEGINS: Final = frozenset({TokenType.SELECT, TokenType.WITH})
_HEAD: Final = 6  # words before the name: CREATE OR REPLACE GLOBAL TEMPORARY TABLE


def misprint(tokens: Sequence[Token], at: int) -> tuple[Token, str] | None:
    """The word near the token at which the parser stopped that is nearly one of SQL, and that."""
    for place in (at - 1, at, at + 1, 0):
        if 0 <= place < len(tokens) and tokens[place].token_type is TokenType.VAR:
            meant = nearly(tokens[place].text.upper())
            if meant:
                return tokens[place], meant
    return None


def nearly(word: str) -> str:
    """The word of SQL of which it is a misprint: one letter too much, too few or another, or two
    that have changed places; empty if it is none."""
    if len(word) < 4 or word in _WORDS:
        return ""
    cuts = [(word[:n], word[n:]) for n in range(len(word) + 1)]
    near = {a + b[1] + b[0] + b[2:] for a, b in cuts if len(b) > 1}
    near |= {a + b[1:] for a, b in cuts if b}
    near |= {a + letter + b[skip:] for a, b in cuts for letter in _LETTERS for skip in (0, 1)}
    return min(near & _WORDS, default="")


def body_of(tokens: Sequence[Token]) -> int:
    """Where the query of CREATE TABLE or CREATE VIEW begins; 0 where there is none."""
    head = {token.text.upper() for token in tokens[1:_HEAD]}
    if not tokens or tokens[0].text.upper() != "CREATE" or head.isdisjoint(_KINDS):
        return 0
    return next(
        (
            place + 1
            for place, (token, after) in enumerate(pairwise(tokens))
            if token.token_type is TokenType.ALIAS and after.token_type in _BEGINS
        ),
        0,
    )
