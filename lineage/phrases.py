"""Phrases of a dialect that its parser does not know and that move no data: left out.

Tokens keep their positions, so that every place stays what it was.
"""

from sqlglot.tokenizer_core import Token, TokenType

_SHOWN = frozenset({"TITLE", "FORMAT", "NAMED"})


def plain(tokens: list[Token], dialect: str) -> tuple[list[Token], str]:
    """The tokens of a statement without such phrases, and a note if one of them may change a
    value: a FORMAT says how a cast to text writes it."""
    words = {t.text.upper() for t in tokens} & _SHOWN if dialect == "teradata" else set()
    if not words:
        return tokens, ""
    found = _without_headings(tokens)
    kept = sum(t.text.upper() == "FORMAT" for t in found)
    lost = sum(t.text.upper() == "FORMAT" for t in tokens) > kept
    return found, "FORMAT is not followed" if lost else ""


def _without_headings(tokens: list[Token]) -> list[Token]:
    """Teradata's `a (TITLE 'A')` and `a (FORMAT 'x')` are a; `a (NAMED b)` is `a AS b`."""
    found: list[Token] = []
    at = 0
    while at < len(tokens):
        words = [t.text.upper() for t in tokens[at : at + 4]]
        closed = len(words) == 4 and words[0] == "(" and words[3] == ")" and at > 0
        text = closed and tokens[at + 2].token_type == TokenType.STRING
        if closed and words[1] == "NAMED":
            found.append(tokens[at + 2])
            at += 4
        elif text and words[1] in ("TITLE", "FORMAT"):
            at += 4
        else:
            found.append(tokens[at])
            at += 1
    return found
