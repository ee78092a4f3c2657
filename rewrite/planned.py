"""What a run makes once instead of many times, and what each of these things saves.

Lines are those that are printed: without it, every user would hold its lines himself; with it,
there is the definition, and what stands in each place where it is used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from unwet.rewrite.called_once import macros_left
from unwet.rewrite.compose import Draft
from unwet.rewrite.library import HANDED_ON, Macro, MacroCall, numbers_of
from unwet.rewrite.project import Project
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.sizes import code_lines, tree_lines
from unwet.rewrite.targets.jinja import call_text
from unwet.rewrite.templated.family import Family

_AROUND: Final = 2  # the first and the last line of a macro


@dataclass(frozen=True, slots=True)
class Hole:
    """A parameter, and what each use says there; "" where it says nothing."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Abstraction:
    """A thing that is written once. `members`: the models and macros that use it, one entry for
    each use, in the order of the values of `holes`. `lines`: its own; `before` and `after`: with
    all uses, without it and with it."""

    name: str
    kind: Literal["model", "macro"]
    members: tuple[str, ...]
    lines: int
    before: int
    after: int
    holes: tuple[Hole, ...] = ()
    given_to: tuple[str, ...] = ()  # macros that a call of it is an argument of

    @property
    def why(self) -> str:
        """What it is there for, where it saves no lines; empty where it saves some."""
        if self.saves > 0:
            return ""
        if self.given_to:
            return f"saves through {', '.join(self.given_to)}, as its argument"
        return "saves no lines: what it says is changed in one place"

    @property
    def saves(self) -> int:
        """Lines; negative when it is there for its meaning only."""
        return self.before - self.after


def abstractions(project: Project, families: Sequence[Family] = ()) -> tuple[Abstraction, ...]:
    """All of a project, what saves most first; ``families``: the macros of its templates."""
    calls, given = _calls(project), _given(project)
    # what a look-up saves is seen in the calls of the macros that use it
    macros = [macro for macro in macros_left(project.library) if macro.kind != "look_up"]
    found = [
        replace(_macro(project, macro, calls.get(macro.name, [])), given_to=given[macro.name])
        for macro in macros
    ]
    readers = _readers(project)
    found += [_model(project, each, readers[each.name]) for each in project.intermediates]
    found += map(_family, families)
    return tuple(sorted(found, key=lambda each: (-each.saves, each.kind, each.name)))


def _family(each: Family) -> Abstraction:
    before = sum(code_lines(body.text) for body in each.bodies)
    holes = tuple(Hole(p.name, p.values) for p in each.parameters)
    members = tuple(body.model for body in each.bodies)
    lines = code_lines(each.macro)
    return Abstraction(each.name, "macro", members, lines, before, before - each.saved, holes)


def users(project: Project) -> dict[str, tuple[str, ...]]:
    """By macro and intermediate model: the models and macros that use it directly."""
    calls, readers = _calls(project), _readers(project)
    found = {name: tuple(dict.fromkeys(user for user, _ in some)) for name, some in calls.items()}
    return found | {each.name: tuple(readers[each.name]) for each in project.intermediates}


def _model(project: Project, draft: Draft, readers: list[str]) -> Abstraction:
    lines = tree_lines(project.library.models[draft.name], project.dialect)
    uses = len(readers)
    return Abstraction(draft.name, "model", tuple(readers), lines, lines * uses, lines + uses)


def _readers(project: Project) -> Mapping[str, list[str]]:
    """By model: those that read it, through their macros, too."""
    found: dict[str, list[str]] = defaultdict(list)
    for draft in (*project.drafts, *project.intermediates):
        for ref in draft.refs:
            found[ref].append(draft.name)
    return found


def _macro(project: Project, macro: Macro, uses: list[tuple[str, MacroCall]]) -> Abstraction:
    lines = tree_lines(macro.tree, project.dialect)
    holes = tuple(
        Hole(name, tuple(_said(dict(call.args).get(name), project) for _, call in uses))
        for name in macro.params
    )
    called = sum(
        len(call_text(call, project.dialect, project.library.calls).splitlines())
        for _, call in uses
    )
    members = tuple(user for user, _ in uses)
    return Abstraction(macro.name, "macro", members, lines, lines * len(uses),
                       lines + _AROUND + called, holes)  # fmt: skip


def _calls(project: Project) -> Mapping[str, list[tuple[str, MacroCall]]]:
    """By macro: who calls it, and with what."""
    library = project.library
    hosts = library.hosts
    found: dict[str, list[tuple[str, MacroCall]]] = defaultdict(list)
    for host in sorted(hosts):
        for number in numbers_of(hosts[host]):
            call = library.calls[number]
            found[call.macro].append((host, call))
            for _, leaf in call.args:
                if (inner := HANDED_ON.fullmatch(leaf.text)) is not None:
                    handed = library.calls[int(inner[1])]
                    found[handed.macro].append((host, handed))
    return found


def _given(project: Project) -> Mapping[str, tuple[str, ...]]:
    """By macro: those that a call of it is an argument of."""
    calls = project.library.calls
    found: dict[str, tuple[str, ...]] = defaultdict(tuple)
    for _, call in (use for uses in _calls(project).values() for use in uses):
        for _, leaf in call.args:
            if (inner := HANDED_ON.fullmatch(leaf.text)) is not None:
                name = calls[int(inner[1])].macro
                found[name] = tuple(dict.fromkeys((*found[name], call.macro)))
    return found


def _said(leaf: Leaf | None, project: Project) -> str:
    """A value as it stands in the SQL, relations and variables by their names."""
    if leaf is None:
        return ""
    if (inner := HANDED_ON.fullmatch(leaf.text)) is not None:
        call = project.library.calls[int(inner[1])]
        return f"{call.macro}({', '.join(_said(each, project) for _, each in call.args)})"
    text = project.said(leaf.text)
    return f"'{text}'" if leaf.kind == "string" else text
