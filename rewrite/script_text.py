"""The text of a function in JavaScript without what says nothing: comments, and white space.

    var a = {"k": 1,          var a = { // names
             "l": 2};    =      "k": 1, "l": 2 };

A line break may end a statement (ECMA-262, "Automatic Semicolon Insertion"): it is nothing only
behind `, ; { ( [ :`, before `, ; ) ] } :`, and at both ends, where no statement can end or one ends
anyway. A text with a `/` (a division or a pattern), a backtick, or words by which a program sees
its own text is not looked into.

plain_script(text) -> what is equal of texts that are one program
"""

from __future__ import annotations

import re
from typing import Final

_TOKEN: Final = re.compile(
    r"""(?P<gap>(?:[ \t\v\f\n\r\u00a0\u2028\u2029]|//[^\n\r\u2028\u2029]*|/\*.*?\*/)+)
    |(?P<text>"(?:[^"\\\n\r]|\\.)*"|'(?:[^'\\\n\r]|\\.)*')
    |(?P<word>[\w$]+)
    |(?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)
_BREAK: Final = re.compile(r"[\n\r\u2028\u2029]")
_BEHIND: Final = frozenset(",;{([:")
_BEFORE: Final = frozenset(",;)]}:")
_BRACKETS: Final = frozenset("(){}[]")  # no part of a longer sign
_UNSURE: Final = frozenset("/\\`\"'#@")  # what only a whole parser can tell, or a text without end
_HTML: Final = re.compile("<!--|-->")  # begin a comment
_OWN_TEXT: Final = frozenset(
    {"eval", "Function", "callee", "stack", "toString", "lineNumber", "columnNumber"}
)


def plain_script(text: str) -> str:
    """The same text where it is not sure what of it says nothing."""
    made, before, gap = list[str](), "", ""
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "gap":
            gap = token.group()
            continue
        said = token.group()
        if said in _UNSURE or said in _OWN_TEXT:
            return text
        made += [_between(before, gap, said), said]
        before, gap = said, ""
    return text if _HTML.search(text) else "".join(made)


def _between(before: str, gap: str, after: str) -> str:
    """What has to stand between two words or signs that have this between them."""
    if not gap or not before or before in _BEHIND or after in _BEFORE:
        return ""
    if _BREAK.search(gap):
        return "\n"
    if before in _BRACKETS or after in _BRACKETS:
        return ""
    return "" if _is_word(before) != _is_word(after) and not _is_of_number(before, after) else " "


def _is_word(said: str) -> bool:
    return len(said) > 1 or said.isalnum() or said in "_$"


def _is_of_number(before: str, after: str) -> bool:
    """Whether it may be a part of a number: `1 .f()` is another one than `1.f()`."""
    return "." in (before, after) or before[0].isdigit() or after[0].isdigit()
