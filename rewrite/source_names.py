"""A source is called by its schema alone where only one database of the pile has such a schema.

    source('shop_prod_sales', 'orders')  ->  source('sales', 'orders')

shortly_named(drafts) -> the drafts, whose trees are changed in place
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from unwet.rewrite.compose import Draft, Outside


def shortly_named(drafts: Sequence[Draft]) -> tuple[Draft, ...]:
    """The drafts of one project; where two schemas would have one name, they keep their own."""
    names = _names({outside for draft in drafts for outside in draft.outside})
    return tuple(_named(draft, names) for draft in drafts)


def _names(found: set[Outside]) -> Mapping[Outside, Outside]:
    meant: dict[str, set[str]] = defaultdict(set)  # the schemas that a name may stand for
    for outside in found:
        for each in (outside, _short(outside)):
            meant[each.source].add(outside.schema.lower())
    return {
        outside: short
        for outside in found
        if (short := _short(outside)).source != outside.source and len(meant[short.source]) == 1
    }


def _short(outside: Outside) -> Outside:
    return replace(
        outside, called=replace(outside, schema=outside.schema.rpartition(".")[2]).source
    )


def _named(draft: Draft, names: Mapping[Outside, Outside]) -> Draft:
    tokens = {each.token: names[each].token for each in draft.outside if each in names}
    if not tokens:
        return draft
    for table in draft.tree.find_all(exp.Table):
        if table.name in tokens:
            table.set("this", exp.to_identifier(tokens[table.name]))
    outside = sorted((names.get(each, each) for each in draft.outside), key=lambda o: o.token)
    return replace(draft, outside=tuple(outside))
