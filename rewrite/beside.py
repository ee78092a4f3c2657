"""What a statement changes apart from its own target: names that it may write, by any way.

Triggers, tables that INHERIT, what stands behind a view, and, for a ROLLBACK, all that its script
has written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from sqlglot import exp

from unwet.lineage.resolve import Resolved
from unwet.rewrite.script_order import base_reads

_TAKING_BACK = re.compile(r"\s*(?:ROLLBACK|ABORT)\b", re.IGNORECASE)
_WITHIN = re.compile(r"(?:^|[;\n]|\b(?:THEN|BEGIN|ELSE)\b)\s*(?:ROLLBACK|ABORT)\b", re.IGNORECASE)
_CHANGES = frozenset({"insert", "update", "delete", "merge", "truncate"})


def beside(resolved: Resolved) -> Iterator[str]:
    """Names, as they are written, of the tables that one statement writes besides its target."""
    tree = resolved.statement.tree
    for other in tree.find_all(exp.InheritsProperty, exp.TriggerProperties):
        yield from (table.name for table in other.find_all(exp.Table))


def rolled_back(statements: Sequence[Resolved]) -> Mapping[Resolved, frozenset[str]]:
    """What a ROLLBACK takes back, nobody says how far: the targets of its whole script."""
    ends = [each for each in statements if _TAKING_BACK.match(each.statement.text)]
    targets = frozenset(each.target for each in statements if each.target) if ends else frozenset()
    return dict.fromkeys(ends, targets)


def takes_back(text: str) -> bool:
    """Whether text that does not parse ends a transaction as if it had not been."""
    return _WITHIN.search(text) is not None


def behind_views(statements: Sequence[Resolved]) -> Mapping[Resolved, frozenset[str]]:
    """The relations behind the views that statements write to."""
    reads = {
        each.target: base_reads(each.query)
        for each in statements
        if each.kind == "view" and each.target and each.query is not None
    }
    return {
        each: frozenset(_closure(each.target, reads))
        for each in statements
        if each.kind in _CHANGES and each.target in reads
    }


def _closure(name: str, reads: Mapping[str, frozenset[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        new = reads.get(waiting.pop(), frozenset()) - seen
        seen |= new
        waiting.extend(new)
    return seen
