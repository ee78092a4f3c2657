"""A query that takes all that another one returns is that one, with what it asks of it.

    SELECT * FROM (SELECT k, COUNT(*) AS n FROM t GROUP BY k) WHERE n > 5 ORDER BY n
    =  SELECT k, COUNT(*) AS n FROM t GROUP BY k HAVING COUNT(*) > 5 ORDER BY n

A condition needs groups of which HAVING can ask it: no DISTINCT, no window, no grouping sets. What
stands in it for an output is said as that one is, so that no name means something else there: keys,
constants, and aggregates that are the same however often they are asked. An order without a LIMIT
does nothing inside; the one outside says outputs by name. It is proved like everything else.

one_select(drafts, stay, remembered) -> the drafts in these words
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import conjuncts, copied, found_in
from unwet.rewrite.compose import Draft
from unwet.rewrite.remembered import Remembered

_OUTER: Final = frozenset({"expressions", "from_", "with_", "where", "order", "limit", "offset"})
_INNER: Final = frozenset(
    {"expressions", "from_", "joins", "laterals", "where", "group", "having", "distinct", "order"}
)
_ENDS: Final = ("order", "limit", "offset")
_SURE: Final = (exp.Count, exp.CountIf, exp.Min, exp.Max)
_PLAIN: Final = (exp.Column, exp.Identifier, exp.Literal, exp.Boolean, exp.Null, exp.Distinct,
                 exp.Star, exp.Connector, exp.Not, exp.Paren, exp.Add, exp.Sub, exp.Mul, exp.EQ,
                 exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is, exp.In)  # fmt: skip
_SETS: Final = (exp.GroupingSets, exp.Cube, exp.Rollup)


def one_select(
    drafts: Sequence[Draft], stay: AbstractSet[str], remembered: Remembered
) -> tuple[Draft, ...]:
    """Those that ``stay`` keep their words."""
    done: list[Draft] = []
    for draft in drafts:
        mine = draft.name not in stay and any(map(_may, found_in(draft.tree, exp.Select)))
        done += remembered.of("one select", [draft], partial(_reworded, draft)) if mine else [draft]
    return tuple(done)


def _reworded(draft: Draft) -> list[Draft]:
    tree: exp.Expr = copied(draft.tree)
    changed = False
    for query in [*tree.find_all(exp.Select)][::-1]:  # what is inside comes first
        made = _joined(query) if _may(query) else None
        if made is None:
            continue
        changed = True
        if query is tree:
            tree = made
        else:
            query.replace(made)
    assert isinstance(tree, exp.Query)
    return [replace(draft, tree=tree)] if changed else [draft]


def _may(query: exp.Select) -> bool:
    """Whether a query takes all of one, and does no more than to ask for some of its rows."""
    source = query.args.get("from_")
    inner = source.this if source is not None else None
    if not isinstance(inner, exp.Subquery) or not isinstance(inner.this, exp.Select):
        return False
    if isinstance(query.parent, exp.SetOperation) or not _says(query) <= _OUTER:
        return False
    around = {name for name, value in inner.args.items() if value} - {"this", "alias"}
    named = inner.args.get("alias")
    columns = named is not None and named.args.get("columns")
    star = query.expressions[0] if len(query.expressions) == 1 else None
    every = isinstance(star, exp.Star) and not any(star.args.values())
    distinct = inner.this.args.get("distinct")
    first = distinct is not None and distinct.args.get("on")  # of its own order
    return every and not around and not columns and not first and _says(inner.this) <= _INNER


def _says(query: exp.Select) -> frozenset[str]:
    return frozenset(name for name, value in query.args.items() if value)


def _joined(query: exp.Select) -> exp.Select | None:
    """The inner query with what the outer one asks; None where it cannot be said there."""
    source = query.args["from_"].this
    inner: exp.Select = source.this
    outputs = {_name(each): each.unalias() for each in inner.expressions}
    if "" in outputs or len(outputs) < len(inner.expressions) or inner.is_star:
        return None
    ends = {name: query.args[name] for name in _ENDS if query.args.get(name)}
    if inner.args.get("order") and ({*ends} & {"limit", "offset"}):
        return None  # which rows these are
    order = ends.get("order")
    if order is not None and not all(_names_one(each, outputs) for each in order.expressions):
        return None
    made: exp.Select = copied(inner)
    if (where := query.args.get("where")) is not None:
        words = _asked(where.this, inner, outputs)
        if not words:
            return None
        having = made.args.get("having")
        own = [copied(part) for part in conjuncts(having.this)] if having is not None else []
        made.set("having", exp.Having(this=exp.and_(*own, *words, copy=False)))
    for name, clause in ends.items():
        made.set(name, copied(clause))
    if order is not None:
        for column in made.args["order"].find_all(exp.Column):
            column.set("table", None)
    if (block := query.args.get("with_")) is not None:
        made.set("with_", copied(block))
    made.comments = [*(query.comments or ()), *(inner.comments or ())] or None
    return made


def _name(item: exp.Expr) -> str:
    """What an output is called by whoever wrote it."""
    return item.output_name.lower() if isinstance(item, exp.Alias | exp.Column) else ""


def _names_one(ordered: exp.Expr, outputs: Mapping[str, exp.Expr]) -> bool:
    """Whether rows are in the order of an output."""
    column = ordered.this
    return isinstance(column, exp.Column) and column.name.lower() in outputs


def _asked(test: exp.Expr, inner: exp.Select, outputs: Mapping[str, exp.Expr]) -> list[exp.Expr]:
    """The condition in words of the inner query; none where it cannot ask it of its groups."""
    group = inner.args.get("group")
    if group is None or group.find(*_SETS) or group.args.get("totals"):
        return []
    if inner.args.get("distinct"):
        return []
    if any(item.find(exp.Window, exp.Query) for item in inner.expressions):
        return []
    if not all(isinstance(node, _PLAIN) for node in test.walk()):
        return []
    words: list[exp.Expr] = []
    for part in conjuncts(test):
        made = copied(exp.Paren(this=part))
        for column in [*made.find_all(exp.Column)]:
            said = outputs.get(column.name.lower())
            if said is None or not _is_sure(said, inner, outputs):
                return []
            word = copied(said)
            column.replace(exp.Paren(this=word) if isinstance(word, exp.Binary) else word)
        words.append(made.this)
    return words


def _is_sure(said: exp.Expr, inner: exp.Select, outputs: Mapping[str, exp.Expr]) -> bool:
    """Whether an output is the same wherever it is said, and the same in HAVING, where a name may
    be that of an output."""
    if not all(isinstance(node, (*_SURE, *_PLAIN)) for node in said.walk()):
        return False
    outside = (each for each in said.find_all(exp.Column) if each.find_ancestor(*_SURE) is None)
    if any(each is not said for each in outside):
        return False  # a key that is computed: not all engines know it again
    for column in said.find_all(exp.Column):
        own = outputs.get(column.name.lower())
        if own is not None and own != column:
            return False
    return True
