"""GROUP BY 1, 2, ... 28: the numbers of outputs, one behind the other, are a range.

    GROUP BY {{ range(1, 29) | join(', ') }}, c.region

as authors of dbt projects write it. In a text without any tag the numbers stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from sqlglot import exp

LEAST: Final = 8  # numbers; fewer are read as easily
# from the first space on: from each of them, a deep line would be looked through again and again
_WORD: Final = re.compile(r"(?<! )( *)range__(\d+)__(\d+)__range")


def ranged(tree: exp.Expr) -> None:
    """In place: a word for each range, which `with_ranges` finds in the text."""
    for group in tree.find_all(exp.Group):
        keys = [*_keys(group.expressions)]
        if len(keys) < len(group.expressions):
            group.set("expressions", keys)


def with_ranges(text: str) -> str:
    """The text in which the ranges are said."""
    tagged = "{{" in text or "{%" in text

    def put(found: re.Match[str]) -> str:
        first, end = int(found[2]), int(found[3])
        if tagged:
            return f"{found[1]}{{{{ range({first}, {end}) | join(', ') }}}}"
        return ",\n".join(f"{found[1]}{number}" for number in range(first, end))

    return _WORD.sub(put, text)


def _keys(keys: list[exp.Expr]) -> Iterator[exp.Expr]:
    at = 0
    while at < len(keys):
        end = at
        while end < len(keys) and _number(keys[end]) == (_number(keys[at]) or 0) + end - at:
            end += 1
        if end - at >= LEAST:
            first = _number(keys[at]) or 0
            yield exp.Var(this=f"range__{first}__{first + end - at}__range")
            at = end
        else:
            yield keys[at]
            at += 1


def _number(key: exp.Expr) -> int | None:
    """Of a key without a comment, which would be lost."""
    plain = isinstance(key, exp.Literal) and key.is_int and not key.comments
    return int(key.name) if plain else None
