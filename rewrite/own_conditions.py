"""A query in front of a call that is a shared model with more conditions: the call says these.

    WITH charges AS (SELECT CAST(a.data ->> 'created' AS DATE) AS day, ... FROM stg AS a
                     WHERE a.live AND CAST(a.data ->> 'created' AS DATE) >= '2024-05-01')
    payments(relation=charges)                             ->    payments(condition="c.day >= ...")

where the macro reads `int_charges`, which is that query without the last condition. It is the same
as long as the condition speaks of outputs of the model, the macro takes a condition where it reads
the relation, and no join can bring rows that have none of it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.printing import as_said
from unwet.lineage.trees import conjuncts, copied
from unwet.rewrite.library import HANDED_ON, Library, Macro, MacroCall
from unwet.rewrite.query_parts import side, sources
from unwet.rewrite.shapes import Leaf

_REF: Final = re.compile(r"ref__(\w+)__ref", re.IGNORECASE)
_CONDITION: Final = re.compile(r"h__(\w+?)__h")
_CLAUSES: Final = frozenset({"expressions", "from_", "joins", "where"})
_OTHERS_ROWS: Final = (exp.Query, exp.Window, exp.AggFunc)
_KEPT: Final = frozenset({"", "LEFT"})  # joins that keep a row of the first relation, or drop it


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a macro reads a relation: its name there, and the parameter for conditions on it."""

    alias: str
    condition: str


def with_own_conditions(library: Library, dialect: str, alone: Collection[str]) -> Library:
    """The library with such calls; not in models that stay ``alone``."""
    macros = {macro.name: macro for macro in library.macros}
    models, calls = dict(library.models), [*library.calls]
    for name, tree in library.models.items():
        found = _in_front(tree) if name not in alone else None
        if found is None:
            continue
        number, cte = found
        call = _said(calls[number], macros[calls[number].macro], cte, models, dialect)
        if call is not None:
            calls[number] = call
            models[name] = exp.Var(this=f"call__{number}__call")
    return replace(library, models=models, calls=tuple(calls))


def _in_front(tree: exp.Expr) -> tuple[int, exp.CTE] | None:
    """The number of a model's only call, and the only query in front of it."""
    block = tree.args.get("with_")
    if not isinstance(tree, exp.Select) or {k for k, v in tree.args.items() if v} != {
        "with_",
        "expressions",
    }:
        return None
    hit = HANDED_ON.fullmatch(tree.expressions[0].name) if len(tree.expressions) == 1 else None
    if hit is None or block is None or block.args.get("recursive") or len(block.expressions) > 1:
        return None
    return int(hit[1]), block.expressions[0]


def _said(
    call: MacroCall, macro: Macro, cte: exp.CTE, models: dict[str, exp.Expr], dialect: str
) -> MacroCall | None:
    """The call with what is asked more, without the query; None where it is not only that."""
    read = Leaf("name", cte.alias)
    params = [name for name, leaf in call.args if leaf == read]
    hit = _REF.fullmatch(macro.defaults.get(params[0], "")) if len(params) == 1 else None
    model, own = models.get(hit[1].lower()) if hit is not None else None, cte.this
    place = _place(macro, params[0]) if hit is not None else None
    if place is None or not isinstance(model, exp.Select) or not isinstance(own, exp.Select):
        return None
    more = _asked_more(own, model)
    told = _told(more, model, place.alias) if more else None
    if told is None:
        return None
    said = dict((*call.unsaid, *call.args))
    before = said.get(place.condition, Leaf("condition", macro.defaults.get(place.condition, "")))
    texts = [as_said(each, dialect) for each in told]
    texts[:0] = [before.text] if before.text not in ("", "TRUE") else []
    own_args = dict(call.args) | {place.condition: Leaf("condition", " AND ".join(texts))}
    args = tuple((n, own_args[n]) for n in macro.params if n in own_args and n != params[0])
    usual = (params[0], Leaf("name", macro.defaults[params[0]]))
    unsaid = tuple(each for each in call.unsaid if each[0] != place.condition)
    return replace(call, args=args, unsaid=(*unsaid, usual))


def _place(macro: Macro, parameter: str) -> _Place | None:
    """Where the macro reads that relation, once and first, and takes conditions."""
    word = f"h__{parameter}__h"
    tables = [table for table in macro.tree.find_all(exp.Table) if table.name == word]
    query = tables[0].find_ancestor(exp.Select) if len(tables) == 1 else None
    where = query.args.get("where") if query is not None else None
    if query is None or where is None or not tables[0].alias:
        return None
    (first, _), *others = sources(query)
    joins = {side(join) for join in query.args.get("joins") or ()}
    if first is not tables[0] or not joins <= _KEPT or any(source is first for source, _ in others):
        return None
    holes = (_CONDITION.fullmatch(e.name) for e in conjuncts(where.this) if isinstance(e, exp.Var))
    names = [hole[1] for hole in holes if hole is not None]
    return _Place(tables[0].alias, names[0]) if len(names) == 1 else None


def _asked_more(own: exp.Select, model: exp.Select) -> list[exp.Expr]:
    """The conditions of a query that the model has not; none where another part differs."""
    clauses = [{k for k, v in query.args.items() if v} for query in (own, model)]
    if not all(each <= _CLAUSES for each in clauses):
        return []
    if any(own.args.get(key) != model.args.get(key) for key in ("from_", "joins")):
        return []
    outputs = {item.alias_or_name: item.unalias() for item in model.expressions}
    if any(outputs.get(item.alias_or_name) != item.unalias() for item in own.expressions):
        return []
    mine, theirs = (_tests(query) for query in (own, model))
    return [each for each in mine if each not in theirs] if all(t in mine for t in theirs) else []


def _tests(query: exp.Select) -> list[exp.Expr]:
    where = query.args.get("where")
    return [*conjuncts(where.this)] if where is not None else []


def _told(tests: Sequence[exp.Expr], model: exp.Select, alias: str) -> list[exp.Expr] | None:
    """The conditions as they are of the model's outputs; None where they ask something else."""
    outputs = {item.unalias(): item.alias_or_name for item in model.expressions}
    found: list[exp.Expr] = []
    for test in tests:
        if isinstance(test, exp.Or) or test.find(*_OTHERS_ROWS):
            return None
        holder = exp.Paren(this=copied(test))
        stack: list[exp.Expr] = [holder.this]
        while stack:
            node = stack.pop()
            if node in outputs:
                node.replace(exp.column(outputs[node], table=alias))
            elif isinstance(node, exp.Column):
                return None
            else:
                stack.extend(node.iter_expressions())
        found.append(holder.this)
    return found
