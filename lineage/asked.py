"""What the conditionals of SqlRender ask, where one parameter decides them all.

{@v in ('2', '3')}?{UNION SELECT b FROM t}     asks for v, and compares it with 2 and 3

in_parts(text) -> InParts: what is read for which values; None where more decides it
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from unwet.lineage.sqlrender import ARROW, COLON, declared, evaluated, partners

OTHER: Final = ""
"""Stands for all values that a text does not compare with: conditions tell no two of them apart."""

_CONSTANT: Final = r"'[\w.-]+(?: [\w.-]+)*'"
_ASKING: Final = re.compile(
    rf"@(\w+)\s*(?:(?:==|!=|<>)\s*({_CONSTANT})|in\s*\(\s*({_CONSTANT}(?:\s*,\s*{_CONSTANT})*)\s*\))",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a text, and the values for which it is read. ``between``: none of the text, but
    stands between two branches of which only one is ever read."""

    text: str
    values: frozenset[str]
    between: bool = False


@dataclass(frozen=True, slots=True)
class InParts:
    """A text by the values of the parameter ``name``: those it compares with, and `OTHER`."""

    name: str
    constants: tuple[str, ...]
    parts: tuple[Part, ...]


def in_parts(text: str) -> InParts | None:
    """None, too, where the parameter has a default or stands outside of conditions, so that its
    value is more than a choice."""
    if not ARROW.search(text) or declared(text) or "{%" in text or "{#" in text:
        return None
    cut = _Cut(text, partners(text))
    asked = [_ASKING.fullmatch(cut.condition(each)) for each in ARROW.finditer(text)]
    known = [hit for hit in asked if hit is not None]
    names = {hit[1] for hit in known}
    if len(known) < len(asked) or len(names) != 1:
        return None
    (cut.name,) = names
    if len(re.findall(rf"@{cut.name}\b", text)) != len(known):
        return None
    said = " ".join(hit[2] or hit[3] for hit in known)
    constants = tuple(sorted({value[1:-1] for value in re.findall(_CONSTANT, said)}))
    parts = tuple(cut.parts(0, len(text), frozenset((*constants, OTHER))))
    return InParts(cut.name, constants, parts) if cut.understood else None


@dataclass(slots=True)
class _Cut:
    """One text while it is cut into its parts."""

    text: str
    partner: Mapping[int, int]
    name: str = ""
    understood: bool = True

    def condition(self, arrow: re.Match[str]) -> str:
        """What stands between the braces before an arrow; empty where none are opened."""
        opening = self.partner.get(arrow.start())
        return "" if opening is None else self.text[opening + 1 : arrow.start()].strip()

    def parts(self, start: int, stop: int, values: frozenset[str]) -> Iterator[Part]:
        """Of a stretch that is read for these values."""
        at = start
        for arrow in ARROW.finditer(self.text, start, stop):
            opening = self.partner[arrow.start()]
            if opening < at:
                continue  # in a branch that is cut already
            first = arrow.end() - 1, self.partner.get(arrow.end() - 1, stop)
            colon = COLON.match(self.text, first[1])
            second = (colon.end() - 1, self.partner.get(colon.end() - 1, stop)) if colon else first
            if second[1] >= stop:
                self.understood = False
                return
            holds = self._holding(self.condition(arrow), values)
            yield Part(self.text[at:opening], values)
            yield from self.parts(first[0] + 1, first[1], holds)
            if colon:
                between = bool(holds) and holds != values
                yield Part("", values, between=between)
                yield from self.parts(second[0] + 1, second[1], values - holds)
            at = second[1] + 1
        yield Part(self.text[at:stop], values)

    def _holding(self, condition: str, values: frozenset[str]) -> frozenset[str]:
        """SqlRender would not understand some conditions, as `in(`: then nobody knows."""
        held = {each: evaluated(condition, {self.name: each}) for each in values}
        if None in held.values():
            self.understood = False
        return frozenset(each for each in values if held[each])
