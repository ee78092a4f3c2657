"""Reports that take some columns of a macro's and do nothing else with them say which ones.

Instead of a query around the call, the macro has one more parameter: the list of its columns, all
where a call says nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace

from sqlglot import exp

from unwet.rewrite.library import EVERY, LINE, Library, Macro
from unwet.rewrite.naming import free
from unwet.rewrite.shapes import Leaf

_AROUND = 3  # lines of a query around a call: SELECT, FROM and the closing parenthesis
_LIST = 5  # lines around the query of a macro that has a list of columns, and one for reading it
_CALL = re.compile(r"call__(\d+)__call")
_PLAIN = re.compile(r"[a-z_][a-z0-9_]*")


def selected(library: Library) -> Library:
    """The library, with lists of columns where these make it smaller."""
    found: dict[str, dict[str, tuple[int, list[str]]]] = defaultdict(dict)
    for name, tree in library.models.items():
        if (around := _around(tree)) is not None:
            found[library.calls[around[0]].macro][name] = around
    for macro in library.macros:
        users = found.get(macro.name, {})
        every = _columns(macro)
        if not users or not all({*columns} <= {*every} for _, columns in users.values()):
            continue
        made = _listed(library, macro, every, users)
        if _lines(made, macro.name) + _LIST < _lines(library, macro.name) + sum(
            len(columns) + _AROUND for _, columns in users.values()
        ):
            library = made
    return library


def _lines(library: Library, name: str) -> int:
    """The lines of the macro's head and of its calls in models: what is too long for one line has
    one for each parameter."""
    [macro] = [each for each in library.macros if each.name == name]
    heads = [[f"{each}='{macro.defaults.get(each, '')}'" for each in macro.params]]
    calls = [call.args for call in library.calls if call.macro == name]
    said = [[f"{each}='{leaf.text}'" for each, leaf in args] for args in calls]
    return sum(
        len(words) + 2 if len(name) + sum(len(word) + 2 for word in words) > LINE else 1
        for words in heads + said
    )


def _around(tree: exp.Expr) -> tuple[int, list[str]] | None:
    """The number of the call that a model takes columns of, and these."""
    said = {key for key, value in tree.args.items() if value}
    source = tree.args.get("from_")
    inner = source.this if source is not None else None
    if not isinstance(tree, exp.Select) or said != {"expressions", "from_"}:
        return None
    call = _CALL.fullmatch(inner.this.name) if isinstance(inner, exp.Subquery) else None
    names = [item.name for item in tree.expressions if _is_plain(item)]
    return (int(call[1]), names) if call and len(names) == len(tree.expressions) else None


def _is_plain(item: exp.Expr) -> bool:
    if not isinstance(item, exp.Column) or item.table or not isinstance(item.this, exp.Identifier):
        return False
    return not item.this.quoted and bool(_PLAIN.fullmatch(item.name))


def _columns(macro: Macro) -> list[str]:
    """The columns of a query; none where they cannot be listed, or their order is the report's."""
    tree = macro.tree
    if macro.kind != "query" or not isinstance(tree, exp.Select) or tree.args.get("order"):
        return []
    names = [item.alias_or_name for item in tree.expressions]
    called = [item.args.get("alias") or item.args.get("this") for item in tree.expressions]
    if any(isinstance(word, exp.Identifier) and word.quoted for word in called):
        return []
    return names if all(map(_PLAIN.fullmatch, names)) and "__" not in "".join(names) else []


def _listed(
    library: Library,
    macro: Macro,
    every: list[str],
    users: Mapping[str, tuple[int, list[str]]],
) -> Library:
    name = free("columns", macro.params)
    inner = exp.Subquery(this=macro.tree, alias=exp.TableAlias(this=exp.to_identifier(EVERY)))
    tree = exp.Select(expressions=[exp.Var(this=f"h__{name}__h")], from_=exp.From(this=inner))
    defaults = {**macro.defaults, name: ", ".join(every)}
    made = replace(macro, params=(*macro.params, name), tree=tree, defaults=defaults)
    models, calls = dict(library.models), list(library.calls)
    usual = (name, Leaf("condition", defaults[name]))
    for number, call in enumerate(calls):
        if call.macro == macro.name:
            calls[number] = replace(call, unsaid=(*call.unsaid, usual))
    for model, (number, columns) in users.items():
        said = (name, Leaf("condition", ", ".join(columns)))
        known, unsaid = calls[number].args, calls[number].unsaid[:-1]
        calls[number] = replace(calls[number], args=(*known, said), unsaid=unsaid)
        models[model] = exp.Var(this=f"call__{number}__call")
    macros = tuple(made if each is macro else each for each in library.macros)
    return Library(models, macros, tuple(calls))
