"""Text becomes tokens, also where a quote was never closed or a client's own commands stand."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import TokenError
from sqlglot.tokenizer_core import Token, TokenType
from sqlglot.tokens import Tokenizer

from unwet.lineage.dialects import lexis
from unwet.lineage.lexer import pieces
from unwet.lineage.rows import long_runs, without


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a text from offset `start` on, and its tokens (positions within the part)."""

    start: int
    text: str
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True)
class Lost:
    """A part of a text that cannot be tokenized; `at` is where the trouble begins."""

    at: int
    near: str


def prepare(text: str, dialect: str) -> str:
    """Carry out DELIMITER lines, blank out client commands and what there is of rows beyond all
    measure; every offset stays as it was."""
    text = without(text, long_runs(text, dialect))
    client = _CLIENTS.get(dialect, _BACKSLASH)
    text = client.sub(lambda hit: " " * len(hit.group()), text)
    return _delimited(text) if "DELIMITER" in text.upper() else text


def tokenize(text: str, dialect: str) -> Iterator[Stretch | Lost]:
    """The tokens of the text; when it does not tokenize as a whole, as much of it as does."""
    if (whole := _try(text, 0, len(text), dialect)) is not None:
        yield whole
        return
    borders = [*_borders(text), len(text)]
    at = 0
    while at < len(borders) - 1:
        start, stop = borders[at], borders[at + 1]
        stretch = _try(text, start, stop, dialect)
        if stretch is None and at + 2 < len(borders):
            stretch = _across(text, start, stop, borders[at + 2], dialect)
            at += stretch is not None
        yield stretch or _lost(text, start, stop, dialect)
        at += 1


# --- recovery --------------------------------------------------------------------------------

_BORDER = re.compile(
    r"(?:;[ \t]*(?:--[^\n]*)?\r?\n|\n[ \t]*\r?\n|^[ \t]*GO[ \t]*\r?\n)(?=\s*(?:--|/\*|[A-Za-z(]))",
    re.I | re.M,
)


def _borders(text: str) -> Iterator[int]:
    """Offsets where a statement probably begins, whatever the quotes say."""
    yield 0
    for hit in _BORDER.finditer(text):
        yield hit.end()


def _across(text: str, start: int, border: int, stop: int, dialect: str) -> Stretch | None:
    """Two neighbours that only tokenize together: a string was meant to cross the border."""
    if _try(text, border, stop, dialect) is not None:
        return None
    return _try(text, start, stop, dialect)


def _lost(text: str, start: int, stop: int, dialect: str) -> Lost:
    part = text[start:stop]
    offset = next((piece.start for piece in pieces(part, dialect) if not piece.closed), 0)
    return Lost(start + offset, part[offset : offset + 30].split("\n")[0])


def _try(text: str, start: int, stop: int, dialect: str) -> Stretch | None:
    part = text[start:stop]
    try:
        tokens = _tokenizer(dialect).tokenize(part)
    except TokenError:
        return None
    if dialect in _WIDE_FLOATS:
        _widen(tokens)
    return Stretch(start, part, tuple(tokens))


# Where FLOAT without a length has 53 bits and REAL has 24. The parser gives both one type, which
# would make a single-precision number of either in another dialect.
_WIDE_FLOATS = frozenset({"tsql", "oracle", "teradata"})
_FLOAT = TokenType.FLOAT  # asked for once: an Enum computes each access to a member


def _widen(tokens: list[Token]) -> None:
    for at in [i for i, token in enumerate(tokens) if token.token_type == _FLOAT]:
        bare = at + 1 == len(tokens) or tokens[at + 1].token_type != TokenType.L_PAREN
        if bare and tokens[at].text.upper() == "FLOAT":
            tokens[at].token_type = TokenType.DOUBLE


# --- the tokenizer ---------------------------------------------------------------------------

_BLOCKS = {"BEGIN", "ELSEIF", "EXCEPTION", "LOOP", "REPEAT", "WHILE"}


@cache
def _tokenizer(dialect: str) -> Tokenizer:
    """sqlglot's tokenizer of the dialect, minus its habit to swallow all up to a semicolon.

    For BEGIN, WHILE... it would hide statements; where no semicolon is needed it always would.
    """
    known = Dialect.get_or_raise(dialect)
    base = known.tokenizer_class
    words = {
        word: kind
        for word, kind in base.KEYWORDS.items()
        if not (word in _BLOCKS and kind == TokenType.COMMAND)
    }
    body: dict[str, object] = {"KEYWORDS": words}
    if lexis(dialect).bare_statements:
        body["COMMANDS"] = set()
    made: Tokenizer = type("BlockAwareTokenizer", (base,), body)(dialect=known)
    return made


# --- clients ---------------------------------------------------------------------------------

_BACKSLASH = re.compile(r"^\\[a-z!?][^\n]*", re.M)  # psql
_DOT = re.compile(r"^\.[a-z]+\b[^\n]*", re.M)  # duckdb, sqlite3
_SQLCMD = re.compile(r"^:(?:setvar|on[ \t]+error|connect|r)[ \t][^\n]*", re.M | re.I)
# SQL*Plus: lines without a semicolon ("SET"); not that of an UPDATE, whose column has such a name
_SQLPLUS = re.compile(
    r"^[ \t]*(?:PROMPT\b|REM(?:ARK)?[ \t]|SET[ \t]+(?:"
    r"APPI\w*|ARRAY\w*|AUTO(?!NOM)\w*|BLO\w*|CMDS\w*|COLSEP|CON(?:CAT)?|COPYC\w*|DEF(?:INE)?"
    r"|ECHO|EMB\w*|ERRORL\w*|ESC\w*|EXITC\w*|FEED(?:BACK)?|FLU(?:SH)?|HEA(?:D(?:ING|SEP)?)?"
    r"|LIN(?:ESIZE|ES|E)?|LONG|LONGC\w*|MARK(?:UP)?|NEWP\w*|NULL|NUMF\w*|NUM(?:WIDTH)?"
    r"|PAGES(?:IZE)?|PAU(?:SE)?|RECSEP\w*|SCAN|SERVEROUT(?:PUT)?|SHOW(?:MODE)?|SQLBL\w*|SQLC\w*"
    r"|SQLN\w*|SQLP\w*|SQLF\w*|SQLT\w*|SUF(?:FIX)?|TAB|TERM(?:OUT)?|TI(?:ME)?|TIMI(?:NG)?"
    r"|TRIM(?:OUT|SPOOL|S)?|UND(?:ERLINE)?|VER(?:IFY)?|WRAP"
    r")[ \t]+(?![=,.(]))[^\n]*",
    re.M | re.I,
)
_CLIENTS = {"duckdb": _DOT, "oracle": _SQLPLUS, "sqlite": _DOT, "tsql": _SQLCMD, "fabric": _SQLCMD}
_DELIMITER = re.compile(r"^[ \t]*DELIMITER[ \t]+(\S+)[^\n]*", re.I | re.M)


def _delimited(text: str) -> str:
    """MySQL's DELIMITER lines carried out: same length, only semicolons."""
    marks = list(_DELIMITER.finditer(text))
    parts = [text[: marks[0].start()] if marks else text]
    for mark, following in zip(marks, [*marks[1:], None], strict=False):
        body = text[mark.end() : following.start() if following else len(text)]
        sign = mark[1]
        if sign != ";":
            body = body.replace(sign, ";" + " " * (len(sign) - 1))
        parts += [" " * len(mark.group()), body]
    return "".join(parts)
