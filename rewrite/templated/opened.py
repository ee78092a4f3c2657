"""Places where templates differ, before they have parameters: what each has there, and how a macro
could print it.

opened(leader, members, gaps, local) -> Opened per place, None where one cannot be handed on
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from unwet.rewrite.naming import RESERVED
from unwet.rewrite.sizes import code_lines
from unwet.rewrite.templated.aligned import Gap
from unwet.rewrite.templated.lexed import Words, lexed

Kind = Literal["expression", "set", "quoted", "text", "flag", "block"]
"""An operand in a tag; all that a tag sets a name to; what stands in a string of SQL; words of SQL;
one of two texts; text with blocks of tags."""

ROOM: Final = 80  # characters of a text on one line
_PLAIN: Final = re.compile(r"'[^'\\{}%#\n]*'")
_NAME: Final = re.compile(r"[A-Za-z_]\w*")
_TYPES: Final = frozenset({"date", "timestamp", "interval", "uint256", "int256", "decimal"})
_COMPARING: Final = {
    "=": "{}", "!=": "not_{}", ">": "{}_from", ">=": "{}_from", "<": "{}_until", "<=": "{}_until",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opened:
    """Words [start, end) of the leader, of which ``gap`` differs. ``values``: the expressions that
    members give; of a flag which of both ``choices`` each has, "0" or "1". ``hint``: what the
    author calls it; ``glued``: what it is a part of, where nobody calls it anything."""

    gap: Gap
    kind: Kind
    values: tuple[str, ...]
    hint: str
    start: int
    end: int
    choices: tuple[str, str] = ("", "")
    glued: str = ""


def opened(
    leader: Words, members: Sequence[Words], gaps: Sequence[Gap], local: Collection[str]
) -> tuple[Opened, ...] | None:
    """``local``: names that models set, of which a macro knows nothing. None where a place cannot
    be handed on."""
    found = []
    for gap in gaps:
        each = _opened(leader, members, gap, local)
        if each is None:
            return None
        found.append(each)
    return tuple(_chosen_together(found, members, local))


def _chosen_together(
    found: Sequence[Opened], members: Sequence[Words], local: Collection[str]
) -> Iterator[Opened]:
    """Where two texts and two others are with the same members, one flag chooses both."""
    flags = [_as_flag(each, members, local) for each in found]
    many = Counter(each.values for each in flags if each is not None)
    for each, flag in zip(found, flags, strict=True):
        yield flag if flag is not None and many[flag.values] > 1 else each


def _as_flag(each: Opened, members: Sequence[Words], local: Collection[str]) -> Opened | None:
    """A place with two texts, chosen by a flag."""
    if each.kind == "flag":
        return each
    if each.kind != "text":
        return None
    parts = _slices(members, each.gap)
    keys = [_keys(*part) for part in parts]
    if len(set(keys)) != 2 or any(_speaks_of(part, local) for part in parts):
        return None
    pattern, choices = _pattern(keys, [words.between(*at) for words, *at in parts])
    return replace(each, kind="flag", values=pattern, choices=choices)


def _pattern(
    keys: Sequence[tuple[str, ...]], texts: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, str]]:
    """Which of two each has, and both."""
    first = keys[0]
    other = next(text for key, text in zip(keys, texts, strict=True) if key != first)
    return tuple("0" if key == first else "1" for key in keys), (texts[0], other)


def _speaks_of(part: tuple[Words, int, int], names: Collection[str]) -> bool:
    words, start, end = part
    return any(name in names for name in named(words, start, end))


def _opened(
    leader: Words, members: Sequence[Words], gap: Gap, local: Collection[str]
) -> Opened | None:
    texts = [_text(words, *part) for words, part in zip(members, gap.of, strict=True)]
    hint = _hint(leader, gap)
    if gap.inside:
        hint, glued = _hint_in_tag(leader, gap)
        if not all(texts):
            return None
        around = _set_around(leader, gap)
        if around is not None:
            return Opened(gap, "set", tuple(texts), around, gap.start - 4, gap.end + 1)
        return Opened(gap, "expression", tuple(texts), hint, gap.start, gap.end, glued=glued)
    if all(map(_PLAIN.fullmatch, texts)):
        return Opened(gap, "quoted", tuple(texts), hint, gap.start, gap.end)
    if inner := _strings(members, gap):
        return Opened(gap, "quoted", inner, hint, gap.start, gap.end)
    if not any(map(_has_blocks, _slices(members, gap))):
        values = tuple(_expression(*part) for part in _slices(members, gap))
        return Opened(gap, "text", values, hint, gap.start, gap.end)
    return _blocks(members, gap, hint, texts, local)


def _blocks(
    members: Sequence[Words],
    gap: Gap,
    hint: str,
    texts: Sequence[str],
    local: Collection[str],
) -> Opened:
    """Blocks of tags are chosen by a flag, where there are two at most, or else handed on."""
    parts = _slices(members, gap)
    keys = [_keys(*part) for part in parts]
    said = dict(zip(keys, texts, strict=True))
    handed = sum(code_lines(text) + 2 for text in texts if text)
    chosen = sum(map(code_lines, said.values())) + 3
    seen = any(_speaks_of(part, local) for part in parts)
    if len(said) == 2 and chosen < handed and not seen:
        pattern, choices = _pattern(keys, texts)
        return Opened(gap, "flag", pattern, hint, gap.start, gap.end, choices)
    given = tuple(
        text if _has_blocks(part) else _expression(*part)
        for part, text in zip(parts, texts, strict=True)
    )
    hint = hint or first_name(max(texts, key=len))
    return Opened(gap, "block", given, hint, gap.start, gap.end)


def first_name(text: str) -> str:
    """The first word of a text that is no word of SQL or of templates."""
    names = re.findall(r"[a-z_]+", text.lower())
    telling = (n for n in names if n not in RESERVED and n not in ("if", "is", "union"))
    return next(telling, "part").removeprefix("is_")


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
    """The text on one line, where it has room there; else as its author laid it out."""
    if "\n" not in text:
        return text
    gaps = [words.all[start].text]
    for before, after in zip(words.all[start:end], words.all[start + 1 : end], strict=False):
        gaps += [" " if after.start > before.end else "", after.text]
    flat = "".join(gaps)
    return flat if len(flat) <= ROOM else text


def _quote(text: str) -> str:
    escaped = text.replace("\\", "\\\\")
    if "'" in escaped and '"' not in escaped:
        return f'"{escaped}"'
    return "'" + escaped.replace("'", "\\'") + "'"


def _hint(leader: Words, gap: Gap) -> str:
    """What the author calls what stands there: an argument, a column, a name behind AS."""
    before = [word.text for word in leader.all[max(0, gap.start - 3) : gap.start]]
    after = [word.text for word in leader.all[gap.end : gap.end + 2]]
    if before and before[-1].lower() in _TYPES:  # timestamp '2024-01-01'
        kind = before.pop().lower()
        if kind == "interval" and after and is_name(after[0]):
            return f"{after[0].lower().rstrip('s')}s"
    if len(after) == 2 and after[0].lower() == "as" and _NAME.fullmatch(after[1]):
        return after[1].lower()
    if len(before) == 3 and before[-1] == "(" and before[-2].lower() == "in":
        return f"{before[0].lower()}s" if is_name(before[0]) else ""
    if len(before) > 1 and before[-1] in _COMPARING and is_name(before[-2]):
        return _COMPARING[before[-1]].format(before[-2].lower())
    return ""


def _hint_in_tag(leader: Words, gap: Gap) -> tuple[str, str]:
    """The name of the argument that an operand is; and of that which it is only glued into. Within
    a text that is a call itself, as in hooks, its argument counts."""
    for at in range(gap.start - 1, 0, -1):
        word, before = leader.all[at], leader.all[at - 1]
        if word.kind == "literal":
            name = _glued_before(leader, at) if word.text[1:-1] in ("=", '="') else ""
            if is_name(name):
                return name, name
        elif word.text in (",", "(", ")") or word.kind == "open":
            break
        elif word.text == "=" and before.kind == "word" and is_name(before.text):
            return before.text if at == gap.start - 1 else "", before.text
    return "", ""


def _glued_before(leader: Words, at: int) -> str:
    """The text that is glued in front of another one."""
    if at < 2 or leader.all[at - 1].text != "~":
        return ""
    return leader.all[at - 2].text[1:-1]


def is_name(text: str) -> bool:
    return bool(_NAME.fullmatch(text))


def named(words: Words, start: int = 0, end: int | None = None) -> Iterator[str]:
    """The names that tags speak of: not those of arguments, nor of attributes."""
    for at in range(start, len(words.all) if end is None else end):
        word = words.all[at]
        if word.kind == "word" and is_name(word.text):
            after = words.all[at + 1] if at + 1 < len(words.all) else word
            sets = at > 1 and words.all[at - 1].text == "set"
            if words.all[at - 1].text != "." and (after.text != "=" or sets):
                yield word.text
