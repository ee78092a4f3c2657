"""Whether a report that joins a part of a wide model's tables returns the same rows from it.

    SELECT f(a.x) FROM a JOIN b ON j GROUP BY a.g
 =  SELECT f(w.x) FROM w GROUP BY w.g
    where w is SELECT a.x, a.g, .. FROM a JOIN b ON j LEFT JOIN c ON a.c = c.k

if no two rows of c have the same k, so that no row is there twice; and, where c is an inner join,
if a.c refers to c.k and is never NULL, so that no row is lost. Both have to be declared, and kept
by the engine (`prove/declarations.py`): then the rules of `rules/promised_joins.py` make the two
plans one, and the proof of the project rests on the same declarations, and tells them. A condition
of the wide model is one of the report, too; any other join repeats rows or drops some.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from sqlglot import exp

from unwet.lineage.tables import Catalog, Table
from unwet.rewrite.algebra import Opaque, Plan, walk
from unwet.rewrite.compose import Draft, Outside
from unwet.rewrite.lower import Env, lower
from unwet.rewrite.normal import same_by_promises
from unwet.rewrite.rereading import resolved
from unwet.rewrite.rules.promises import Promise, Promises
from unwet.rewrite.stars import made_table


@dataclass(frozen=True, slots=True)
class Lossless:
    """What is known of the tables behind the tokens of drafts, in the dialect of their words."""

    tables: Mapping[str, Table]
    promised: Promises
    dialect: str

    def reads(self, old: exp.Query, new: exp.Query, wide: Draft) -> bool:
        """Whether a report's query over the wide model returns the rows that it had."""
        token = f"ref__{wide.name}__ref"
        below = self._plan(wide.tree, self.tables, {})
        if below is None:
            return False
        tables = {**self.tables, token: made_table(token, below.names)}
        before = self._plan(old, self.tables, {})
        after = self._plan(new, tables, {token: below})
        if before is None or after is None:
            return False
        return same_by_promises(before, after, self.promised)

    def _plan(
        self, tree: exp.Query, tables: Mapping[str, Table], known: Mapping[str, Plan]
    ) -> Plan | None:
        catalog = Catalog(tables)
        query = resolved(tree, catalog, self.dialect, "")
        if query is None or not query.complete:
            return None
        plan = lower(query, Env(catalog, known))
        return None if any(isinstance(node, Opaque) for node in walk(plan.rel)) else plan


def lossless(
    drafts: Iterable[Draft],
    tables: Mapping[str, Table],
    catalog: Catalog,
    told: Promises,
    dialect: str,
) -> Lossless:
    """What is told of the tables of a ``catalog``, of the ``tables`` behind the tokens of drafts;
    ``dialect``: theirs."""
    outside = {each.token: each for draft in drafts for each in draft.outside}
    names = _names(outside, catalog)
    found = {token: _in_tokens(told.of(name), names) for token, name in names.items()}
    return Lossless(tables, Promises(found, told.dialects), dialect)


def _names(outside: Mapping[str, Outside], catalog: Catalog) -> dict[str, str]:
    """By token what the catalog calls each table."""
    known = {token: catalog.get(each.relation) for token, each in outside.items()}
    return {token: table.name for token, table in known.items() if table is not None}


def _in_tokens(promise: Promise, names: Mapping[str, str]) -> Promise:
    tokens = {name: token for token, name in names.items()}
    foreign = (
        replace(key, table=tokens[key.table]) for key in promise.foreign if key.table in tokens
    )
    return replace(promise, foreign=tuple(foreign))
