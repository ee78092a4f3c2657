"""What generated data says of one report: the verdicts on all databases as one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from unwet.rewrite.prove.before import ReportRef
from unwet.rewrite.prove.synthetic.database import Database
from unwet.rewrite.prove.tested import DataVerdict
from unwet.rewrite.verdicts import Score

_NO_ROWS = "it returns no rows on generated data"
Tried = Sequence[tuple[Database, DataVerdict]]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What generated data says of one report.

    `data_sets`: on how many its rows are the same, `score`: what these are worth. `counterexample`:
    where they differ, a script for DuckDB that shows it. `unused`: on how many of those that were
    made nothing could be compared, `why`: what was wrong with the first of them.
    """

    verdict: DataVerdict
    data_sets: int = 0
    score: Score | None = None
    counterexample: str = field(default="", repr=False)
    unused: int = 0
    why: str = ""

    @property
    def words(self) -> str:
        """What there is to say, for people."""
        match self.verdict.verdict:
            case "identical":
                return self._same()
            case "different":
                return f"{self.verdict.differs} on generated data: {self.verdict.reason}"
            case "order-dependent":
                return f"on generated data {self.verdict.reason}{self._besides()}"
            case _:
                return f"not tested on generated data: {self.verdict.reason}"

    def _same(self) -> str:
        sets = f"{self.data_sets} generated data set{'s' * (self.data_sets != 1)}"
        found = f"same rows on {sets} (DuckDB)"
        if self.score is not None and self.score.valid:
            found += f", which show {self.score.killed} of {self.score.valid} "
            found += "mistakes made on purpose"
        return "; ".join(filter(None, (found, self.verdict.reason, self._unused())))

    def _unused(self) -> str:
        if not self.unused:
            return ""
        return f"{self.unused} more could not be used ({self.why.strip().splitlines()[0]})"

    def _besides(self) -> str:
        return f"; the same where they do not, on {self.data_sets} more" if self.data_sets else ""


def merged(report: ReportRef, found: Tried) -> Evidence:
    """One verdict of those on all databases: a difference anywhere counts, and a model that did
    not run where the old scripts did is not believed."""
    for _, verdict in found:
        if verdict.verdict == "different":
            return Evidence(verdict)
    broken = next((v for _, v in found if v.broken), None)
    same = [v for _, v in found if v.verdict == "identical"]
    unstable = next((v for _, v in found if v.verdict == "order-dependent"), None)
    if broken is not None:
        return Evidence(broken)
    if any(v.rows_before for v in same):
        verdict = DataVerdict(report.name, "identical", None, None, (), "")
        unused = [v.reason for _, v in found if v.verdict == "not run"]
        why = unused[0] if unused else ""
        return Evidence(verdict, len(same), unused=len(unused), why=why)
    if unstable is not None:
        return Evidence(unstable)
    failed = next((v.reason for _, v in found if v.verdict == "not run"), _NO_ROWS)
    return without(report, _NO_ROWS if same else failed)


def settled(evidence: Evidence, found: Tried) -> Evidence:
    """Beside the same rows elsewhere: where ties decide what the old query returns, and the model
    returns something else, nobody knows what is right; where it returns the same, that is told."""
    unsure = [v for _, v in found if v.verdict == "order-dependent"]
    apart = [v for v in unsure if v.sample or v.rows_before != v.rows_after]
    if evidence.verdict.verdict != "identical" or not unsure:
        return evidence
    if apart:
        return replace(evidence, verdict=apart[0])
    told = f"on {len(unsure)} more its own rows change when its input is shuffled"
    return replace(evidence, verdict=replace(evidence.verdict, reason=told))


def without(report: ReportRef, reason: str) -> Evidence:
    return Evidence(DataVerdict(report.name, "not run", None, None, (), reason))
