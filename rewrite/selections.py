"""Reports that take some columns of a macro's and do nothing else with them say which ones.

Instead of a query around the call, the macro has one more parameter: the columns that are left out,
where they keep their order, and the macro can do without them where they stand; else the list of
those that are taken, for a query around its own.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from unwet.rewrite.library import EVERY, HANDED_ON, LINE, NO_NAMES, Library, Macro
from unwet.rewrite.naming import free
from unwet.rewrite.shapes import Leaf

WITHOUT = "without"
_AROUND = 3  # lines of a query around a call: SELECT, FROM and the closing parenthesis
_LIST = 5  # lines around the query of a macro that has a list of columns, and one for reading it
_SIGNS = 8  # around the parameters of a call
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
        optional = _optional(macro, every, [columns for _, columns in users.values()])
        made = _listed(library, macro, every, users, optional)
        if _lines(made, macro.name) + _LIST * (not optional) < _lines(library, macro.name) + sum(
            len(columns) + _AROUND for _, columns in users.values()
        ):
            library = made
    return library


def _optional(macro: Macro, every: list[str], lists: Sequence[list[str]]) -> tuple[str, ...]:
    """The columns that some lists leave out; none where a list has another order, or the rows are
    not the same without them."""
    tree = macro.tree
    left = [name for name in every if any(name not in columns for columns in lists)]
    in_order = all(columns == [n for n in every if n in columns] for columns in lists)
    if not in_order or len(left) == len(every) or not isinstance(tree, exp.Select):
        return ()
    return tuple(left) if may_leave_out(tree, every, left) else ()


def may_leave_out(tree: exp.Select, every: Sequence[str], left: Sequence[str]) -> bool:
    """Whether the other outputs are in the same rows without those that are left out."""
    grouped = tree.args.get("group")
    if tree.args.get("distinct") or (grouped is not None and grouped.args.get("all")):
        return False
    if grouped is None and any(item.find(exp.AggFunc) for item in tree.expressions):
        return False
    return len({*left}) < len(every) and not _said_elsewhere(tree, every, left)


def _said_elsewhere(tree: exp.Select, every: Sequence[str], left: Sequence[str]) -> bool:
    """Whether another part of the query speaks of one of the columns that are left out, by its name
    or its position."""
    clauses = [tree.args[key] for key in ("group", "order") if tree.args.get(key)]
    numbers = [node.this for clause in clauses for node in clause.find_all(exp.Literal)]
    places = [int(each) for each in numbers if each.isdecimal()]
    if any(every.index(name) < max(places, default=0) for name in left):
        return True
    named = (c for c in tree.find_all(exp.Column) if not c.table and c.name.lower() in left)
    return any(c.find_ancestor(exp.Select) is tree for c in named)


def _lines(library: Library, name: str) -> int:
    """The lines of the macro's head and of its calls in models."""
    [macro] = [each for each in library.macros if each.name == name]
    heads = [[f"{each}='{macro.defaults.get(each, '')}'" for each in macro.params]]
    calls = [call.args for call in library.calls if call.macro == name]
    said = [[f"{each}='{leaf.text}'" for each, leaf in args] for args in calls]
    lengths = [len(name) + sum(len(word) + 2 for word in words) for words in heads + said]
    return sum(3 + length // LINE if length > LINE - _SIGNS else 1 for length in lengths)


def _around(tree: exp.Expr) -> tuple[int, list[str]] | None:
    """The number of the call that a model takes columns of, and these."""
    said = {key for key, value in tree.args.items() if value}
    source = tree.args.get("from_")
    inner = source.this if source is not None else None
    if not isinstance(tree, exp.Select) or said != {"expressions", "from_"}:
        return None
    call = HANDED_ON.fullmatch(inner.this.name) if isinstance(inner, exp.Subquery) else None
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
        return []  # an order above is not that of a query around it
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
    optional: tuple[str, ...],
) -> Library:
    name = free(WITHOUT if optional else "columns", macro.params)
    made = _leaving_out(macro, name, optional) if optional else _around_all(macro, name, every)
    models, calls = dict(library.models), list(library.calls)
    usual = (name, _said(every, every, optional))
    for number, call in enumerate(calls):
        if call.macro == macro.name:
            calls[number] = replace(call, unsaid=(*call.unsaid, usual))
    for model, (number, columns) in users.items():
        said = (name, _said(columns, every, optional))
        known, unsaid = calls[number].args, calls[number].unsaid[:-1]
        calls[number] = replace(calls[number], args=(*known, said), unsaid=unsaid)
        models[model] = exp.Var(this=f"call__{number}__call")
    macros = tuple(made if each is macro else each for each in library.macros)
    return Library(models, macros, tuple(calls))


def _leaving_out(macro: Macro, name: str, optional: tuple[str, ...]) -> Macro:
    defaults = {**macro.defaults, name: NO_NAMES.text}
    return replace(
        macro, params=(*macro.params, name), defaults=defaults, optional=(name, optional)
    )


def _around_all(macro: Macro, name: str, every: list[str]) -> Macro:
    inner = exp.Subquery(this=macro.tree, alias=exp.TableAlias(this=exp.to_identifier(EVERY)))
    tree = exp.Select(expressions=[exp.Var(this=f"h__{name}__h")], from_=exp.From(this=inner))
    defaults = {**macro.defaults, name: ", ".join(every)}
    return replace(macro, params=(*macro.params, name), tree=tree, defaults=defaults)


def _said(columns: list[str], every: list[str], optional: tuple[str, ...]) -> Leaf:
    """What a call says that takes these columns."""
    if not optional:
        return Leaf("condition", ", ".join(columns))
    return Leaf("names", f"[{', '.join(repr(n) for n in every if n not in columns)}]")
