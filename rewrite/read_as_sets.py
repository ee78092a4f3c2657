"""Groups of which nobody sees how many there are: a query that is read as a set is DISTINCT.

    SELECT a, COUNT(DISTINCT b) AS n FROM (SELECT a, b FROM t GROUP BY a, b, c) AS w GROUP BY a
    =  SELECT a, COUNT(DISTINCT b) AS n FROM (SELECT DISTINCT a, b FROM t) AS w GROUP BY a

A group that is not shown whole repeats rows, and what reads them takes no notice: DISTINCT, or
groups of which only MIN, MAX and COUNT(DISTINCT x) are asked. A list of keys that no output shows
says that it matters. Its outputs are keys, or fields of keys, so that both have the same rows, but
for how often each is there; NULLs are one key for GROUP BY and DISTINCT alike, and over no rows
neither has one. A key that is called like an output may be either, and stays.

Whoever reads it, by whatever name, has to be such a query, and say nothing that tells equal values
apart (`ASCII('a')`, where 'a' = 'A'): with other groups another one of them would be shown. Not
beside windows, LIMIT inside, DISTINCT ON, and functions of unknown name. It is proved like
everything else.

as_sets(drafts, stay, remembered) -> the drafts in these words
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import partial
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied, found_in
from unwet.rewrite.compose import Draft
from unwet.rewrite.remembered import Remembered

_GROUPED: Final = {"expressions", "from_", "joins", "where", "group"}
_READER: Final = _GROUPED | {"with_", "having", "order", "limit", "offset", "distinct"}
_BLIND: Final = (exp.Min, exp.Max)
_STEADY: Final = (
    exp.Column, exp.Identifier, exp.Dot, exp.Literal, exp.Boolean, exp.Null, exp.Alias, exp.Star,
    exp.Connector, exp.Not, exp.Paren, exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Is,
    exp.In, exp.Between, exp.Add, exp.Sub, exp.Mul, exp.Case, exp.If, exp.Coalesce, exp.Ordered,
    exp.Count, exp.Distinct, exp.Min, exp.Max, exp.Tuple,
)  # fmt: skip


def as_sets(
    drafts: Sequence[Draft], stay: AbstractSet[str], remembered: Remembered
) -> tuple[Draft, ...]:
    """Those that ``stay`` keep their words."""
    done: list[Draft] = []
    for draft in drafts:
        mine = draft.name not in stay and any(_sets(draft.tree))
        done += remembered.of("as sets", [draft], partial(_reworded, draft)) if mine else [draft]
    return tuple(done)


def _reworded(draft: Draft) -> list[Draft]:
    tree = copied(draft.tree)
    for query in [*_sets(tree)]:
        query.set("group", None)
        query.set("distinct", exp.Distinct())
    return [replace(draft, tree=tree)]


def _sets(tree: exp.Expr) -> Iterator[exp.Select]:
    """Queries that group for nobody."""
    for query in found_in(tree, exp.Select):
        if _shows_keys(query):
            readers = _readers(query, tree)
            if readers and all(map(_is_blind, readers)):
                yield query


# --- what is grouped


def _shows_keys(query: exp.Select) -> bool:
    """Whether its outputs are keys of its groups, or fields of these, and it says no more."""
    group = query.args.get("group")
    if group is None or _said(group) != {"expressions"} or not _said(query) <= _GROUPED:
        return False
    keys = [_parts(key) for key in group.expressions]
    items = [_parts(item.unalias()) for item in query.expressions]
    new = {item.alias.lower() for item in query.expressions if isinstance(item, exp.Alias)}
    if () in keys or () in items or any(key == (name,) for key in keys for name in new):
        return False
    return all(any(item[: len(key)] == key for key in keys) for item in items)


def _parts(node: exp.Expr) -> tuple[str, ...]:
    """The names of a column, or of a field of one; none where it is anything else."""
    if not isinstance(node, exp.Column) or isinstance(node.this, exp.Star):
        return ()
    return tuple(part.name.lower() for part in node.parts)


# --- what reads it


def _readers(query: exp.Select, tree: exp.Expr) -> list[exp.Expr | None]:
    """The queries that read a CTE or a derived table; None for what is no query that does only
    that, nothing where it is neither."""
    match query.parent:
        case exp.Subquery() as derived if isinstance(derived.parent, exp.From | exp.Join):
            return [_reader(derived)]
        case exp.CTE() as cte if isinstance(cte.parent, exp.With):
            name = cte.alias.lower()
            named = [each for each in tree.find_all(exp.CTE) if each.alias.lower() == name]
            if len(named) > 1 or cte.args["alias"].args.get("columns"):
                return []
            if cte.parent.args.get("recursive") or any(n.args.get("field") for n in
                                                       tree.find_all(exp.In)):  # fmt: skip
                return []
            return [_reader(each) for each in tree.find_all(exp.Table)
                    if each.name.lower() == name and not each.args.get("db")]  # fmt: skip
        case _:
            return []


def _reader(item: exp.Expr) -> exp.Expr | None:
    """The query of whose FROM it is an item."""
    alias, around = item.args.get("alias"), item.parent
    if _said(item) - {"this", "alias"} or (alias is not None and alias.args.get("columns")):
        return None
    return around.parent if isinstance(around, exp.From | exp.Join) else None


def _is_blind(reader: exp.Expr | None) -> bool:
    """Whether a query does not notice a row that comes twice, nor which of two equal ones it is."""
    if not isinstance(reader, exp.Select) or not _said(reader) <= _READER:
        return False
    group, distinct = reader.args.get("group"), reader.args.get("distinct")
    if group is not None and not (_said(group) and _said(group) <= {"expressions", "all"}):
        return False
    if isinstance(distinct, exp.Distinct) and distinct.args.get("on"):
        return False
    words = [word for part in _asked(reader) for word in part.walk()]
    if not all(isinstance(word, _STEADY) for word in words):
        return False
    asked = [word for word in words if isinstance(word, exp.AggFunc)]
    return bool(group or distinct or asked) and all(map(_takes_once, asked))


def _asked(reader: exp.Select) -> Iterator[exp.Expr]:
    """All that it says of its rows."""
    for name in ("where", "having"):
        if (clause := reader.args.get(name)) is not None:
            yield clause.this
    for name in ("group", "order"):
        yield from clause.expressions if (clause := reader.args.get(name)) is not None else ()
    for join in reader.args.get("joins") or ():
        if (test := join.args.get("on")) is not None:
            yield test
    yield from reader.expressions


def _takes_once(asked: exp.AggFunc) -> bool:
    if isinstance(asked, _BLIND):
        return _said(asked) == {"this"}
    return isinstance(asked, exp.Count) and isinstance(asked.this, exp.Distinct)


def _said(node: exp.Expr) -> set[str]:
    return {name for name, value in node.args.items() if value}
