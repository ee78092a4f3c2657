"""A macro that only branches of UNION ALLs call is written in their loops.

``{{ part(scope=scope, relation=relation) }}`` in a loop over scopes and relations is read twice: in
the loop, and in a file of its own that nothing else needs. Where branches that are written out are
loops by themselves, with no more lines in all, nobody has to look for the macro.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.library import HANDED_ON, HOLE, Library, Macro, MacroCall, numbers_in, numbers_of
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.sizes import code_lines
from unwet.rewrite.targets.jinja import template
from unwet.rewrite.targets.loops import LEAST
from unwet.rewrite.unions import word

_PLAIN: Final = ("name", "string", "number")
_WORDS: Final = (exp.Identifier, exp.Literal, exp.Var)
_AROUND: Final = 2  # the first and the last line of a macro


def written_out(library: Library, dialect: str) -> Library:
    """The library without such macros; their calls, which nothing makes any more, are still in it,
    so that the others keep their numbers."""
    users = _users(library)
    handed = {n for call in library.calls for text in call.texts for n in numbers_in(text)}
    handed |= {n for macro in library.macros for text in macro.defaults.values()
               for n in numbers_in(text)}  # fmt: skip
    models, gone = dict(library.models), set[str]()
    own: dict[str, dict[int, MacroCall]] = defaultdict(dict)
    for number, call in enumerate(library.calls):
        own[call.macro][number] = call
    for macro in library.macros:
        calls, hosts = own[macro.name], users[macro.name]
        if handed & calls.keys() or not hosts <= models.keys() or not _may_be_written(macro):
            continue
        new = {host: _written(models[host], macro, calls) for host in sorted(hosts)}
        made = {host: tree for host, tree in new.items() if tree is not None}
        if made and len(made) == len(new) and _pays(models, made, macro, library, dialect):
            models |= made
            gone.add(macro.name)
    macros = tuple(macro for macro in library.macros if macro.name not in gone)
    return replace(library, models=models, macros=macros)


def _users(library: Library) -> Mapping[str, set[str]]:
    """The models and macros that call each macro."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, tree in library.hosts.items():
        for number in numbers_of(tree):
            found[library.calls[number].macro].add(name)
    return found


def _may_be_written(macro: Macro) -> bool:
    """Whether nothing in it depends on more than the words that its parameters are."""
    if macro.kind != "query" or macro.optional[0] or macro.scoped[0] or macro.rows:
        return False
    return not numbers_of(macro.tree)


def _written(tree: exp.Expr, macro: Macro, calls: Mapping[int, MacroCall]) -> exp.Expr | None:
    """The tree with the macro's in place of its calls; None where one is no branch, or says more
    than a name or a constant."""
    tree = copied(tree)
    done = 0
    for node in [*tree.find_all(exp.Var)]:
        hit = HANDED_ON.fullmatch(node.name)
        if hit is None or int(hit[1]) not in calls:
            continue
        said = dict((*calls[int(hit[1])].unsaid, *calls[int(hit[1])].args))
        if not word(node.parent or node) or {*said} != {*macro.params}:
            return None
        if any(leaf.kind not in _PLAIN or HOLE.search(leaf.text) for leaf in said.values()):
            return None
        node.replace(_filled(copied(macro.tree), said))
        done += 1
    return tree if done >= LEAST else None


def _filled(tree: exp.Expr, said: Mapping[str, Leaf]) -> exp.Expr:
    """In place: words where parameters are."""
    for node in [*tree.walk()]:
        hit = HOLE.search(node.name) if isinstance(node, _WORDS) else None
        if hit is None:
            continue
        if isinstance(node, exp.Var):
            node.replace(exp.Literal.number(said[hit[1]].text))
            continue
        whole = said[hit[1]] if HOLE.fullmatch(node.name) else None
        node.set("this", HOLE.sub(lambda each: said[each[1]].text, node.name))
        if isinstance(node, exp.Identifier) and whole is not None:
            node.set("quoted", whole.quoted)
    return tree


def _pays(
    old: Mapping[str, exp.Expr],
    new: Mapping[str, exp.Expr],
    macro: Macro,
    library: Library,
    dialect: str,
) -> bool:
    def lines(trees: Iterable[exp.Expr]) -> int:
        texts = (template(tree, dialect, library.calls, tables=True) for tree in trees)
        return sum(map(code_lines, texts))

    before = lines([macro.tree, *(old[host] for host in new)]) + _AROUND
    return lines(new.values()) <= before
