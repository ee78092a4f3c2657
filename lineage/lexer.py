"""A light lexer that knows only strings, comments and everything else.

It finds where placeholders may stand, and where a quote was never closed; no more.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from unwet.lineage.dialects import Lexis, lexis

COMMENT, STRING, CODE = "comment", "string", "code"
_BRACES = r"\{\{(?:[^{}]|\{[^{}]{0,400}\}){0,4000}?\}\}"
_TEMPLATE = re.compile(_BRACES, re.S)
_DEPTH = re.compile(r"/\*|\*/")
_TAG = re.compile(r"\$(?:[A-Za-z_]\w*)?\$")


class Piece(NamedTuple):
    """A stretch of text, end exclusive; `closed` is False for a string that never ends.

    (A tuple, because a pile has hundreds of thousands.)
    """

    kind: str
    start: int
    end: int
    closed: bool = True


def pieces(text: str, dialect: str | None) -> Iterator[Piece]:
    """Cut `text` into comments, strings (quoted names too) and the code between them."""
    habits = lexis(dialect)
    opener, done, at = _opener(habits), 0, 0
    while hit := opener.search(text, at):
        piece = _piece(text, hit.start(), hit.group(), habits)
        if piece is None:
            at = hit.end()
            continue
        if hit.start() > done:
            yield Piece(CODE, done, hit.start())
        yield piece
        done = at = piece.end
    if done < len(text):
        yield Piece(CODE, done, len(text))


def in_code(pattern: re.Pattern[str], text: str, dialect: str | None) -> Iterator[re.Match[str]]:
    """What a pattern finds outside of comments and strings, none of it across one."""
    for piece in pieces(text, dialect):
        if piece.kind == CODE:
            yield from pattern.finditer(text, piece.start, piece.end)


def _piece(text: str, start: int, sign: str, habits: Lexis) -> Piece | None:
    """The comment or string that opens at `start`; None when the sign opens neither."""
    if sign.startswith("{"):
        return None  # a template expression may hold quotes of its own
    if sign == "--" and habits.dash_blank and text[start + 2 : start + 3] > " ":
        return None  # two signs of a number
    if sign in habits.line_comments:
        return Piece(COMMENT, start, _line_end(text, start))
    if sign == "/*":
        return _block_comment(text, start, habits.nested)
    if sign.startswith("$"):
        end = text.find(sign, start + len(sign))
        if end < 0:
            return None if len(sign) > 2 else Piece(STRING, start, len(text), False)
        return Piece(STRING, start, end + len(sign))
    return _quoted(text, start, sign, habits)


def _quoted(text: str, start: int, sign: str, habits: Lexis) -> Piece:
    quote = sign if len(sign) == 1 else sign.lstrip("rRbB")
    raw = habits.raw and "r" in sign.lower()[: -len(quote)]
    backslash = habits.backslash and (not raw or habits.raw_pairs) and quote not in "`["
    body, end = _body(quote, backslash), start + len(sign)
    while True:
        found = body.match(text, end)
        end = found.end() if found else end
        if not text.startswith("{{", end):
            break
        braces = _TEMPLATE.match(text, end)
        inside = braces is not None and _stays_inside(braces.group(), quote, backslash)
        end = braces.end() if braces is not None and inside else end + 1
    closed = text.startswith("]" if quote == "[" else quote, end)
    return Piece(STRING, start, end + len(quote) if closed else len(text), closed)


@cache
def _body(quote: str, backslash: bool) -> re.Pattern[str]:
    """What may stand between two quotes; possessive, so it never runs twice over a text."""
    if quote == "[":
        return re.compile(r"(?:[^\]]++|\]\])*+")
    skip = r"\\." if backslash else r"(?!)"
    if len(quote) == 3:
        return re.compile(rf"(?:{skip}|(?!{quote}).)*+", re.S)
    plain = rf"[^{quote}{{\\]" if backslash else rf"[^{quote}{{]"
    return re.compile(rf"(?:{plain}++|{skip}|\{{(?!\{{)|(?<=\{{)\{{(?!\{{)|{quote}{quote})*+", re.S)


def _stays_inside(braces: str, quote: str, backslash: bool) -> bool:
    """Whether `{{ ... }}` behind a quote is one thing. It is where no such quote stands in it. Else
    it has to be what a template may say on one line, as in `'{{ var('day') }}'`, and not the end of
    one string, SQL, and the begin of the next: `'{{' || name || '}}'`."""
    inner = braces[2:-2]
    plain = re.sub(r"\\.", "", inner, flags=re.S) if backslash else inner
    if quote in "`[" or quote not in plain.replace(quote * 2, ""):
        return True
    if "\n" in inner or inner.lstrip("-+ \t").startswith(quote):
        return False
    strings = re.findall(f"{quote}([^{quote}]*){quote}", inner)
    return not any(map(BETWEEN_STRINGS.fullmatch, strings)) and _is_expression(inner)


# || x ||, as between two strings; a single sign may separate words of a template
_JOINING = r"(?:\|\||[+,=]|\b(?:as|and|or|like|then|else|when)\b)"
BETWEEN_STRINGS = re.compile(rf"\s*{_JOINING}.*\S.*{_JOINING}\s*", re.I | re.S)


@cache
def _is_expression(text: str) -> bool:
    """Whether Jinja can read it as one."""
    from jinja2 import Environment, TemplateSyntaxError  # few texts need it, and it is slow to load

    try:
        Environment().parse("{{" + text + "}}")  # parsed, never run
    except TemplateSyntaxError:
        return False
    return True


def _block_comment(text: str, start: int, nested: bool) -> Piece:
    depth = 0
    for sign in _DEPTH.finditer(text, start):
        if sign.group() == "*/":
            depth -= 1
        elif nested or depth == 0:
            depth += 1
        if depth == 0:
            return Piece(COMMENT, start, sign.end())
    return Piece(COMMENT, start, len(text), False)


def _line_end(text: str, start: int) -> int:
    ends = [at for at in (text.find("\n", start), text.find("\r", start)) if at >= 0]
    return min(ends, default=len(text))


@cache
def _opener(habits: Lexis) -> re.Pattern[str]:
    signs = [_BRACES, *map(re.escape, habits.line_comments), r"/\*"]
    prefix = r"(?:(?<!\w)[rRbB]{1,2})?" if habits.raw or habits.triple else ""
    quotes = r"'''|\"\"\"|'|\"" if habits.triple else r"'|\""
    signs.append(f"{prefix}(?:{quotes})|`")
    if habits.brackets:
        signs.append(r"\[")
    if habits.dollar_quotes:
        signs.append(r"(?<!\w)" + _TAG.pattern)
    return re.compile("|".join(signs), re.S)
