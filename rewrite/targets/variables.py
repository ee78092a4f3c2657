"""Which variables, placeholders of the pile, each model needs; a project may have values for
them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from unwet.lineage.trees import texts
from unwet.rewrite.library import Library, MacroCall, numbers_in
from unwet.rewrite.project import Project
from unwet.rewrite.targets.tokens import TOKEN

_VARIABLE = re.compile(r"p__(\w+?)__p")
_MACRO = "macro "  # in front of its name: a model may have the same


def unset(project: Project) -> dict[str, tuple[str, ...]]:
    """The variables that each model needs, itself or through those it reads and the macros it
    calls."""
    library = project.library
    named = {o.token.lower(): f"{o.schema}.{o.table}" for o in project.outside()}
    own: dict[str, frozenset[str]] = {}
    uses: dict[str, frozenset[str]] = {}
    words = {name: [*texts(tree)] for name, tree in library.models.items()}
    for macro in library.macros:
        words[_MACRO + macro.name] = [*texts(macro.tree), *macro.defaults.values()]
    for name, said in words.items():
        calls = list(_calls(said, library))
        handed = (text for call in calls for text in call.texts)
        own[name] = _variables((*said, *handed), named)
        uses[name] = frozenset(_MACRO + call.macro for call in calls)
    for draft in (*project.drafts, *project.intermediates):
        uses[draft.name] = uses.get(draft.name, frozenset()) | frozenset(draft.refs)
    names = [draft.name for draft in (*project.drafts, *project.intermediates)]
    return {name: tuple(sorted(_needed(name, uses, own))) for name in names}


def _needed(
    name: str, uses: Mapping[str, Iterable[str]], own: Mapping[str, frozenset[str]]
) -> frozenset[str]:
    found: set[str] = set()
    seen: set[str] = set()
    stack = [name]
    while stack:
        model = stack.pop()
        if model not in seen:
            seen.add(model)
            found |= own.get(model, frozenset())
            stack.extend(uses.get(model, ()))
    return frozenset(found)


def _variables(words: Iterable[str], named: Mapping[str, str]) -> frozenset[str]:
    """The variables in texts, and in the names of the sources that they read."""
    text = "\n".join(words)
    sources = (named.get(hit.group().lower(), "") for hit in TOKEN.finditer(text))
    return frozenset(name.lower() for name in _VARIABLE.findall("\n".join((text, *sources))))


def _calls(words: Iterable[str], library: Library) -> Iterator[MacroCall]:
    """The calls in texts, and those that are handed on in such calls."""
    waiting = [number for text in words for number in numbers_in(text)]
    while waiting:
        call = library.calls[waiting.pop()]
        yield call
        said = (*call.args, *call.unsaid)
        waiting += [number for _, leaf in said for number in numbers_in(leaf.text)]
