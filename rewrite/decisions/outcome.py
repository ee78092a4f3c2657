"""What a verdict against the pile as decided says about a report that a decision changes."""

from __future__ import annotations

from unwet.rewrite.decisions.decided import Change
from unwet.rewrite.prove.tested import DataVerdict
from unwet.rewrite.verdicts import Outcome


def outcome(verdict: Outcome, reason: str, change: Change, model: str) -> tuple[Outcome, str]:
    """The verdict against the pile as it was, and its reason; `model` is "" where there is none."""
    if not model:
        return verdict, f"{reason}; not carried out in it: {change.reason or change.problem}"
    if change.problem:
        return "failed", change.problem
    match verdict:
        case "proved":
            return "changed", change.reason
        case "tested":
            return "changed", f"{change.reason}; {reason}"
        case _:
            return verdict, f"not what was {change.reason}: {reason}"


def on_rows(test: DataVerdict | None) -> str:
    """What the data says about old rows against those that were decided."""
    if test is None:
        return ""
    match test.verdict:
        case "different":
            return test.reason
        case "identical":
            return "no row of the data changes"
        case "order-dependent":
            return "the old rows depend on the order of their input"
        case _:
            return f"the old rows are not known: {test.reason}"
