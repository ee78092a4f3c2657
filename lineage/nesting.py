"""What the parser or a later stage has no room or no time for, told before it is tried."""

import re
from collections.abc import Sequence
from itertools import accumulate

from sqlglot.dialects.dialect import Dialect
from sqlglot.tokenizer_core import Token, TokenType

_DEEPEST = 1000  # queries within queries
_DOUBLINGS = 10  # brackets within brackets from which on the work is counted
_VISITS = 8_000_000  # of tokens; some seconds
_SUBSCRIPTS = 1_000  # a[1][1]...: the work is quadratic
_OPENING = (TokenType.L_PAREN, TokenType.L_BRACKET)
_CLOSING = (TokenType.R_PAREN, TokenType.R_BRACKET)
_BRACKETS = re.compile(r"[()\[\]]")
_STEPS = {"(": 1, "[": 1, ")": -1, "]": -1}
# Asked for once: an Enum computes each access to a member, and there is one per token.
_OPEN, _CLOSE, _SELECT = TokenType.L_PAREN, TokenType.R_PAREN, TokenType.SELECT


def too_deep(tokens: Sequence[Token], text: str, dialect: Dialect) -> bool:
    """Whether a statement is nested so deeply that it had better not be parsed.

    `text`: the one that the tokens' positions are in.
    """
    if len(tokens) > 4 * _DEEPEST and (_many_queries(tokens) or _many_subscripts(tokens)):
        return True
    if len(tokens) < 2 * _DOUBLINGS:
        return False
    # brackets of the text, those in strings too: where they nest, the tokens are asked
    signs = _BRACKETS.findall(text, tokens[0].start, tokens[-1].end + 1)
    deepest = max(accumulate(_STEPS[sign] for sign in signs), default=0)
    return deepest > _DOUBLINGS and _doubles(tokens, dialect)


def _many_queries(tokens: Sequence[Token]) -> bool:
    if sum([token.token_type == _SELECT for token in tokens]) <= _DEEPEST:
        return False
    opened: list[bool] = []
    before: TokenType | None = None
    for token in tokens:
        if token.token_type == _OPEN:
            opened.append(False)
        elif token.token_type == _CLOSE and opened:
            opened.pop()
        elif token.token_type == _SELECT and before == _OPEN:
            opened[-1] = True
            if len(opened) > _DEEPEST and sum(opened) > _DEEPEST:
                return True
        before = token.token_type
    return False


def _many_subscripts(tokens: Sequence[Token]) -> bool:
    run, depth, before = 0, 0, ""
    for token in tokens:
        text = token.text
        depth += (text == "[") - (text == "]")
        if before == "]" and depth <= 1:
            run = run + 1 if text == "[" else 0
            if run > _SUBSCRIPTS:
                return True
        before = text
    return False


def _doubles(tokens: Sequence[Token], dialect: Dialect) -> bool:
    """Whether the parser would visit the tokens too often: it reads `date(...)`, `struct(...)`,
    `array[...]` and their like first as a type and then again as a function, so that each of
    them doubles the work on all that is inside (seen in sqlglot 30.30; `binary(` trebles it)."""
    types = dialect.parser_class.TYPE_TOKENS | {TokenType.ARRAY, TokenType.STRUCT, TokenType.UNION}
    opened: list[int] = [1]
    visits = 0
    before: TokenType | None = None
    for token in tokens:
        kind = token.token_type
        if kind in _OPENING:
            factor = 3 if before == TokenType.BINARY else 2 if before in types else 1
            opened.append(opened[-1] * factor)
        elif kind in _CLOSING and len(opened) > 1:
            opened.pop()
        visits += opened[-1]
        if visits > _VISITS:
            return True
        before = kind
    return False
