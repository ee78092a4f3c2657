"""Models that become calls of one macro.

family(name, bodies, ...) -> Family, None where they do not fit together
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from unwet.rewrite.sizes import code_lines
from unwet.rewrite.templated.aligned import Gap, gaps
from unwet.rewrite.templated.configured import joined
from unwet.rewrite.templated.holes import Holes, Parameter, holes, is_literal
from unwet.rewrite.templated.lexed import Words, lexed
from unwet.rewrite.templated.opened import named

LINE: Final = 100


@dataclass(frozen=True, slots=True)
class Set:
    """A name that a model sets above what is shared: its value, and the tag, as they stand."""

    name: str
    value: str
    tag: str


@dataclass(frozen=True, slots=True)
class Body:
    """What a call can stand for: [start, end) in the text of its model. ``words``: those that the
    macro would have; before them ``sets``; ``above``: names that are set still higher, ``inner``:
    by the words themselves, which no call can speak of. ``label``: what the author calls it.
    ``stands_for``: the text of its model, where the words are others that say the same, but for
    what is its ``own``, which stays in front of the call."""

    model: str
    start: int
    end: int
    words: Words
    sets: tuple[Set, ...] = ()
    above: tuple[str, ...] = ()
    inner: tuple[str, ...] = ()
    label: str = ""
    stands_for: str = ""
    own: str = ""

    def names(self) -> Iterator[str]:
        """All that its model sets to something above, or at its head."""
        yield from (*(each.name for each in self.sets), *self.above, *self.inner)

    @property
    def text(self) -> str:
        return self.stands_for or self.words.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Family:
    """``macro``: its text; ``calls``: what each body becomes, in their order; ``saved``: lines."""

    name: str
    bodies: tuple[Body, ...]
    macro: str
    calls: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    saved: int


def family(name: str, bodies: Sequence[Body]) -> Family | None:
    """The bodies as calls of a macro that is the first of them with parameters."""
    leader = bodies[0]
    words = [body.words for body in bodies]
    places = gaps(leader.words, words)
    known = {*(each.name for each in leader.sets), *leader.above}
    passed = _passed(leader.words, places, known)
    local = {name for body in bodies for name in body.names()}
    found = holes(leader.words, words, places, passed, local)
    if found is None:
        return None
    macro = joined(_macro(name, leader, found))
    calls = tuple(
        body.own + joined(_call(name, found.parameters, body, n)) for n, body in enumerate(bodies)
    )
    for body, call in zip(bodies, calls, strict=True):
        if not {*body.inner}.isdisjoint(named(lexed(call))):
            return None
    before = sum(code_lines(body.text) for body in bodies)
    saved = before - code_lines(macro) - sum(map(code_lines, calls))
    return Family(name, tuple(bodies), macro, calls, found.parameters, saved)


def _passed(leader: Words, places: Sequence[Gap], known: Collection[str]) -> tuple[str, ...]:
    """The names set above that are read where all say the same: a macro does not see them."""
    if not known:
        return ()
    within = {n for gap in places for n in range(gap.start, gap.end)}
    outside = [n for n in range(len(leader.all)) if n not in within]
    found = dict.fromkeys(name for n in outside for name in named(leader, n, n + 1))
    return tuple(name for name in found if name in known)


def _macro(name: str, leader: Body, found: Holes) -> str:
    said = sorted((p for p in found.parameters), key=lambda p: bool(p.default))
    params = [f"{p.name}={p.default}" if p.default else p.name for p in said]
    head = f"{{% macro {name}({', '.join(params)}) %}}"
    if len(head) > LINE:
        head = "{% macro " + f"{name}(\n" + "".join(f"    {p},\n" for p in params)[:-2] + "\n) %}"
    return f"{head}\n{_filled(leader.words, found)}\n{{% endmacro %}}\n"


def _filled(words: Words, found: Holes) -> str:
    made: list[str] = []
    at = words.all[0].start
    for hole in found.places:
        if hole.start < hole.end:
            start, end = words.all[hole.start].start, words.all[hole.end - 1].end
            filling = hole.text
        else:
            start = end = words.all[hole.start - 1].end if hole.start else at
            filling = f" {hole.text}" if hole.start else f"{hole.text}\n"
        made += [words.text[at:start], filling]
        at = end
    made.append(words.text[at : words.all[-1].end])
    return "".join(made).strip("\n").rstrip()


def _call(name: str, parameters: Sequence[Parameter], body: Body, at: int) -> str:
    """A call, and above it the names that it still reads."""
    literals = {each.name: each.value for each in body.sets if is_literal(each.value)}
    given = [
        f"{p.name}={literals.get(p.values[at], p.values[at])}"
        for p in parameters
        if p.values[at] != p.default
    ]
    line = f"{{{{ {name}({', '.join(given)}) }}}}"
    if len(line) > LINE or "\n" in line:
        line = f"{{{{ {name}(\n" + "".join(f"    {each},\n" for each in given)[:-2] + "\n) }}"
    line = "".join(p.before[at] for p in parameters if p.before) + line
    read = {*named(lexed(line))}
    kept: list[str] = []
    for each in reversed(body.sets):
        if each.name in read:
            kept.insert(0, f"{each.tag}\n")
            read |= {*named(lexed(each.tag))}
    return "".join(kept) + line
