"""Words of templates laid over those of one of them: where they differ, and what each has there.

gaps(leader, members) -> the places, in order; each member has the same words between them
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache

from unwet.rewrite.templated.lexed import Word, Words

_NEAR = 3
_CONSTANT = re.compile(r"'[^']*'|\d[\w.]*").fullmatch
_ENDS = frozenset(
    re.findall(
        r"\S+",
        ", ( ) {% %} select from where and or on join left right full cross union all distinct "
        "group order having case when then else end with by limit",
    )
)
_OPENING = frozenset({"if", "for", "macro", "call", "filter", "raw"})
_BEFORE = frozenset({"(", ",", "[", "{", "=", "~", ":", "==", "!=", "if", "in", "and", "or", "not"})
_AFTER = frozenset({")", ",", "]", "}", "~", ":", "==", "!=", "if", "else", "in", "and", "or"})


@dataclass(frozen=True, slots=True)
class Gap:
    """A place where members differ: words [start, end) of the leader, and of each member, in their
    order. ``inside``: it is part of the expression of a tag."""

    start: int
    end: int
    of: tuple[tuple[int, int], ...]
    inside: bool


def gaps(leader: Words, members: Sequence[Words]) -> tuple[Gap, ...]:
    """Where members differ, of which the leader is one, as wide as what can be exchanged as a
    whole: a string, an operand in a tag, or words of SQL with whole tags and pairs of brackets."""
    maps = [_mapped(leader, member) for member in members]
    found = _merged([gap for each in maps for gap in each.apart])
    while True:
        wide = _merged([_widened(leader, members, maps, *gap) for gap in found])
        wide = _joined(leader, members, maps, wide)
        if wide == found:
            break
        found = wide
    return tuple(
        Gap(
            start,
            end,
            tuple(each.slice(start, end) for each in maps),
            0 <= _held(leader, start) == _held(leader, end),
        )
        for start, end in found
    )


@dataclass(frozen=True, slots=True)
class _Map:
    """From positions between words of the leader to those of a member: the first and the last that
    fits. ``apart``: what the two do not share, in words of the leader."""

    low: tuple[int, ...]
    high: tuple[int, ...]
    apart: tuple[tuple[int, int], ...]

    def slice(self, start: int, end: int) -> tuple[int, int]:
        return self.low[start], self.high[end]


@lru_cache(maxsize=20_000)
def _mapped(leader: Words, member: Words) -> _Map:
    size = len(leader.all)
    low, high = [-1] * (size + 1), [-1] * (size + 1)
    apart = []
    matcher = SequenceMatcher(None, leader.keys, member.keys, autojunk=False)
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind != "equal":
            apart.append((i1, i2))
            positions = {i1: j1, i2: j2}
        else:
            positions = {i1 + n: j1 + n for n in range(i2 - i1 + 1)}
        for at, other in positions.items():
            low[at] = other if low[at] < 0 else min(low[at], other)
            high[at] = max(high[at], other)
    if not size:
        low, high = [0], [len(member.all)]
    return _Map(tuple(low), tuple(high), tuple(apart))


def _merged(found: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Sorted; those that touch are one."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if merged and start <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(merged[-1][1], end)
        else:
            merged.append((start, end))
    return merged


def _joined(
    leader: Words, members: Sequence[Words], maps: Sequence[_Map], found: list[tuple[int, int]]
) -> list[tuple[int, int]]:
    """With one place for two where they are parts of one list of constants, or where words of SQL
    differ with hardly one between them."""
    made: list[tuple[int, int]] = []
    for start, end in found:
        if made and _held(leader, start) < 0 and _held(leader, made[-1][1]) < 0:
            between = leader.all[made[-1][1] : start]
            if all(_is_item(word) for word in between) and any(w.text == "," for w in between):
                made[-1] = made[-1][0], end
                continue
            near = len(between) <= _NEAR and all(w.kind == "sql" for w in between)
            constants = (_constant(members, maps, each) for each in (made[-1], (start, end)))
            if near and not any(constants) and not any(w.text in "()" for w in between):
                made[-1] = made[-1][0], end
                continue
        made.append((start, end))
    return made


def _is_item(word: Word) -> bool:
    return word.kind in ("sql", "string") and (word.text == "," or _CONSTANT(word.text) is not None)


def _constant(members: Sequence[Words], maps: Sequence[_Map], gap: tuple[int, int]) -> bool:
    """Whether all members have one constant there."""
    for words, each in zip(members, maps, strict=True):
        start, end = each.slice(*gap)
        if end - start != 1 or _CONSTANT(words.all[start].text) is None:
            return False
    return True


def _widened(
    leader: Words, members: Sequence[Words], maps: Sequence[_Map], start: int, end: int
) -> tuple[int, int]:
    """One step wider, where the place cannot be exchanged as it is."""
    left = right = False
    for words, each in zip(members, maps, strict=True):
        first, last = each.slice(start, end)
        if first < 0 or last < 0:  # inside of a place that another member makes wider
            return _step(leader, start, end, True, True)
        more = _lacking(words, first, last)
        left, right = left or more[0], right or more[1]
    return _step(leader, start, end, left, right)


def _step(words: Words, start: int, end: int, left: bool, right: bool) -> tuple[int, int]:
    return max(0, start - left), min(len(words.all), end + right)


def _lacking(words: Words, start: int, end: int) -> tuple[bool, bool]:
    """Whether a slice has to begin earlier, or end later, to be exchanged as a whole."""
    first, last = _held(words, start), _held(words, end)
    if first >= 0 and first == last:
        return _lacking_in_tag(words, start, end)
    cut = _quoted(words, start), _quoted(words, end)
    left, right = first >= 0 or cut[0], last >= 0 or cut[1]
    if left or right:
        return left, right
    low, depth = depth_of(words, start, end)
    if low < 0 or depth > low:
        return low < 0, depth > low
    return _cut_off(words, start, end)


def _cut_off(words: Words, start: int, end: int) -> tuple[bool, bool]:
    """Whether several words are a piece of what belongs together: an item, a condition, ..."""
    if end - start < 2 or all(word.kind != "sql" for word in words.all[start:end]):
        return False, False  # one word, or one string with tags in it
    before = words.keys[start - 1] if start else ","
    after = words.keys[end] if end < len(words.all) else ","
    left = before not in _ENDS and words.keys[start] not in _ENDS
    right = after not in _ENDS and words.keys[end - 1] not in _ENDS
    return left, right


def _held(words: Words, at: int) -> int:
    """The tag that the position between two words is inside of, -1 for none."""
    if not 0 < at < len(words.all):
        return -1
    before, after = words.all[at - 1], words.all[at]
    return before.tag if before.tag == after.tag and before.kind != "close" else -1


def _quoted(words: Words, at: int) -> bool:
    """Whether a string of SQL goes on over the position: parts of one string touch its tags."""
    if not 0 < at < len(words.all):
        return False
    return _in_string(words)[at]


@lru_cache(maxsize=20_000)
def _in_string(words: Words) -> tuple[bool, ...]:
    """For each position whether it lies in a string of SQL with tags in it."""
    found, inside = [False], False
    for word in words.all:
        if word.kind == "part":
            opens = not inside
            quote = word.text[0] if opens else ""
            closed = not opens and word.text.endswith(("'", '"', "`"))
            inside = (opens and not _complete(word.text, quote)) or (inside and not closed)
        found.append(inside)
    return tuple(found)


def _complete(text: str, quote: str) -> bool:
    return len(text) > 1 and text.endswith(quote)


def _lacking_in_tag(words: Words, start: int, end: int) -> tuple[bool, bool]:
    """The same inside of a tag, where an operand is exchanged."""
    if start == end:
        return True, True
    depth = low = 0
    several = False
    for word in words.all[start:end]:
        depth += (word.text in "([{") - (word.text in ")]}") if len(word.text) == 1 else 0
        low, several = min(low, depth), several or (word.text == "," and depth == 0)
    if several and low == depth == 0:
        return True, True
    if low < 0 or depth > low:
        return low < 0, depth > low
    before, after = words.all[start - 1], words.all[end]
    left = before.kind != "open" and before.text not in _BEFORE
    right = after.kind != "close" and after.text not in _AFTER
    return left, right


def depth_of(words: Words, start: int, end: int) -> tuple[int, int]:
    """How deep brackets of SQL and blocks of tags are at the lowest, and at the end."""
    depth = low = 0
    for at in range(start, end):
        word = words.all[at]
        if word.kind == "sql" and word.text in ("(", ")"):
            depth += 1 if word.text == "(" else -1
        elif word.kind == "open" and word.text.startswith("{%"):
            name = words.all[at + 1].text
            if name in ("else", "elif"):
                low = min(low, depth - 1)
            elif name in _OPENING or (name == "set" and is_block_set(words, at)):
                depth += 1
            elif name.startswith("end"):
                depth -= 1
        low = min(low, depth)
    return low, depth


def is_block_set(words: Words, at: int) -> bool:
    """Whether the tag whose sign is word ``at`` sets a name to all that follows it."""
    tag = words.all[at].tag
    return all(w.text != "=" for w in words.all[at : at + 6] if w.tag == tag)
