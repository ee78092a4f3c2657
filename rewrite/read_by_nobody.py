"""What an author's query has and nobody reads goes from what is left in the end:

    WITH a AS (SELECT k, x, y FROM t), b AS (SELECT k FROM u) SELECT k, x FROM a
 =  WITH a AS (SELECT k, x FROM t) SELECT k, x FROM a

A CTE goes that no query reads, and an output of a CTE that none of its readers names. What might
be read without being named (by a star, as a whole row, by NATURAL, in what a call says) stays, and
so does what decides how many rows there are. Not before copies are looked for: each of them reads
another part of what all have, and would be another query. The project is proved after it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied
from unwet.rewrite.compose import Draft
from unwet.rewrite.library import Library, Macro
from unwet.rewrite.referring import without_unread_ctes
from unwet.rewrite.unread import columns_read, may_lose, tables_of

_OPEN: Final = re.compile(r"(h|list|call|tail|loop|branch)__", re.IGNORECASE)


def without_unread(library: Library, stay: AbstractSet[str]) -> Library:
    """The library without what nobody reads; ``stay``: models that keep their words."""
    models = {name: tree if name in stay else _lean(tree) for name, tree in library.models.items()}
    macros = tuple(
        replace(macro, tree=_lean(macro.tree)) if _is_plain(macro) else macro
        for macro in library.macros
    )
    return replace(library, models=models, macros=macros)


def read_only(
    drafts: Sequence[Draft], library: Library, between: Sequence[Draft], stay: AbstractSet[str]
) -> tuple[tuple[Draft, ...], Library, tuple[Draft, ...]]:
    """The models of reports, the library, and the models between them without what nobody reads,
    and without the relations that only that did read."""
    new = without_unread(library, stay)
    left = [[_still_read(each, library.models, new.models) for each in some]
            for some in (drafts, between)]  # fmt: skip
    return (*left[0],), new, (*left[1],)


def _still_read(draft: Draft, old: Mapping[str, exp.Expr], new: Mapping[str, exp.Expr]) -> Draft:
    if old[draft.name] is new[draft.name]:
        return draft
    gone = tables_of(old[draft.name]) - tables_of(new[draft.name])
    outside = tuple(each for each in draft.outside if each.token.lower() not in gone)
    refs = tuple(name for name in draft.refs if f"ref__{name}__ref".lower() not in gone)
    return replace(draft, outside=outside, refs=refs)


def _is_plain(macro: Macro) -> bool:
    """Whether it is a query of which all calls have all columns."""
    return macro.kind == "query" and not macro.uncounted


def _lean(tree: exp.Expr) -> exp.Expr:
    """The query without what it does not read itself."""
    if tree.find(exp.CTE) is None or _may_say_more(tree):
        return tree
    made = copied(tree)
    while True:
        without_unread_ctes(made)
        if not _narrow(made):
            return made


def _may_say_more(tree: exp.Expr) -> bool:
    """Whether a query reads what is not said in it (by a call, or a parameter that is more than a
    text), or a CTE does something (INSERT ... RETURNING): it runs, though nobody reads it."""
    if any(not isinstance(cte.this, exp.Query) for cte in tree.find_all(exp.CTE)):
        return True
    return any(
        _OPEN.match(node.name)
        for node in tree.find_all(exp.Identifier, exp.Var, exp.Literal)
        if not (isinstance(node, exp.Literal) and node.is_string)
    )


def _narrow(tree: exp.Expr) -> bool:
    """In place: CTEs without the outputs that nobody reads; whether there were any."""
    ctes = [*tree.find_all(exp.CTE)]
    named = Counter(cte.alias.lower() for cte in ctes)
    return any([_lost(cte, tree) for cte in ctes if named[cte.alias.lower()] == 1])


def _lost(cte: exp.CTE, tree: exp.Expr) -> bool:
    """In place: a CTE without the outputs that its readers do not name; whether there were any."""
    query = cte.this
    if not isinstance(query, exp.Select) or query.args.get("kind"):
        return False
    read = columns_read(cte.alias, [tree])
    if read is None or cte.args["alias"].args.get("columns"):
        return False
    lost = [item for item in query.expressions if item.alias_or_name.lower() not in read]
    left = [item for item in query.expressions if item.alias_or_name.lower() in read]
    if not lost or not left or not may_lose(query, lost):
        return False
    query.set("expressions", left)
    return True
