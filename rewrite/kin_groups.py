"""Which reports may be put together alike: those whose wordings are tried on each other.

Only a proposal: what one wording can serve is decided by normal forms. So what a condition changes
in a normal form does not part reports here. ``WHERE n.country = 'AT'`` makes the LEFT JOIN of ``n``
an inner one, a key of a GROUP BY a constant, and a report that does not show a column may not need
the join that it comes from.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from hashlib import blake2b

from unwet.rewrite.algebra import (
    Aggregate,
    Distinct,
    Filter,
    Join,
    Project,
    Rel,
    Scan,
    SetOp,
    Unnest,
    Window,
    inputs,
    walk,
)
from unwet.rewrite.compose import Draft
from unwet.rewrite.references import tree_order


@dataclass(frozen=True, slots=True)
class _Group:
    """Drafts of one frame: what all of them show at most, and the tables they read."""

    drafts: tuple[Draft, ...]
    names: frozenset[str]
    tables: frozenset[str]
    unions: frozenset[str]  # what unions there are: a report of branches is none of its branches


def kin_groups(
    drafts: Sequence[Draft], normal: Mapping[str, Rel], pinned: AbstractSet[str]
) -> Iterator[tuple[Draft, ...]]:
    """The drafts that may be said in one author's words, in groups of two and more."""
    framed: dict[bytes, list[Draft]] = defaultdict(list)
    for draft in drafts:
        rel = normal.get(draft.name)
        if rel is not None and draft.name not in pinned and not _is_trivial(rel):
            framed[_frame(rel)].append(draft)
    order = {draft.name: at for at, draft in enumerate(drafts)}
    shown = [part for members in framed.values() for part in _by_columns(members)]
    for group in _merged([_group(members, normal) for members in shown]):
        if len(group.drafts) > 1:
            yield tuple(sorted(group.drafts, key=lambda draft: order[draft.name]))


def _by_columns(drafts: Sequence[Draft]) -> list[list[Draft]]:
    """Those that show the same, or some of it, together."""
    found: list[tuple[frozenset[str], list[Draft]]] = []
    for draft in sorted(drafts, key=lambda draft: -len(draft.tree.named_selects)):
        names = _shown(draft)
        members = next((many for wide, many in found if names <= wide), None)
        if members is None:
            found.append((names, [draft]))
        else:
            members.append(draft)
    return [members for _, members in found]


def _merged(groups: Sequence[_Group]) -> list[_Group]:
    """A group whose columns and tables are some of those of a single other one is a part of it."""
    found: list[_Group] = []
    for group in sorted(groups, key=lambda g: (-len(g.names), -len(g.tables), -len(g.drafts))):
        wider = [at for at, each in enumerate(found)
                 if group.names <= each.names and group.tables <= each.tables
                 and group.unions == each.unions]  # fmt: skip
        if len(wider) == 1:
            other = found[wider[0]]
            drafts = (*other.drafts, *group.drafts)
            found[wider[0]] = replace(other, drafts=drafts)
        else:
            found.append(group)
    return found


def _group(drafts: Sequence[Draft], normal: Mapping[str, Rel]) -> _Group:
    rels = [normal[draft.name] for draft in drafts]
    nodes = [node for rel in rels for node in walk(rel)]
    tables = frozenset(node.table for node in nodes if isinstance(node, Scan))
    unions = {f"{n.kind} {len(n.inputs)}" for n in nodes if isinstance(n, SetOp)}
    names = frozenset[str]().union(*map(_shown, drafts))
    return _Group(tuple(drafts), names, tables, frozenset(unions))


def _shown(draft: Draft) -> frozenset[str]:
    return frozenset(name.lower() for name in draft.tree.named_selects)


def _is_trivial(rel: Rel) -> bool:
    """One table and a filter: nobody wants to look up what that is."""
    kinds = (Aggregate, Distinct, Join, SetOp, Window, Unnest)
    return not any(isinstance(node, kinds) for node in walk(rel))


def _frame(rel: Rel) -> bytes:
    """A digest of the relations and how they are put together, whatever the conditions, the keys
    and the kinds of joins."""
    done: dict[bytes, tuple[bytes, ...]] = {}  # of a join the digests of what it joins
    for node in tree_order(rel):
        below = [done[each.digest] for each in inputs(node)]
        parts = sorted(part for many in below for part in many)
        match node:
            case Filter() | Project():
                done[node.digest] = below[0]
                continue
            case Join(kind="inner" | "left"):
                done[node.digest] = tuple(parts)
                continue
            case Scan(table=table):
                words = f"scan {table}"
            case SetOp(kind=kind):
                words, parts = f"set {kind} {len(below)}", sorted({*parts})
            case Aggregate(aggs=aggs):
                words = "group" if aggs else "distinct"
            case _:
                words = type(node).__name__
        done[node.digest] = (blake2b(words.encode() + b"".join(parts), digest_size=16).digest(),)
    return b"".join(done[rel.digest])
