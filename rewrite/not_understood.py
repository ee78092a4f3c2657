"""What of the pile no model says, because nobody understands it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable

from unwet.lineage.findings import Finding, Span
from unwet.rewrite.lost import is_procedure

_CODES = frozenset({"OPAQUE", "PARSE", "TOKENIZE"})


def not_understood(
    findings: Iterable[Finding], without: Collection[Span] = ()
) -> tuple[Finding, ...]:
    """Statements that are not looked into, or that do not parse, but for those at the places
    ``without``; the body of a procedure that is read as if it had run is none of them."""
    lost = (f for f in findings if f.code in _CODES and f.at not in without)
    return tuple(f for f in lost if not is_procedure(f))


def by_message(findings: Iterable[Finding]) -> dict[str, list[Finding]]:
    """Those of one message together, as they come."""
    found: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        found[finding.message].append(finding)
    return found
