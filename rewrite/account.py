"""The account that a run gives in the end: one verdict for each report of the pile."""

from __future__ import annotations

from collections.abc import Mapping

from unwet.rewrite.decisions.decided import Change
from unwet.rewrite.decisions.outcome import outcome as of_change
from unwet.rewrite.ledger import Ledger
from unwet.rewrite.project import Project
from unwet.rewrite.verdicts import Outcome, Verdict, as_fixed


def account(
    project: Project, ledger: Ledger, changes: Mapping[str, Change], changed_rows: Mapping[str, str]
) -> tuple[Verdict, ...]:
    """All reports by name. ``changes``: what decisions say of reports; ``changed_rows``: what the
    data says of the old rows of these."""
    shared, leaning = _shared(project), _leaning(project, ledger.unproved)
    found = []
    for name, report in project.reports.items():
        outcome, reason = _told(name, ledger, leaning)
        model = "" if name in ledger.kept else name
        if (change := changes.get(name)) is not None:
            outcome, reason = of_change(outcome, reason, change, model)
            if name in changed_rows and outcome == "changed":
                reason = f"{changed_rows[name]}; {reason}"
        outcome, reason = as_fixed(outcome, reason, ledger.unfixed.get(name, ""))
        found.append(
            Verdict(
                name,
                project.said(report.relation),
                report.span.path,
                report.span.line,
                model,
                outcome,
                project.said(reason),
                name in shared,
                ledger.rows.get(name),
                *ledger.worth(name, outcome),
            )
        )
    return tuple(sorted(found, key=lambda v: v.name))


def _told(name: str, ledger: Ledger, leaning: Mapping[str, str]) -> tuple[Outcome, str]:
    outcome, reason = ledger.outcome(name)
    if outcome == "proved" and (below := leaning.get(name)):
        return "tested", f"proved over {below}, which is not proved itself"
    return outcome, reason


def _leaning(project: Project, unproved: Mapping[str, str]) -> dict[str, str]:
    """Models that read, directly or not, a model that is not proved; and one such model."""
    reads = {d.name: d.refs for d in (*project.drafts, *project.intermediates)}
    found: dict[str, str] = {}
    for name in reads:
        seen, stack = {name}, list(reads[name])
        while stack:
            below = stack.pop()
            if below in unproved:
                found[name] = below
            if below not in seen:
                seen.add(below)
                stack.extend(reads.get(below, ()))
    return found


def _shared(project: Project) -> frozenset[str]:
    """Reports whose model calls a macro or reads an intermediate model."""
    names = {draft.name for draft in project.intermediates}
    found = {draft.name for draft in project.drafts if not names.isdisjoint(draft.refs)}
    for name, tree in project.library.models.items():
        text = tree.name if not tree.args.get("expressions") else tree.sql()
        if "call__" in text or "tail__" in text:
            found.add(name)
    return frozenset(found)
