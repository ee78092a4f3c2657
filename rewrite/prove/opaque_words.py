"""SQL that is kept as a text, as somebody reads it who compares two of them.

    SELECT * FROM "$0" PIVOT(SUM(a) FOR y IN ("2022")) AS p -- 74d8c2...
 -> SELECT * FROM shop.orders PIVOT(SUM(a) FOR y IN ("2022")) AS p

and of two long ones only what stands around the first word in which they differ.
"""

from __future__ import annotations

import re
from itertools import zip_longest
from typing import Final

from unwet.rewrite.algebra import Opaque, Scan

_DIGEST: Final = re.compile(r"\s*-- [0-9a-f]{32}$")
_INPUT: Final = re.compile(r"""["`\[]\$(\d+)["`\]]""")
_AROUND: Final = 4  # words that are alike before the first that is not
_BEHIND: Final = 8  # words from there on


def readable(node: Opaque) -> str:
    """The text in one line, with the tables that it reads by their names."""

    def said(found: re.Match[str]) -> str:
        number = int(found[1])
        below = node.inputs[number] if number < len(node.inputs) else None
        return below.table if isinstance(below, Scan) else "(...)"

    return " ".join(_INPUT.sub(said, _DIGEST.sub("", node.text.strip())).split())


def around_difference(one: str, other: str) -> tuple[str, str]:
    """Both texts from a few words before the first that differs, as far as a few behind it."""
    ours, theirs = one.split(), other.split()
    if ours == theirs:
        return one, other
    pairs = zip_longest(ours, theirs)
    alike = next(at for at, (mine, yours) in enumerate(pairs) if mine != yours)
    return _window(ours, alike), _window(theirs, alike)


def _window(words: list[str], at: int) -> str:
    first, last = max(0, at - _AROUND), at + _BEHIND
    before = ["..."] if first else []
    behind = ["..."] if last < len(words) else []
    return " ".join([*before, *words[first:last], *behind])
