"""Assumptions that say the same of several relations as one.

    s.a takes the values that are inserted as they are
    s.b takes the values that are inserted as they are
 -> s.a takes the values that are inserted as they are; the same of s.b

said_together(assumptions) -> in their order, each where the first of its kind stood
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_NAME: Final = re.compile(
    r"#\w+|[$@\w{}]+(?:[.@/-][$@\w{}]+)+"
)  # of a relation, or a script's own one


def said_together(assumptions: Iterable[str]) -> list[str]:
    """Only what differs in one name, and says no other."""
    kinds: dict[tuple[str, ...], list[tuple[str, str]]] = {}
    for text in assumptions:
        names = _NAME.findall(text)
        key = tuple(_NAME.split(text)) if len(set(names)) == 1 else ("", text)
        kinds.setdefault(key, []).append((text, names[0] if names else ""))
    said: list[str] = []
    for (first, _), *others in kinds.values():
        more = ", ".join(dict.fromkeys(name for _, name in others))
        said.append(f"{first}; the same of {more}" if more else first)
    return said
