"""Which variables, placeholders of the pile that have no value, each model needs."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from unwet.lineage.trees import texts
from unwet.rewrite.library import Library
from unwet.rewrite.project import Project

_VARIABLE = re.compile(r"p__(\w+?)__p")


def unset(project: Project) -> dict[str, tuple[str, ...]]:
    """The variables without a value that each model needs, itself or through those it reads."""
    library = project.library
    inside: dict[str, frozenset[str]] = {}
    for macro in reversed(library.macros):  # a macro calls only macros that were chosen later
        inside[macro.name] = _variables(texts(macro.tree), library, inside)
    own = {name: _variables(texts(t), library, inside) for name, t in library.models.items()}
    refs = {d.name: d.refs for d in (*project.drafts, *project.intermediates)}
    return {name: tuple(sorted(_needed(name, refs, own))) for name in refs}


def _needed(
    name: str, refs: Mapping[str, Sequence[str]], own: Mapping[str, frozenset[str]]
) -> frozenset[str]:
    found: set[str] = set()
    seen: set[str] = set()
    stack = [name]
    while stack:
        model = stack.pop()
        if model not in seen:
            seen.add(model)
            found |= own.get(model, frozenset())
            stack.extend(refs.get(model, ()))
    return frozenset(found)


def _variables(
    words: Iterable[str], library: Library, inside: Mapping[str, frozenset[str]]
) -> frozenset[str]:
    """The variables named in a tree's texts and in the macro calls that stand in it."""
    text = "\n".join(words)
    found = {name.lower() for name in _VARIABLE.findall(text)}
    for number in re.findall(r"(?:call|tail)__(\d+)__", text):
        call = library.calls[int(number)]
        found.update(v.lower() for _, leaf in call.args for v in _VARIABLE.findall(leaf.text))
        found |= inside.get(call.macro, frozenset())
    return frozenset(found)
