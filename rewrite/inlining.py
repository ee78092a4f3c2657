"""The query of a report in place of its table, where many other reports read that.

One author reads the table of cleaned orders that a colleague has built, another has the same query
in the report. Said in one way, they can be put together; what several have is written once later.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from functools import partial

from sqlglot import exp

from unwet.lineage.trees import copied, found_in
from unwet.rewrite.algebra import Plan, Sort, is_text, walk
from unwet.rewrite.compose import Draft
from unwet.rewrite.grounded import skeletons
from unwet.rewrite.naming import free
from unwet.rewrite.normal import Normalizer
from unwet.rewrite.opaque import names_read
from unwet.rewrite.remembered import Remembered
from unwet.rewrite.unfolding import Unfolding, in_order, is_definite

_READERS = 2  # of a table that is there to be read; or of it and of its query in other reports


@dataclass(frozen=True, slots=True)
class ReadThrough:
    """The drafts with queries for the tables of the reports called ``names``, and what each draft
    that is understood means then. ``tables``: all reports that make one which is always the same.
    """

    drafts: tuple[Draft, ...]
    plans: Mapping[str, Plan]
    names: frozenset[str] = frozenset()
    tables: frozenset[str] = frozenset()


def read_through(
    drafts: Sequence[Draft],
    plans: Mapping[str, Plan],
    relations: Mapping[str, str],
    pinned: AbstractSet[str],
    normalizer: Normalizer,
    remembered: Remembered,
) -> ReadThrough:
    """Puts queries for tables. ``plans``: what each draft means, by its name; ``relations``: the
    table of each report that makes one; ``pinned`` drafts stay, and their tables are read."""
    sure = {d.name for d in drafts if d.name in plans and relations.get(d.name)} - {*pinned}
    tables = frozenset(name for name in sure if is_definite(plans[name]))
    often = _often_read(drafts, plans, normalizer) & tables
    known = {draft.name: draft for draft in drafts}
    # what is compared as a text keeps its words, and what takes some rows of a table reads that
    stay = {*pinned, *(name for name, plan in plans.items() if is_text(plan) or _takes_any(plan))}
    names = in_order({name: {*known[name].refs} for name in sorted(often)})
    done: dict[str, Draft] = {}
    for draft in (*(known[name] for name in names), *drafts):
        if draft.name not in done:
            inner = [done[ref] for ref in draft.refs if ref in names]
            done[draft.name] = _with(draft, () if draft.name in stay else inner, remembered)
    unfolding = Unfolding({relations[name]: plans[name] for name in names})
    meant = {d.name: unfolding.plan(plans[d.name]) for d in drafts if d.name in plans}
    return ReadThrough(tuple(done[d.name] for d in drafts), meant, frozenset(names), tables)


def _takes_any(plan: Plan) -> bool:
    """Whether it is any rows of a table that it takes, as no order says which."""
    return any(isinstance(node, Sort) and not node.keys for node in walk(plan.rel))


def _often_read(
    drafts: Sequence[Draft], plans: Mapping[str, Plan], normalizer: Normalizer
) -> frozenset[str]:
    """What several reports read, or one does where others have such a query, and is put together
    like nothing that nobody reads: the total of a month, which a total of the year adds up, is a
    report like those of other months."""
    counts = Counter(name for draft in drafts for name in draft.refs)
    alike: dict[bytes, set[str]] = defaultdict(set)
    inside = Counter[bytes]()  # of how many reports each query is a part
    for name, plan in plans.items():
        rel = normalizer.run(plan.rel)[0]
        found = skeletons(rel)
        alike[found[rel.digest]].add(name)
        inside.update({*found.values()} - {found[rel.digest]})
    often = {
        name
        for own, names in alike.items()
        for name in names
        if counts[name] >= _READERS or (counts[name] and inside[own] >= _READERS)
    }
    return frozenset(
        name for group in alike.values() for name in group & often
        if 2 * len(group & often) > len(group)
    )  # fmt: skip


def _with(draft: Draft, inner: Sequence[Draft], remembered: Remembered) -> Draft:
    if not inner:
        return draft
    [made] = remembered.of("inlined", [draft, *inner], partial(_put_together, draft, inner))
    return made


def _put_together(draft: Draft, inner: Sequence[Draft]) -> list[Draft]:
    tree = copied(draft.tree)
    for each in inner:
        _put(tree, each)
    outside = {o.token: o for d in (draft, *inner) for o in d.outside}
    refs = {*draft.refs}.difference(d.name for d in inner).union(*(d.refs for d in inner))
    known = tuple(outside[token] for token in sorted(outside))
    return [replace(draft, tree=tree, outside=known, refs=tuple(sorted(refs)))]


def _put(tree: exp.Query, made: Draft) -> None:
    """In place: the report's query as the first CTE, read where its table was."""
    body = copied(made.tree)
    named = [node for each in (tree, body) for node in found_in(each, exp.CTE, exp.Table)]
    said = names_read(tree)
    label = free(made.name, {word.lower() for n in named for word in (n.name, n.alias_or_name)})
    for table in found_in(tree, exp.Table):
        if table.name == f"ref__{made.name}__ref":
            if not table.alias and made.name.lower() in said:
                table.set("alias", exp.TableAlias(this=exp.to_identifier(made.name)))
            table.set("this", exp.to_identifier(label))
    block = tree.args.get("with_")
    rest = list(block.expressions) if block is not None else []
    recursive = bool(block is not None and block.args.get("recursive"))
    first = exp.CTE(this=body, alias=exp.TableAlias(this=exp.to_identifier(label)))
    tree.set("with_", exp.With(expressions=[first, *rest], recursive=recursive))
