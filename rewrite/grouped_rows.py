"""Queries of which some are grouped by all their outputs, some say DISTINCT, and some neither, as
one template with a parameter for that.

    SELECT DISTINCT url, app FROM t WHERE ..   =  SELECT url, app FROM t WHERE .. GROUP BY ALL
    SELECT app, COUNT(*) AS n FROM t WHERE .. GROUP BY ALL
    SELECT url, app FROM t WHERE ..
 -> SELECT {{ columns }} FROM t WHERE .. {% if group_by %}GROUP BY {{ group_by }}{% endif %}

are_rows_apart(mine, other, dialect) -> whether it is a question of that
rows_of(query, dialect) -> what the parameter is for one
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from unwet.rewrite.group_all import distinct_may_be_by_all, is_by_all
from unwet.rewrite.optional_orders import is_optional_group, optional_group
from unwet.rewrite.shapes import Leaf

ALL: Final = Leaf("condition", "ALL")
EVERY_ROW: Final = Leaf("condition", "")


def are_rows_apart(mine: exp.Select, other: exp.Select, dialect: str) -> bool:
    """Whether how rows are grouped is all outputs or nothing in both, and is not said by DISTINCT
    alone."""
    if _are_by_all(mine, other):
        return True
    if any(query.args.get(part) for query in (mine, other) for part in ("group", "having")):
        return False
    return {ALL, EVERY_ROW} == {rows_of(query, dialect) for query in (mine, other)}


def _are_by_all(*queries: exp.Select) -> bool:
    """Whether one is grouped by all outputs, and none by something else or by conditions."""
    groups = [query.args.get("group") for query in queries]
    if any(query.args.get("having") for query in queries):
        return False
    known = [group is None or is_by_all(query) or is_optional_group(group)
             for query, group in zip(queries, groups, strict=True)]  # fmt: skip
    return all(known) and any(group is not None for group in groups)


def has_group_by(*queries: exp.Select) -> bool:
    """Whether a parameter says how the rows of one are grouped."""
    groups = [query.args.get("group") for query in queries]
    return any(group is not None and is_optional_group(group) for group in groups)


def rows_of(query: exp.Select, dialect: str) -> Leaf | None:
    """ALL where equal rows are one, empty where they are not, or the word of a parameter; None
    where it says something else of its rows."""
    group, words = query.args.get("group"), query.args.get("operation_modifiers")
    if words or (group is not None and query.args.get("distinct")):
        return None
    if group is not None and is_optional_group(group):
        return Leaf("condition", group.expressions[0].name)
    if is_by_all(query):
        return ALL
    if group is not None:
        return None
    if query.args.get("distinct") is None:
        return EVERY_ROW
    return ALL if distinct_may_be_by_all(query, dialect) else None


def group_by_all(query: exp.Select) -> None:
    """In place: GROUP BY ALL, which `rows_of` found that a DISTINCT may be."""
    query.set("distinct", None)
    query.set("group", exp.Group(all=True))


def group_by(query: exp.Select, name: str) -> None:
    """In place: grouped as a parameter says."""
    query.set("distinct", None)
    query.set("group", optional_group(name))
