"""Other names for the macros, the parameters of macros and the intermediate models of a project."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.compose import Draft
from unwet.rewrite.library import Library, Macro, MacroCall, calls_within, numbers_of
from unwet.rewrite.naming import NO_PARAMETERS, RESERVED
from unwet.rewrite.project import Project
from unwet.rewrite.shapes import Leaf

Words = Callable[[str], str]
_REF: Final = re.compile(r"ref__(\w+?)__ref(?![a-z_])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Called:
    """`name`, or the `parameter` of the macro `name`, is called `to`."""

    name: str
    parameter: str
    to: str


def renamed(project: Project, wanted: Iterable[Called]) -> tuple[Project, dict[Called, str]]:
    """The project with these names, and why some could not be given."""
    problems: dict[Called, str] = {}
    for each in wanted:
        problem = _problem(project, each)
        if problem:
            problems[each] = problem
        elif each.parameter:
            project = replace(project, library=_parameter(project.library, each))
        else:
            project = named(project, {each.name: each.to})
    return project, problems


def _problem(project: Project, each: Called) -> str:
    macros = {macro.name: macro for macro in project.library.macros}
    models = {draft.name for draft in project.intermediates}
    if each.parameter:
        params = macros[each.name].params if each.name in macros else ()
        if each.parameter not in params:
            return "there is no such parameter"
        taken = {*params, *NO_PARAMETERS}
    elif each.name not in macros and each.name not in models:
        return "nothing is called so"
    else:
        taken = {*macros, *models, *project.reports, *RESERVED}
    return f"{each.to} is taken or reserved" if each.to in taken else ""


def with_parameters(library: Library, names: Mapping[tuple[str, str], str]) -> Library:
    """The library with other names, which are free, for parameters of macros."""
    for (macro, parameter), to in names.items():
        library = _parameter(library, Called(macro, parameter, to))
    return library


def _parameter(library: Library, each: Called) -> Library:
    """The parameter in its macro, in the calls of that, and in what it hands on."""
    words = _token("h", each.parameter, each.to)

    def other(name: str) -> str:
        return each.to if name == each.parameter else name

    def macro(found: Macro) -> Macro:
        if found.name != each.name:
            return found
        return replace(
            found,
            params=tuple(map(other, found.params)),
            tree=_spoken(found.tree, words),
            defaults={other(name): text for name, text in found.defaults.items()},
            optional=(other(found.optional[0]), found.optional[1]),
            scoped=(other(found.scoped[0]), found.scoped[1]),
        )

    own = [n for found in library.macros if found.name == each.name for n in numbers_of(found.tree)]
    inside = calls_within(own, library.calls)

    def call(number: int, found: MacroCall) -> MacroCall:
        args, unsaid = found.args, found.unsaid
        if number in inside:
            args = tuple((name, _leaf(leaf, words)) for name, leaf in args)
        if found.macro == each.name:
            args = tuple((other(name), leaf) for name, leaf in args)
            unsaid = tuple((other(name), leaf) for name, leaf in unsaid)
        return replace(found, args=args, unsaid=unsaid)

    calls = tuple(call(number, found) for number, found in enumerate(library.calls))
    return replace(library, macros=tuple(map(macro, library.macros)), calls=calls)


def named(project: Project, names: Mapping[str, str]) -> Project:
    """The project with other names for macros and intermediate models, all at once."""
    if not names:
        return project

    def other(name: str) -> str:
        return names.get(name, name)

    def words(text: str) -> str:
        return _REF.sub(lambda found: f"ref__{other(found[1])}__ref", text)

    library = project.library
    macros = tuple(
        replace(
            macro,
            name=other(macro.name),
            tree=_spoken(macro.tree, words),
            defaults={name: words(text) for name, text in macro.defaults.items()},
        )
        for macro in library.macros
    )
    calls = tuple(
        replace(call, macro=other(call.macro),
                args=tuple((name, _leaf(leaf, words)) for name, leaf in call.args),
                unsaid=tuple((name, _leaf(leaf, words)) for name, leaf in call.unsaid))
        for call in library.calls
    )  # fmt: skip
    models = {other(name): _spoken(tree, words) for name, tree in library.models.items()}

    def draft(found: Draft) -> Draft:
        tree = _spoken(found.tree, words)
        assert isinstance(tree, exp.Query)  # a copy of one
        refs = tuple(sorted(map(other, found.refs)))
        return replace(found, name=other(found.name), refs=refs, tree=tree)

    return replace(
        project,
        drafts=tuple(map(draft, project.drafts)),
        intermediates=tuple(map(draft, project.intermediates)),
        library=Library(models, macros, calls),
    )


def _token(kind: str, name: str, to: str) -> Words:
    pattern = re.compile(rf"{kind}__{re.escape(name)}__{kind}(?![a-z_])", re.IGNORECASE)
    return lambda text: pattern.sub(f"{kind}__{to}__{kind}", text)


def _leaf(leaf: Leaf, words: Words) -> Leaf:
    return replace(leaf, text=words(leaf.text))


def _spoken(tree: exp.Expr, words: Words) -> exp.Expr:
    """A copy with other words; the tree itself where nothing changes."""
    if not any(words(node.this) != node.this for node in _named(tree)):
        return tree
    copy = copied(tree)
    for node in _named(copy):
        node.set("this", words(node.this))
    return copy


def _named(tree: exp.Expr) -> Iterable[exp.Expr]:
    return (node for node in tree.find_all(exp.Identifier, exp.Literal, exp.Var)
            if isinstance(node.this, str))  # fmt: skip
