"""Enough of Rust to read test functions: tokens, and values as nested Python ones.

tokens(text) -> Token...;  functions(text) -> (name, its tokens);  value(tokens) -> a value
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

_TOKEN = re.compile(
    r"""
    (?P<skip>\s+ | //[^\n]* | /\*.*?\*/)
  | r(?P<hashes>\#*)"(?P<raw>.*?)"(?P=hashes)(?!\#)
  | "(?P<text>(?:[^"\\]|\\.)*)"
  | (?P<word>[A-Za-z_][A-Za-z0-9_]*!?)
  | (?P<number>\d+)
  | (?P<sign>::|->|=>|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "0": "\0", "\\": "\\", '"': '"', "'": "'"}
_CLOSING = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True, slots=True)
class Token:
    """`kind`: word, text, number or sign."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class Call:
    """A call, macro, struct or path: `name` and what stands in its brackets.

    Struct fields are Calls named after the field with one argument.
    """

    name: str
    arguments: tuple["Value", ...] = field(default=())


Value = str | Call


def tokens(text: str) -> Iterator[Token]:
    """Tokens without space and comments; string literals with their escapes resolved."""
    for match in _TOKEN.finditer(text):
        if match["raw"] is not None:
            yield Token("text", match["raw"])
        elif match["text"] is not None:
            yield Token("text", _unescaped(match["text"]))
        elif match["skip"] is None and match.lastgroup:
            yield Token(match.lastgroup, match[match.lastgroup])


def functions(text: str) -> Iterator[tuple[str, list[Token]]]:
    """Name and body of every function, braces not included."""
    found = list(tokens(text))
    at = 0
    while at < len(found) - 1:
        if found[at] == Token("word", "fn"):
            name = found[at + 1].text
            start = _index(found, "{", at)
            end = _closing(found, start)
            yield name, found[start + 1 : end]
            at = end
        at += 1


def calls(body: Sequence[Token], names: frozenset[str]) -> Iterator[tuple[Call, int]]:
    """Calls of the named functions in a body, outermost first, with the position behind them."""
    for at, token in enumerate(body[:-1]):
        if token.kind == "word" and token.text in names and body[at + 1].text in _CLOSING:
            call, end = _value_at(body, at)
            assert isinstance(call, Call)
            yield call, end


def value(found: Sequence[Token]) -> Value:
    """The value that some tokens begin with."""
    return _value_at(found, 0)[0]


# --- inside


def _unescaped(text: str) -> str:
    # a backslash at the end of a line also swallows the space that the next one begins with
    text = re.sub(r"\\\n\s*", "", text)
    return re.sub(r"\\(.)", lambda m: _ESCAPES.get(m[1], m[1]), text)


def _index(found: Sequence[Token], sign: str, start: int) -> int:
    return next(i for i in range(start, len(found)) if found[i] == Token("sign", sign))


def _closing(found: Sequence[Token], start: int) -> int:
    depth = 0
    for i in range(start, len(found)):
        if found[i].kind == "sign":
            depth += found[i].text in _CLOSING
            depth -= found[i].text in _CLOSING.values()
            if depth == 0:
                return i
    return len(found)


def _value_at(found: Sequence[Token], at: int) -> tuple[Value, int]:
    """The value that begins at a token, and the position behind it; method calls are dropped."""
    while found[at].text in ("&", "mut"):
        at += 1
    token = found[at]
    if token.kind in ("text", "number"):
        value: Value = token.text
        at += 1
    else:
        value, at = _called(found, at)
    while at + 1 < len(found) and found[at] == Token("sign", "."):
        at += 2  # .to_string(), .unwrap(), .table_lineage
        if at < len(found) and found[at] == Token("sign", "("):
            at = _closing(found, at) + 1
    if at < len(found) and found[at] == Token("sign", "?"):
        at += 1
    return value, at


def _called(found: Sequence[Token], at: int) -> tuple[Call, int]:
    name = found[at].text
    at += 1
    while at + 1 < len(found) and found[at] == Token("sign", "::"):
        name = found[at + 1].text
        at += 2
    if at < len(found) and found[at].text in _CLOSING and found[at].kind == "sign":
        end = _closing(found, at)
        return Call(name, tuple(_arguments(found[at + 1 : end]))), end + 1
    return Call(name), at


def _arguments(found: Sequence[Token]) -> Iterator[Value]:
    at = 0
    while at < len(found):
        if found[at] == Token("sign", ","):
            at += 1
        elif at + 1 < len(found) and found[at + 1] == Token("sign", ":"):
            inner, end = _value_at(found, at + 2)
            yield Call(found[at].text, (inner,))
            at = end
        else:
            value, at = _value_at(found, at)
            yield value
