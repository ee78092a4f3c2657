"""Reports that differ in constants only, said in one author's words.

Copies drift apart in style: another alias, another join order, a subquery for a CTE. Where the
normal forms of two reports are the same but for literals, the less common wording is replaced by
the more common one with the report's own literals in it, so that one template can serve both.
Whether that kept the meaning is not decided here: it is proved like everything else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial

from unwet.rewrite.algebra import Rel
from unwet.rewrite.compose import Draft
from unwet.rewrite.conjuncts import with_values
from unwet.rewrite.fingerprint import matching_literals, recurring
from unwet.rewrite.remembered import Remembered
from unwet.rewrite.shapes import Survey


def conform(
    drafts: Sequence[Draft],
    normal: Mapping[str, Rel],
    pinned: frozenset[str],
    remembered: Remembered | None = None,
) -> tuple[Draft, ...]:
    """The drafts, reworded where that makes them alike. ``normal`` has the normal form of each
    draft that may be changed; ``remembered`` what came of groups in rounds before."""
    memory = remembered or Remembered()
    groups: dict[tuple[str, tuple[str, ...]], list[Draft]] = defaultdict(list)
    for draft in drafts:
        if draft.name in normal and draft.name not in pinned:
            key = (recurring(normal[draft.name]), tuple(n.lower() for n in _names(draft)))
            groups[key].append(draft)
    changed: dict[str, Draft] = {}
    for members in groups.values():
        if len(members) > 1:
            made = memory.of("conform", members, partial(_reworded, members, normal))
            changed.update({draft.name: draft for draft in made})
    return tuple(changed.get(draft.name, draft) for draft in drafts)


def _names(draft: Draft) -> list[str]:
    return list(draft.tree.named_selects)


def _reworded(members: Sequence[Draft], normal: Mapping[str, Rel]) -> list[Draft]:
    shapes = {m.name: Survey(m.tree).shape(m.tree).digest for m in members}
    counts = Counter(shapes.values())
    model = min(members, key=lambda m: (-counts[shapes[m.name]], m.name))
    found: list[Draft] = []
    for member in members:
        if shapes[member.name] != shapes[model.name]:
            values = matching_literals(normal[model.name], normal[member.name])
            if values is not None:
                tree = with_values(model.tree, values)
                found.append(replace(member, tree=tree, outside=model.outside, refs=model.refs))
    return found
