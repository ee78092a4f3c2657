"""What was noticed while the scripts ran symbolically, but for what somebody has accepted."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from unwet.lineage.findings import Finding
from unwet.lineage.pile import Pile
from unwet.rewrite.accepted import Accepted, Accepting, accepted


def noticed(
    findings: Iterable[Finding], pile: Pile, intended: Iterable[Accepting] = ()
) -> tuple[Finding, ...]:
    """Those of the end state that nobody accepts, by a mark at one of their places or by what is
    ``intended``."""
    told = tuple(findings)
    if not told:
        return ()
    known = accepted(pile, intended)
    return tuple(each for each in told if not reason_of(each, known))


def seen_from(finding: Finding, paths: Collection[str]) -> Finding | None:
    """A finding at the one of its places that is in these files; None where none is."""
    if finding.at.path in paths:
        return finding
    for place in finding.also:
        if place.path in paths:
            said = finding.message.replace(f" {place.path}", f" {finding.at.path}")
            return replace(finding, at=place, message=said, also=(finding.at,))
    return None


def reason_of(finding: Finding, known: Accepted) -> str:
    """Why a finding is accepted at one of the places that it is about; empty when it is not."""
    places = (finding.at, *finding.also)
    reasons = (known.reason(finding.code, p.path, p.line, finding.message) for p in places)
    return next(filter(None, reasons), "")
