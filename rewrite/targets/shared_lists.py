"""A list that several loops of one template go over stands once, at the template's head.

once(text) -> the text
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection
from typing import Final

from unwet.rewrite.naming import free

_LEAST: Final = 3  # lines of a list; shorter ones are read where they are
TEXT: Final = r"'[^'\\]*'|\"[^\"\\]*\""
_FOR: Final = re.compile(
    rf"\{{% for (?P<names>\w+(?:, \w+)*) in (?P<list>\[(?:{TEXT}|[^'\"\\%])*\]) %\}}"
)
_WORD: Final = re.compile(rf"{TEXT}|\b[A-Za-z_]\w*")
_ANYWHERE: Final = frozenset({"none", "ref", "source"})  # these mean the same outside of all loops


def once(text: str) -> str:
    """Loops over other lists, and over those that name anything else, stay as they are."""
    many = Counter(without_breaks(found["list"]) for found in _FOR.finditer(text))
    shared = {each for each, times in many.items() if times > 1 and is_plain(each)}
    taken = {*re.findall(r"\w+", text)}
    names: dict[str, str] = {}
    head: list[str] = []

    def put(found: re.Match[str]) -> str:
        said = without_breaks(found["list"])
        if said not in shared or (said not in names and found["list"].count("\n") + 1 < _LEAST):
            return found.group()
        if said not in names:
            names[said] = _name(found["names"], taken)
            taken.add(names[said])
            head.append(f"{{% set {names[said]} = {dedented(found)} %}}")
        return f"{{% for {found['names']} in {names[said]} %}}"

    changed = _FOR.sub(put, text)
    return "\n".join([*head, changed])


def without_breaks(text: str) -> str:
    """The list without how it is wrapped."""
    return re.sub(r"\s*\n\s*", " ", text)


def is_plain(text: str) -> bool:
    """Whether a list says the same wherever it stands."""
    words = [word for word in _WORD.findall(text) if word[0] not in "'\""]
    return {*words} <= _ANYWHERE


def _name(names: str, taken: Collection[str]) -> str:
    first = names.partition(",")[0]
    return free(f"{first}s" if "," not in names else f"{first}_rows", taken)


def dedented(found: re.Match[str]) -> str:
    """The ``list`` of a match as it is at the left border."""
    before = found.string[: found.start()].rpartition("\n")[2]
    pad = len(before) - len(before.lstrip())
    return found["list"].replace("\n" + " " * pad, "\n")
