"""`${x}` in the body of a function in JavaScript: that language's own, if it says there what x is.

    CREATE TEMP FUNCTION f(css STRING) RETURNS STRING LANGUAGE js AS '''
      const words = ["a", "b"];  return css.match(RegExp(`(${words.join("|")})`, "i"))[0]; '''

A runner that fills `${x}` in texts knows no name that only the program has.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_BEFORE: Final = 2_000  # letters in front of a body that tell of its language
_SCRIPT: Final = re.compile(
    r"\bFUNCTION\b(?P<head>[^;]*)\bLANGUAGE\s+(?:js|javascript)\b[^;]*\Z", re.IGNORECASE
)
_LITERAL: Final = re.compile(r"\$\{[^{}]*\}")
_WORD: Final = re.compile(r"[A-Za-z_$][\w$]*")
_DECLARED: Final = re.compile(  # bounded, as a hostile text has blanks without end
    r"\b(?:const|let|var|function|class)\b[\s\[{(]{1,20}(?P<one>[\w$]{1,80}(?:[\s,]{1,20}[\w$]{1,80}){0,40})"
    r"|(?<![\w$])(?P<two>[\w$]{1,80})\s{0,20}=>"
    r"|\((?P<three>[\w$\s,\[\]{}=]{0,400})\)\s{0,20}(?:=>|\{)"
)
_GLOBAL: Final = frozenset({"Array", "JSON", "Math", "Number", "Object", "String", "this"})


def own_names(text: str, start: int, stop: int) -> frozenset[str]:
    """The names of a program that is text[start:stop], if that is the body of a function in
    JavaScript with template literals: which it declares, and its parameters."""
    literal = text.find("`", start, stop) >= 0
    head = _SCRIPT.search(text, max(0, start - _BEFORE), start) if literal else None
    if head is None:
        return frozenset()
    found = {*_GLOBAL, *_WORD.findall(head["head"])}
    for hit in _DECLARED.finditer(_LITERAL.sub(" ", text[start:stop])):
        for said in hit.groups():
            found.update(_WORD.findall(said or ""))
    return frozenset(found)


def is_own(placeholder: str, names: frozenset[str], params: Mapping[str, str]) -> bool:
    """Whether `${...}` begins with one of them, and nobody gives it a value."""
    inner = placeholder.strip("${}()").strip()
    first = _WORD.search(inner)
    return first is not None and first.group() in names and inner not in params
