"""What a macro takes for the places where its uses differ, and what each use gives.

holes(leader, members, gaps) -> Holes, None where a place cannot be a parameter
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from unwet.rewrite.naming import RESERVED, free, hole_name
from unwet.rewrite.sizes import code_lines
from unwet.rewrite.templated.aligned import Gap
from unwet.rewrite.templated.lexed import Words, lexed

_PLAIN: Final = re.compile(r"'[^'\\{}%#\n]*'")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_LITERAL_TEXT: Final = re.compile(r"'[^'\\]*'|\"[^\"\\]*\"")
_LITERAL: Final = re.compile(rf"{_LITERAL_TEXT.pattern}|true|false|[\d.]+")
_TYPES: Final = frozenset({"date", "timestamp", "interval", "uint256", "int256", "decimal"})
_COMPARING: Final = {
    "=": "{}", "!=": "not_{}", ">": "{}_from", ">=": "{}_from", "<": "{}_until", "<=": "{}_until",
}  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class _Open:
    """A place before its parameter has a name: ``kind`` says how it is printed."""

    gap: Gap
    kind: str  # "expression" | "set" | "quoted" | "text" | "flag" | "block"
    values: tuple[str, ...]
    hint: str
    start: int
    end: int
    choices: tuple[str, str] = ("", "")


def holes(
    leader: Words, members: Sequence[Words], found: Sequence[Gap], passed: Sequence[str] = ()
) -> Holes | None:
    """The parameters for places where members differ. ``passed``: names that the models set above
    what is shared, and that it reads. None where a place cannot be one."""
    opened = []
    for gap in found:
        each = _opened(leader, members, gap)
        if each is None:
            return None
        opened.append(each)
    return _Naming(leader, members, passed).holes(opened)


def _opened(leader: Words, members: Sequence[Words], gap: Gap) -> _Open | None:
    texts = [_text(words, *part) for words, part in zip(members, gap.of, strict=True)]
    hint = _hint(leader, gap)
    if gap.inside:
        if not all(texts):
            return None
        around = _set_around(leader, gap)
        if around is not None:
            return _Open(gap, "set", tuple(texts), around, gap.start - 4, gap.end + 1)
        return _Open(gap, "expression", tuple(texts), hint, gap.start, gap.end)
    if all(map(_PLAIN.fullmatch, texts)):
        return _Open(gap, "quoted", tuple(texts), hint, gap.start, gap.end)
    if inner := _strings(members, gap):
        return _Open(gap, "quoted", inner, hint, gap.start, gap.end)
    if not any(map(_has_blocks, _slices(members, gap))):
        values = tuple(
            _expression(words, *part) for words, part in zip(members, gap.of, strict=True)
        )
        return _Open(gap, "text", values, hint, gap.start, gap.end)
    return _blocks(members, gap, hint, texts)


def _blocks(members: Sequence[Words], gap: Gap, hint: str, texts: Sequence[str]) -> _Open:
    """Blocks of tags are chosen by a flag, where there are two at most, or else handed on."""
    keys = [_keys(words, *part) for words, part in zip(members, gap.of, strict=True)]
    said = {key: text for key, text in zip(reversed(keys), reversed(texts), strict=True)}
    usual = Counter(keys).most_common(1)[0][0]
    blocks = [text for key, text in zip(keys, texts, strict=True) if key != usual and text]
    handed = sum(code_lines(text) + 2 for text in blocks)
    chosen = sum(map(code_lines, said.values())) + 3
    if len(said) == 2 and chosen < handed:
        first, other = sorted(said, key=lambda key: (not key, keys.index(key)))
        flags = tuple("true" if key == first else "false" for key in keys)
        return _Open(gap, "flag", flags, hint, gap.start, gap.end, (said[first], said[other]))
    return _Open(gap, "block", tuple(texts), hint, gap.start, gap.end)


def _strings(members: Sequence[Words], gap: Gap) -> tuple[str, ...]:
    """What stands between the quotes, as expressions; empty where not all are strings of SQL."""
    found = []
    for words, start, end in _slices(members, gap):
        text = _text(words, start, end)
        kinds = {word.kind for word in words.all[start:end] if word.tag < 0}
        if len(text) < 2 or text[0] + text[-1] != "''" or "''" in text[1:-1] or "sql" in kinds:
            return ()
        if len([w for w in words.all[start:end] if w.kind == "string"]) > 1 or "\\" in text:
            return ()
        inner = lexed(text[1:-1])
        found.append(_expression(inner, 0, len(inner.all)))
    return tuple(found)


def _slices(members: Sequence[Words], gap: Gap) -> list[tuple[Words, int, int]]:
    return [(words, *part) for words, part in zip(members, gap.of, strict=True)]


def _keys(words: Words, start: int, end: int) -> tuple[str, ...]:
    return words.keys[start:end]


def _text(words: Words, start: int, end: int) -> str:
    return words.between(start, end)


def _has_blocks(part: tuple[Words, int, int]) -> bool:
    words, start, end = part
    return any(w.kind == "open" and w.text.startswith("{%") for w in words.all[start:end])


def _set_around(leader: Words, gap: Gap) -> str | None:
    """The name that a tag does nothing but set to what differs."""
    if gap.start < 4 or gap.end >= len(leader.all):
        return None
    sign, word, name, equals = leader.all[gap.start - 4 : gap.start]
    close = leader.all[gap.end]
    fits = sign.kind == "open" and (word.text, equals.text) == ("set", "=")
    return name.text if fits and close.kind == "close" and close.tag == sign.tag else None


def _expression(words: Words, start: int, end: int) -> str:
    """SQL with tags in it as an expression of Jinja: texts, glued to what the tags say."""
    parts: list[str] = []
    at = start
    while at < end:
        if words.all[at].kind == "open":
            close = next(n for n in range(at, end) if words.all[n].kind == "close")
            inner = words.between(at + 1, close)
            parts.append(inner if _NAME.fullmatch(inner) or inner.endswith(")") else f"({inner})")
            after = close + 1
        else:
            tags = (n for n in range(at, end) if words.all[n].kind == "open")
            after = next(tags, end)
        if words.all[at].kind != "open":
            stop = words.all[after].start if after < end else words.all[after - 1].end
            parts.append(_quote(_flat(words, at, after, words.text[words.all[at].start : stop])))
        elif after < end and words.all[after].start > words.all[after - 1].end:
            parts.append("' '")
        at = after
    return " ~ ".join(parts) or "''"


def _flat(words: Words, start: int, end: int, text: str) -> str:
    """The text on one line, where no comment and no string is lost by that."""
    if "\n" not in text:
        return text
    gaps = [words.all[start].text]
    for before, after in zip(words.all[start:end], words.all[start + 1 : end], strict=False):
        gaps += [" " if after.start > before.end else "", after.text]
    return "".join(gaps)


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("\n", "\\n")
    if "'" in escaped and '"' not in escaped:
        return f'"{escaped}"'
    return "'" + escaped.replace("'", "\\'") + "'"


def _hint(leader: Words, gap: Gap) -> str:
    """What the author calls what stands there: an argument, a column, a name behind AS."""
    before = [word.text for word in leader.all[max(0, gap.start - 3) : gap.start]]
    if before and before[-1].lower() in _TYPES:  # timestamp '2024-01-01'
        before.pop()
    after = [word.text for word in leader.all[gap.end : gap.end + 2]]
    if len(after) == 2 and after[0].lower() == "as" and _NAME.fullmatch(after[1]):
        return after[1].lower()
    if len(before) > 1 and before[-1] in _COMPARING and _is_name(before[-2]):
        return _COMPARING[before[-1]].format(before[-2].lower())
    return ""


def _is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text))


class _Naming:
    """Gives each place its parameter: one for the same values, and where all values hold those of a
    parameter in the same surroundings, no other."""

    def __init__(self, leader: Words, members: Sequence[Words], passed: Sequence[str]) -> None:
        self._leader, self._members, self._passed = leader, members, passed
        # no parameter may be called like anything else that the tags speak of
        names = (name for each in (leader, *members) for name in named(each))
        self._taken = {*names, *passed}
        self._known: dict[tuple[str, ...], str] = {}
        self._parameters: list[Parameter] = []

    def holes(self, opened: Sequence[_Open]) -> Holes:
        hints = self._hints(opened)
        many = len(self._members)
        self._parameters += [Parameter(name, (name,) * many) for name in self._passed]
        order = sorted(range(len(opened)), key=lambda n: (_rank(opened[n]), n))
        places = {n: self._place(opened[n], hints[opened[n].values]) for n in order}
        return Holes(tuple(places[n] for n in range(len(opened))), tuple(self._parameters))

    def _hints(self, opened: Sequence[_Open]) -> dict[tuple[str, ...], str]:
        """What most places with the same values are called; a name that is set wins."""
        found: dict[tuple[str, ...], Counter[str]] = {}
        for each in opened:
            weight = len(opened) + 1 if each.kind == "set" else 1
            found.setdefault(each.values, Counter())[each.hint] += weight if each.hint else 0
        return {values: counts.most_common(1)[0][0] for values, counts in found.items()}

    def _place(self, each: _Open, hint: str) -> Hole:
        if each.kind == "block":
            name = self._parameter(each.values, hint, is_block=True)
            return Hole(each.start, each.end, f"{{{{ {name} }}}}")
        if each.kind == "flag":
            on, off = each.choices
            name = self._parameter(each.values, f"with_{_first_name(on)}")
            other = f"\n{{% else %}}\n{off}" if off else ""
            return Hole(each.start, each.end, f"{{% if {name} %}}\n{on}{other}\n{{% endif %}}")
        parts = self._parts(each, hint)
        if each.kind == "set" and parts == (("name", each.hint),):
            return Hole(each.start, each.end, "")
        if each.kind in ("set", "expression"):
            return Hole(each.gap.start, each.gap.end, _glued(parts))
        said = "".join(f"{{{{ {text} }}}}" if kind == "name" else text for kind, text in parts)
        return Hole(each.start, each.end, f"'{said}'" if each.kind == "quoted" else said)

    def _parts(self, each: _Open, hint: str) -> tuple[tuple[str, str], ...]:
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
            name = free(hint or hole_name(_contents(values) or values, "part"), self._taken)
        self._taken.add(name)
        before: tuple[str, ...] = ()
        if is_block:
            around = f"{{% set {name} %}}\n", "\n{% endset %}\n"
            before = tuple(value.join(around) if value else "" for value in values)
            values = tuple(name if value else "''" for value in values)
        elif is_set and any("\n" in value for value in values):
            before = tuple(f"{{% set {name} = {value} %}}\n" for value in values)
            values = (name,) * len(values)
        self._parameters.append(Parameter(name, values, _usual(values), before))
        return name


def _rank(each: _Open) -> tuple[bool, int]:
    """Short values first, so that longer ones can be made of them."""
    return each.kind in ("flag", "block"), sum(map(len, each.values))


def _first_name(text: str) -> str:
    names = re.findall(r"[a-z_]+", text.lower())
    telling = (n for n in names if n not in RESERVED and n not in ("if", "is", "union"))
    return next(telling, "part").removeprefix("is_")


def _usual(values: Sequence[str]) -> str:
    """The value that more than half of all uses give, where it says what it is."""
    value, count = Counter(values).most_common(1)[0]
    says = _LITERAL.fullmatch(value)
    return value if says and count > 1 and 2 * count > len(values) else ""


def _contents(values: Sequence[str]) -> tuple[str, ...]:
    """The texts that string literals say; empty where one is another expression."""
    if not all(map(_LITERAL_TEXT.fullmatch, values)):
        return ()
    return tuple(value[1:-1] for value in values)


def _around(values: Sequence[str], parts: Sequence[str]) -> tuple[str, ...]:
    """The texts around a part that all values have in the same surroundings; empty where none."""
    if len(values) != len(parts) or not all(parts):
        return ()
    value, part = values[0], parts[0]
    for at in (hit.start() for hit in re.finditer(re.escape(part), value)):
        around = value[:at], value[at + len(part) :]
        if all(v == p.join(around) for v, p in zip(values, parts, strict=True)):
            return around
    every = tuple(value.split(part))
    same = all(tuple(v.split(p)) == every for v, p in zip(values, parts, strict=True))
    return every if same and len(every) > 2 else ()


def _glued(parts: Sequence[tuple[str, str]]) -> str:
    return " ~ ".join(text if kind == "name" else f"'{text}'" for kind, text in parts)


def is_literal(text: str) -> bool:
    """Whether an expression is a text, a number or a truth value on one line."""
    return bool(_LITERAL.fullmatch(text)) and "\n" not in text


def named(words: Words, start: int = 0, end: int | None = None) -> Iterator[str]:
    """The names that tags speak of: not those of arguments, nor of attributes."""
    for at in range(start, len(words.all) if end is None else end):
        word = words.all[at]
        if word.kind == "word" and _is_name(word.text):
            after = words.all[at + 1] if at + 1 < len(words.all) else word
            sets = at > 1 and words.all[at - 1].text == "set"
            if words.all[at - 1].text != "." and (after.text != "=" or sets):
                yield word.text
