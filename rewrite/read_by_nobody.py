"""What an author's query has and nobody reads goes from what is left in the end:

    WITH a AS (SELECT k, x, y FROM t), b AS (SELECT k FROM u) SELECT k, x FROM a
 =  WITH a AS (SELECT k, x FROM t) SELECT k, x FROM a

A CTE goes that no query reads, and an output of a CTE or of a query in a FROM that none of its
readers names. What might be read without being named (by a star, as a whole row, by NATURAL, in
what a call says) stays, and so does what decides how many rows there are. Not before copies are
looked for: each of them reads another part of what all have, and would be another query; but for
what no copy reads. The project is proved after it.

without_unread(library, stay) -> the library without what nobody reads
never_read(drafts, stay) -> drafts without outputs that none of the pile reads
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

from sqlglot import exp

from unwet.lineage.trees import copied, in_line
from unwet.rewrite.compose import Draft
from unwet.rewrite.inner_reads import InnerReads, inner_reads
from unwet.rewrite.library import Library, Macro, called_by
from unwet.rewrite.referring import without_unread_ctes
from unwet.rewrite.unread import may_lose, tables_of

_MOST_COPIED: Final = 2_000  # SELECTs; OHDSI's 154 cohorts have 11,000, and 145 MB
_OPEN: Final = re.compile(r"(h|list|call|tail|loop|branch)__", re.IGNORECASE)


def without_unread(library: Library, stay: AbstractSet[str]) -> Library:
    """The library without what nobody reads; ``stay``: models that keep their words, and
    so do the macros that they call."""
    closed = called_by(library, stay)
    models = {name: tree if name in stay else _lean(tree) for name, tree in library.models.items()}
    macros = tuple(
        replace(macro, tree=_lean(macro.tree))
        if _is_plain(macro) and macro.name not in closed
        else macro
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
    if tree.find(exp.CTE, exp.Subquery) is None or _may_say_more(tree):
        return tree
    made = copied(tree)
    while True:
        without_unread_ctes(made)
        unread = [*_unread(inner_reads(made))]
        for query, lost in unread:
            _lose(query, lost)
        if not unread:
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


def _unread(reads: InnerReads) -> Iterator[tuple[exp.Select, Sequence[exp.Expr]]]:
    """The inner queries of a query, with the outputs that their readers do not name."""
    for query, read in reads.inner:
        lost = [item for item in query.expressions if item.alias_or_name.lower() not in read]
        if 0 < len(lost) < len(query.expressions) and may_lose(query, lost):
            yield query, lost


def _lose(query: exp.Select, lost: Sequence[exp.Expr]) -> None:
    """In place."""
    left = [item for item in query.expressions if not any(item is each for each in lost)]
    query.set("expressions", left)


# --- what none of the pile reads -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Seen:
    """The SELECTs of a tree, and the outputs of inner ones that their readers do not name."""

    selects: Sequence[exp.Select]
    unread: Sequence[tuple[exp.Select, Sequence[exp.Expr]]]

    @classmethod
    def of(cls, tree: exp.Query, stays: bool) -> _Seen:
        reads = inner_reads(tree)
        return cls(reads.selects, () if stays else [*_unread(reads)])

    @property
    def items(self) -> Iterator[exp.Expr]:
        """These outputs."""
        return (item for _, lost in self.unread for item in lost)


def never_read(drafts: Sequence[Draft], stay: AbstractSet[str]) -> tuple[Draft, ...]:
    """The drafts without the outputs of inner queries that nobody reads, wherever they are said:
    what are copies of each other stays so. Those that ``stay`` keep their words, and what they
    say; and so do all where that would be another copy of a pile of large queries in memory."""
    trees = {each.name: each.tree for each in drafts}
    seen = {name: _Seen.of(tree, name in stay) for name, tree in trees.items()}
    while lost := _nowhere_read(seen.values()):
        some = [name for name in trees if any(_output(item) in lost for item in seen[name].items)]
        if sum(len(seen[name].selects) for name in some) > _MOST_COPIED:
            break
        for name in some:
            trees[name] = _shorter(trees[name], seen[name], lost)
            seen[name] = _Seen.of(trees[name], stays=False)
    return tuple(
        each if trees[each.name] is each.tree else replace(each, tree=trees[each.name])
        for each in drafts
    )


_Output = tuple[str, str]


def _nowhere_read(seen: Collection[_Seen]) -> frozenset[_Output]:
    """The outputs that are unread in each inner query that has them."""
    unread = {id(item): item for each in seen for item in each.items}
    names = {item.alias_or_name.lower() for item in unread.values()}
    read = (item for each in seen if names for query in each.selects for item in query.expressions
            if item.alias_or_name.lower() in names and id(item) not in unread)  # fmt: skip
    return frozenset({*map(_output, unread.values())}.difference(map(_output, read)))


def _output(item: exp.Expr) -> _Output:
    """What is the same output in copies: one of the same name, and of the same words unless it is
    a column, of which copies have others."""
    value = item.unalias()
    return item.alias_or_name.lower(), "" if isinstance(value, exp.Column) else in_line(value)


def _shorter(tree: exp.Query, seen: _Seen, lost: AbstractSet[_Output]) -> exp.Query:
    """A copy without those of the unread outputs that are ``lost``."""
    made = copied(tree)
    twins = dict(zip(map(id, tree.find_all(exp.Select)), made.find_all(exp.Select), strict=True))
    for query, items in seen.unread:
        gone = {id(item) for item in items if _output(item) in lost}
        left = [twin
                for item, twin in zip(query.expressions, twins[id(query)].expressions, strict=True)
                if id(item) not in gone]  # fmt: skip
        twins[id(query)].set("expressions", left)
    return made
