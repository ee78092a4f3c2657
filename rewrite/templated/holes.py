"""What a macro takes for the places where its uses differ, and what each use gives.

holes(leader, members, gaps) -> Holes, None where a place cannot be a parameter
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from unwet.rewrite.naming import RESERVED, free, hole_name, slug
from unwet.rewrite.templated.aligned import Gap
from unwet.rewrite.templated.lexed import Words
from unwet.rewrite.templated.opened import Opened, first_name, named, opened

MOST_CHOSEN: Final = 5
"""Places of a macro that flags decide: with more it is two macros in one."""
_LITERAL_TEXT: Final = re.compile(r"'[^'\\]*'|\"[^\"\\]*\"")
_OPERAND: Final = re.compile(rf"{_LITERAL_TEXT.pattern}|[A-Za-z_]\w*")
_NAMED: Final = "\x00"
_LITERAL: Final = re.compile(rf"{_LITERAL_TEXT.pattern}|true|false|[\d.]+")
_LIST: Final = re.compile(rf"\[(?:{_LITERAL_TEXT.pattern}|[\d.\s,~])*\]")


@dataclass(frozen=True, slots=True)
class Hole:
    """A place of the leader, words [start, end), and the text that the macro has there."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Parameter:
    """``values``: the expression that each member gives, in their order; ``default``: what it is
    where a call says nothing. ``before``: what each member has to say above its call."""

    name: str
    values: tuple[str, ...]
    default: str = ""
    before: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Holes:
    """All places of the leader, and the parameters that fill them."""

    places: tuple[Hole, ...]
    parameters: tuple[Parameter, ...]


def holes(
    leader: Words,
    members: Sequence[Words],
    found: Sequence[Gap],
    passed: Sequence[str] = (),
    local: Collection[str] = (),
) -> Holes | None:
    """The parameters for places where members differ. ``passed``: names that the models set above
    what is shared, and that it reads, of the ``local`` ones. None where a place cannot be one."""
    places = opened(leader, members, found, local)
    if places is None or sum(each.kind == "flag" for each in places) > MOST_CHOSEN:
        return None
    return _Naming(leader, members, passed, found).holes(places)


class _Naming:
    """Gives each place its parameter: one for the same values, and where all values hold those of a
    parameter in the same surroundings, no other."""

    def __init__(
        self,
        leader: Words,
        members: Sequence[Words],
        passed: Sequence[str],
        gaps: Sequence[Gap],
    ) -> None:
        self._leader, self._members, self._passed = leader, members, passed
        # no parameter may be called like anything else that the tags of the macro speak of
        within = {n for gap in gaps for n in range(gap.start, gap.end)}
        others = (n for n in range(len(leader.all)) if n not in within)
        self._taken = {*passed, *(name for n in others for name in named(leader, n, n + 1))}
        self._known: dict[tuple[str, ...], str] = {}
        self._flags: dict[tuple[str, ...], tuple[str, bool]] = {}
        self._parameters: list[Parameter] = []

    def holes(self, opened: Sequence[Opened]) -> Holes:
        hints = self._hints(opened)
        many = len(self._members)
        self._parameters += [Parameter(name, (name,) * many) for name in self._passed]
        order = sorted(range(len(opened)), key=lambda n: (_rank(opened[n]), n))
        places = {n: self._place(opened[n], hints[opened[n].values]) for n in order}
        return Holes(tuple(places[n] for n in range(len(opened))), tuple(self._parameters))

    def _hints(self, opened: Sequence[Opened]) -> dict[tuple[str, ...], str]:
        """What most places with the same values are called; a name that is set wins."""
        found: dict[tuple[str, ...], Counter[str]] = {}
        for each in opened:
            weight = len(opened) + 1 if each.kind == "set" else 1
            found.setdefault(each.values, Counter())[each.hint] += weight if each.hint else 0
        glued = sorted(opened, key=lambda each: each.glued.endswith("_hook"))  # the last to say
        parts = {each.values: each.glued for each in reversed(glued) if each.glued}
        return {
            values: counts.most_common(1)[0][0] or parts.get(values, "")
            for values, counts in found.items()
        }

    def _place(self, each: Opened, hint: str) -> Hole:
        if each.kind == "block":
            name = self._parameter(each.values, hint, is_block=True)
            return Hole(each.start, each.end, f"{{{{ {name} }}}}")
        if each.kind == "flag":
            return Hole(each.start, each.end, self._flag(each))
        parts = self._parts(each, hint)
        if each.kind == "set" and parts == (("name", each.hint),):
            return Hole(each.start, each.end, "")
        if each.kind in ("set", "expression"):
            return Hole(each.gap.start, each.gap.end, _glued(parts))
        said = "".join(f"{{{{ {text} }}}}" if kind == "name" else text for kind, text in parts)
        return Hole(each.start, each.end, f"'{said}'" if each.kind == "quoted" else said)

    def _flag(self, each: Opened) -> str:
        """Both texts, of which a parameter chooses one; true is what fewer have, if it is any."""
        off, on = each.choices
        values = each.values
        if each.values not in self._flags:
            turned = 2 * values.count("1") > len(values)
            turned = not on or (turned and bool(off))
            said = {"0": str(turned).lower(), "1": str(not turned).lower()}
            given = tuple(said[value] for value in values)
            name = self._parameter(given, f"with_{first_name(off if turned else on)}")
            self._flags[each.values] = name, turned
        name, turned = self._flags[each.values]
        first, second = (off, on) if turned else (on, off)
        negated = "" if first else "not "
        first, second = (first, second) if first else (second, "")
        gap = "\n" if "\n" in first + second else " "
        other = f"{gap}{{% else %}}{gap}{second}" if second else ""
        return f"{{% if {negated}{name} %}}{gap}{first}{other}{gap}{{% endif %}}"

    def _parts(self, each: Opened, hint: str) -> tuple[tuple[str, str], ...]:
        """What makes the values: names of parameters, and texts around them."""
        if each.values not in self._known:
            contents = _contents(each.values)
            for known, name in self._known.items() if contents else ():
                if around := _around(contents, _contents(known)):
                    texts = [("text", text) for text in around]
                    joined = [part for text in texts for part in (("name", name), text)][1:]
                    return tuple(part for part in joined if part[1])
            self._known[each.values] = self._parameter(each.values, hint, each.kind == "set")
        return (("name", self._known[each.values]),)

    def _parameter(
        self, values: tuple[str, ...], hint: str, is_set: bool = False, is_block: bool = False
    ) -> str:
        if is_set and hint not in RESERVED:
            name = hint
        else:
            name = free(hint or _called(values), self._taken)
        self._taken.add(name)
        before: tuple[str, ...] = ()
        if is_block:
            around = f"{{% set {name} %}}\n", "\n{% endset %}\n"
            before = tuple(value.join(around) if "{%" in value else "" for value in values)
            values = tuple(name if "{%" in value else value for value in values)
        elif is_set and any("\n" in value for value in values):
            before = tuple(f"{{% set {name} = {value} %}}\n" for value in values)
            values = (name,) * len(values)
        self._parameters.append(Parameter(name, values, _usual(values), before))
        return name


def _rank(each: Opened) -> tuple[bool, int]:
    """Short values first, so that longer ones can be made of them."""
    return each.kind in ("flag", "block"), sum(map(len, each.values))


def _called(values: Sequence[str]) -> str:
    """A name from the values: one that a user has for it, what all have, or the first words of the
    longest."""
    if values[0].isidentifier() and values[0] not in ("true", "false"):
        return values[0]
    said = _contents(values) or values
    values = [each for each in said if _NAMED not in each] or values
    common = hole_name(values, "")
    words = re.sub(r"\b0x\w+|\b\d+", " ", max(values, key=len))
    return common or slug(words, 2).removeprefix("n_") or "part"


def _usual(values: Sequence[str]) -> str:
    """The value that more than half of all uses give, where it says what it is."""
    value, count = Counter(values).most_common(1)[0]
    says = _LITERAL.fullmatch(value) or _LIST.fullmatch(value)
    return value if says and count > 1 and 2 * count > len(values) else ""


def _contents(values: Sequence[str]) -> tuple[str, ...]:
    """The texts that these expressions say, with what is no literal between signs of its own; empty
    where one is anything else but literals and names, glued."""
    found = [_OPERAND.findall(value) for value in values]
    for value, operands in zip(values, found, strict=True):
        if " ~ ".join(operands) != value:
            return ()
    return tuple("".join(map(_content, operands)) for operands in found)


def _content(operand: str) -> str:
    return operand[1:-1] if operand[0] in "'\"" else f"{_NAMED}{operand}{_NAMED}"


def _around(values: Sequence[str], parts: Sequence[str]) -> tuple[str, ...]:
    """The texts around a part that all values have in the same surroundings; empty where none."""
    if len(values) != len(parts) or not all(parts):
        return ()
    value, part = values[0], parts[0]
    if part.count(_NAMED) not in (0, 2) or part == "":
        return ()
    for at in (hit.start() for hit in re.finditer(re.escape(part), value)):
        around = value[:at], value[at + len(part) :]
        if _NAMED not in "".join(around) and all(
            v == p.join(around) for v, p in zip(values, parts, strict=True)
        ):
            return around
    every = tuple(value.split(part))
    if _NAMED in "".join(every):
        return ()
    same = all(tuple(v.split(p)) == every for v, p in zip(values, parts, strict=True))
    return every if same and len(every) > 2 else ()


def _glued(parts: Sequence[tuple[str, str]]) -> str:
    return " ~ ".join(text if kind == "name" else f"'{text}'" for kind, text in parts)


def is_literal(text: str) -> bool:
    """Whether an expression is a text, a number or a truth value on one line."""
    return bool(_LITERAL.fullmatch(text)) and "\n" not in text
