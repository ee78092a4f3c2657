"""Phrases of a dialect that its parser does not know and that move no data: left out.

Tokens keep their positions, so that every place stays what it was.
"""

from sqlglot.tokenizer_core import Token, TokenType

_LEAST = 8  # tokens of CREATE VIEW v AS SELECT 1 WITH CHECK OPTION
_HEAD = 12  # tokens in which VIEW stands, behind OR REPLACE, ALGORITHM = MERGE and the like
_SHOWN = frozenset({"TITLE", "FORMAT", "NAMED"})


def plain(tokens: list[Token], dialect: str) -> tuple[list[Token], str]:
    """The tokens of a statement without such phrases, and a note if one of them may change a
    value: a FORMAT says how a cast to text writes it. What may be written through a view
    (WITH CHECK OPTION) changes no rows that are read."""
    if dialect != "oracle" and (checked := _check_option(tokens)):
        return tokens[:-checked], ""
    words = {t.text.upper() for t in tokens} & _SHOWN if dialect == "teradata" else set()
    if not words:
        return tokens, ""
    found = _without_headings(tokens)
    kept = sum(t.text.upper() == "FORMAT" for t in found)
    lost = sum(t.text.upper() == "FORMAT" for t in tokens) > kept
    return found, "FORMAT is not followed" if lost else ""


def _check_option(tokens: list[Token]) -> int:
    """How many tokens at the end of a CREATE VIEW say which rows may be written through it."""
    if tokens[0].text.upper() not in ("CREATE", "ALTER") or len(tokens) < _LEAST:
        return 0
    end = [t.text.upper() for t in tokens[-4:]]
    if end[-2:] == ["CHECK", "OPTION"] and any(t.text.upper() == "VIEW" for t in tokens[:_HEAD]):
        if end[-3] == "WITH":
            return 3
        return 4 if end[0] == "WITH" and end[1] in ("LOCAL", "CASCADED") else 0
    return 0


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
