"""How SqlRender reads what decides about a text: the defaults of parameters, and conditions.

{DEFAULT @v = 'a'}     the value of v where nobody gives one
{@v in ('a','b')}      a condition: values are put in first, then texts are compared

It knows neither words nor strings there, and what it reads otherwise than it looks is not decided:
it splits at each & before it looks for |, takes the ! of `!@v == 'x'` for a part of the value, and
the sign behind the = of a DEFAULT for a blank. A blank beside a comma is a part of a value.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

ARROW: Final = re.compile(r"\}\s*\?\s*\{")
COLON: Final = re.compile(r"\}\s*:\s*\{")
NAME: Final = re.compile(r"@(\w+)")

_BRACE: Final = re.compile(r"[{}]")
_DEFAULT: Final = re.compile(r"\{DEFAULT\s[^{}]*+\}")
_SAID: Final = re.compile(r"\{DEFAULT @(\w+)\s*=\s([^{}@]*)\}")
_GROUP: Final = re.compile(r"\(([^()]*)\)")
_LISTED: Final = re.compile(r"\sin\s*\Z", re.IGNORECASE)
_IN: Final = re.compile(r" in ", re.IGNORECASE)
_OPEN, _CLOSE = "\ue000", "\ue001"  # the parentheses of a list
_BLANK: Final = "".join(map(chr, range(33)))
_TRUTH: Final = {
    "true": True, "1": True, "!false": True, "!0": True,
    "false": False, "0": False, "!true": False, "!1": False,
}  # fmt: skip
_LONGEST: Final = 300  # characters of a condition that is evaluated; people write thirty


def defaults(text: str) -> dict[str, str]:
    """Parameters that `{DEFAULT @x = v}` declares, with their values without quotes: those for
    which it is sure which value SqlRender reads, and that no other value stands in."""
    found: dict[str, str] = {}
    for hit in _DEFAULT.finditer(text):
        said = _SAID.fullmatch(hit[0])
        for name in NAME.findall(hit[0])[:1]:
            found.pop(name, None)
            if said:
                found[name] = _unquoted(said[2].strip(_BLANK))
    return found


def declared(text: str) -> frozenset[str]:
    """Parameters that have a default, whatever it is."""
    return frozenset(name for hit in _DEFAULT.finditer(text) for name in NAME.findall(hit[0])[:1])


def spoken_of(text: str) -> frozenset[str]:
    """Parameters of which a text says something: it is SqlRender that fills them in, in strings,
    too."""
    asked = (name for condition in conditions(text) for name in NAME.findall(condition))
    return declared(text) | frozenset(asked)


def is_rendered(text: str) -> bool:
    """Whether a text is one of SqlRender, by what else is no SQL."""
    return bool(_DEFAULT.search(text)) or any(True for _ in conditions(text))


def partners(text: str) -> dict[int, int]:
    """Both directions of matching braces."""
    found: dict[int, int] = {}
    stack: list[int] = []
    for sign in _BRACE.finditer(text):
        if sign.group() == "{":
            stack.append(sign.start())
        elif stack:
            start = stack.pop()
            found[start], found[sign.start()] = sign.start(), start
    return found


def conditions(text: str) -> Iterator[str]:
    """What stands in the braces before each arrow."""
    partner = partners(text) if ARROW.search(text) else {}
    for arrow in ARROW.finditer(text):
        opening = partner.get(arrow.start())
        if opening is not None:
            yield text[opening + 1 : arrow.start()].strip()


def with_blanks(text: str) -> Iterator[tuple[str, str]]:
    """The constants of lists in conditions that stand beside a blank, and their list: SqlRender
    compares them with the blank."""
    for condition in conditions(text):
        for hit in _GROUP.finditer(condition):
            if _LISTED.search(condition, 0, hit.start()):
                for item in hit[1].split(","):
                    if item != item.strip(_BLANK):
                        yield _unquoted(item.strip(_BLANK)), hit[0]


# --- conditions ------------------------------------------------------------------------------


def evaluated(condition: str, values: Mapping[str, str]) -> bool | None:
    """The value of a condition, None when it needs a parameter that is not known, or when SqlRender
    would not understand it."""
    if len(condition) > _LONGEST or _OPEN in condition or _CLOSE in condition:
        return None
    try:
        return _truth(NAME.sub(lambda hit: _put_in(hit, values), condition))
    except (LookupError, ValueError):
        return None


def _put_in(hit: re.Match[str], values: Mapping[str, str]) -> str:
    value = values[hit[1]]
    if "@" in value:
        raise ValueError("a value in a value")
    quoted = hit.string[hit.start() - 1 : hit.start()] in ("'", '"')
    return value if value or quoted else "''"


def _truth(text: str) -> bool:
    """Parentheses from the innermost; those of a list stay."""
    while hit := _GROUP.search(text):
        before, after = text[: hit.start()], text[hit.end() :]
        if _LISTED.search(before):
            text = before + _OPEN + hit[1] + _CLOSE + after
        else:
            text = f"{before}{int(_joined(hit[1]))}{after}"
    return _joined(text)


def _joined(text: str) -> bool:
    if "&" in text:
        return all([_single(part) for part in text.split("&")])
    if "|" in text:
        return any([_single(part) for part in text.split("|")])
    return _single(text)


def _single(text: str) -> bool:
    text = text.strip(_BLANK)
    if text.lower() in _TRUTH:
        return _TRUTH[text.lower()]
    if len(re.findall("==|!=|<>|&|[|]", text)) > 1 or text.startswith("!"):
        raise ValueError("SqlRender looks at one of them only")
    for sign in ("==", "!=", "<>"):
        left, found, right = text.partition(sign)
        if found:
            return (_side(left) == _side(right)) is (sign == "==")
    left, right = _IN.split(text, maxsplit=1)
    listed = right.strip(_BLANK)
    if not re.fullmatch(f"{_OPEN}[^{_OPEN}{_CLOSE}]+{_CLOSE}", listed):
        raise ValueError("not a list")
    return _side(left) in map(_unquoted, listed[1:-1].split(","))


def _side(text: str) -> str:
    return _unquoted(text.strip(_BLANK))


def _unquoted(value: str) -> str:
    quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "'\""
    return value[1:-1] if quoted else value
