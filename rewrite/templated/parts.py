"""Stretches of templates that are queries of their own: between brackets, outside of all blocks.

parts_of(host, text, bound) -> Bodies of one template
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from unwet.rewrite.templated.aligned import depth_of
from unwet.rewrite.templated.bodies import Bodies
from unwet.rewrite.templated.branches import bound_names
from unwet.rewrite.templated.family import Body
from unwet.rewrite.templated.lexed import Words, lexed

_QUERY: Final = frozenset({"select", "with"})


def parts_of(host: str, text: str) -> tuple[Bodies, ...]:
    """The queries in brackets of one model or macro. What its tags set or take, or loops give, is
    known to none of them by itself."""
    words = lexed(text)
    bound = bound_names(text)
    found = []
    for start, end in _brackets(words):
        part = Words(text, words.all[start:end])
        label = words.all[start - 3].text if start > 2 else ""  # name as (
        first, last = part.all[0].start, part.all[-1].end
        label = f"{host}_{label}" if label.isidentifier() else host
        body = Body(f"{host}#{start}", first, last, part, (), bound, (), label)
        found.append(Bodies(body, body))
    return tuple(found)


def _brackets(words: Words) -> Iterator[tuple[int, int]]:
    """The words between brackets around a query, where no block begins or ends alone."""
    opened: list[int] = []
    for at, word in enumerate(words.all):
        if word.kind != "sql":
            continue
        if word.text == "(":
            opened.append(at)
        elif word.text == ")" and opened:
            start = opened.pop() + 1
            query = start < at and words.keys[start] in _QUERY
            if query and depth_of(words, start, at) == (0, 0):
                yield start, at
