"""Lists of constants that templates of several files go over stand once, in a macro each.

    with_list_macros(files, taken) -> the files, and the macros

A macro of dbt can give back any value (its manual, "About return function"):

    {% for counter in counters() %}                              -- all of them
    {% for counter in counters() if counter not in ['css'] %}    -- but for some, in the same order

Only a loop over texts can do without some, and only where what is left is the list that was there,
in its order; such a loop counts what is left (manual of Jinja, "For").
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from typing import Final

from unwet.rewrite.library import LINE
from unwet.rewrite.naming import common_words, free_macro, majority
from unwet.rewrite.targets.jinja import wrapped
from unwet.rewrite.targets.made_macros import MadeMacro, comment_of, macro_file, stem
from unwet.rewrite.targets.shared_lists import TEXT, dedented, is_plain, without_breaks

_LEAST_SAVED: Final = 5  # lines; a macro is a file more to open
_AROUND: Final = 5  # lines of a macro around its items
_LONG: Final = 6  # lines of a list that is compared with others that are alike
_ALIKE: Final = 0.6  # of the shorter of two lists, what the other one has, too
_LEFT_OUT: Final = 0.25  # of the items, at most; who leaves out more goes over another list

_LIST: Final = re.compile(
    rf"\{{% (?:for (?P<names>\w+(?:, \w+)*) in|set \w+ =) "
    rf"(?P<list>\[(?:{TEXT}|[^'\"\\%])*\]) %\}}"
)
_TEXTS: Final = re.compile(rf"\[\s*(?:{TEXT})(?:,\s*(?:{TEXT}))*,?\s*\]")

Items = tuple[str, ...]


@dataclass(slots=True)
class _List:
    """A list that is written in some places."""

    said: str
    text: str
    items: Items  # none where they are no texts
    names: list[str] = field(default_factory=list)  # what loops call an item
    files: list[str] = field(default_factory=list)  # one for each place
    looped: bool = True  # nothing but loops of one name

    @property
    def lines(self) -> int:
        """How many a place takes."""
        return self.text.count("\n") + 1


@dataclass(frozen=True, slots=True)
class _Group:
    """Lists that are these items, or some of them."""

    members: tuple[_List, ...]
    items: Items

    @property
    def saved(self) -> int:
        """Lines that are written less."""
        now = sum(len(m.files) * len(self.head(m, "").splitlines()) for m in self.members)
        rest = _lines(self.items) if self.items else self.members[0].lines - 2
        return sum(len(m.files) * m.lines for m in self.members) - now - rest - _AROUND

    def left_out(self, member: _List) -> Items:
        """The items that a list has not."""
        return tuple(each for each in self.items if each not in {*member.items})

    def head(self, member: _List, macro: str) -> str:
        """What stands in place of a list."""
        if not (without := self.left_out(member)):
            return f"{macro}()"
        test = f"{macro}() if {member.names[0]} not in"
        line = f"{test} [{', '.join(without)}]"
        return line if len(line) <= LINE // 2 else f"{test} [\n{wrapped(without)}\n]"


def with_list_macros(
    files: Mapping[str, str], taken: Collection[str]
) -> tuple[dict[str, str], tuple[MadeMacro, ...]]:
    """The templates with calls in place of lists, by their paths, and the macros that these call.
    ``taken``: names of macros and models."""
    used, macros, calls = {*taken}, list[MadeMacro](), dict[str, str]()
    for group in _groups(_lists(files)):
        where = sorted({path for member in group.members for path in member.files})
        if len(where) < 2 or group.saved < _LEAST_SAVED:
            continue
        words = {word for path in where for word in re.findall(r"\w+", files[path])}
        name = free_macro(_name(group, where), used | words)
        used.add(name)
        items = f"[\n{wrapped(group.items)},\n]" if group.items else group.members[0].text
        macros.append(MadeMacro(name, comment_of(where, "go over"), macro_text(name, items)))
        calls |= {member.said: group.head(member, name) for member in group.members}

    def put(found: re.Match[str]) -> str:
        call = calls.get(without_breaks(found["list"]))
        if call is None:
            return found.group()
        before, after = found.group().split(found["list"])
        if found["names"] and " if " in call:
            first = call.partition(" if ")[2].partition(" ")[0]
            call = call.replace(f" if {first} ", f" if {found['names']} ", 1)
        return f"{before}{call}{after}"

    return {path: _LIST.sub(put, text) for path, text in files.items()}, tuple(macros)


def _lists(files: Mapping[str, str]) -> list[_List]:
    """The lists that say the same wherever they stand, the longest first."""
    lists: dict[str, _List] = {}
    for path, text in files.items():
        for found in _LIST.finditer(text):
            said = without_breaks(found["list"])
            if "\n" not in found["list"] or not is_plain(said):
                continue
            items = tuple(re.findall(TEXT, said)) if _TEXTS.fullmatch(said) else ()
            each = lists.setdefault(said, _List(said, dedented(found), items))
            each.files.append(path)
            each.names += [found["names"]] if found["names"] else []
            each.looped &= bool(found["names"]) and "," not in found["names"]
    return sorted(lists.values(), key=lambda each: (-each.lines, each.said))


def _groups(lists: Sequence[_List]) -> list[_Group]:
    """Each list in one group: with those that are alike, where that saves more."""
    groups: list[_Group] = []
    for each in lists:
        best, at = 0, -1
        for number, group in enumerate(groups):
            joined = _joined(group, each)
            more = joined.saved - max(group.saved, 0) if joined is not None else 0
            if more > max(best, _Group((each,), each.items).saved):
                best, at = more, number
        if at < 0:
            groups.append(_Group((each,), each.items))
        elif (joined := _joined(groups[at], each)) is not None:
            groups[at] = joined
    return groups


def _joined(group: _Group, each: _List) -> _Group | None:
    """The group with a list more; None where one of its lists would not be what it was."""
    members = (*group.members, each)
    if each.lines < _LONG or not all(m.looped and m.items for m in members):
        return None
    common = {*group.items} & {*each.items}
    if len(common) < _ALIKE * min(len(group.items), len(each.items)):
        return None
    joined = _Group(members, _both(group.items, each.items))
    if len({*joined.items}) < len(joined.items):
        return None  # something stands elsewhere in the other list
    out = max(len(joined.left_out(member)) for member in members)
    return joined if out <= _LEFT_OUT * len(joined.items) else None


def _both(first: Items, second: Items) -> Items:
    """A shortest list that has both in it, in their orders."""
    found: list[str] = []
    steps = SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    for step, start, stop, low, high in steps:
        found += first[start:stop]
        found += second[low:high] if step in ("replace", "insert") else ()
    return tuple(found)


def _lines(items: Items) -> int:
    return wrapped(items).count("\n") + 1


def _name(group: _Group, where: Iterable[str]) -> str:
    """After the files that go over it, as far as they are called alike, and what an item is."""
    names = [name for member in group.members for name in member.names if "," not in name]
    what = f"{majority(names)}s" if names else "rows"
    about = common_words([stem(path) for path in where])
    return f"{about}_{what}" if about else what


def macro_text(name: str, items: str) -> str:
    """The macro that returns a list, as it is written."""
    body = f"{{% set items = {items} %}}\n{{{{ return(items) }}}}"
    return macro_file(name, body)
