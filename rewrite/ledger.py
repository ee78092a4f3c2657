"""What is known of each report of a run, and the verdict which that makes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from unwet.rewrite.prove.evidence import Evidence
from unwet.rewrite.prove.tested import DataVerdict
from unwet.rewrite.verdicts import Outcome, Score


@dataclass(slots=True)
class Ledger:
    """By report. ``kept``, ``unproved``, ``failed``: why; ``tested``: the data with the same rows;
    ``shuffled``: how its rows depend on the order of its input; ``rows``: how many it has on the
    given data; ``not_run``: why it did not run there; ``evidence``: from data made from the queries
    alone; ``contradicted``: proved, and other rows on such data; ``unfixed``: why nothing says
    which rows a report returns. What is kept only grows.

    What is said is what rewrite/checked.py says of any project: data that differs settles it; the
    same rows on any data make it tested, and what did not run is told; a model that does not run
    where the old scripts do is not believed.
    """

    kept: dict[str, str] = field(default_factory=dict)
    unproved: dict[str, str] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)
    tested: dict[str, str] = field(default_factory=dict)
    shuffled: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)
    not_run: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, Evidence] = field(default_factory=dict)
    contradicted: set[str] = field(default_factory=set)
    unfixed: Mapping[str, str] = field(default_factory=dict)

    def take(self, verdict: DataVerdict, where: str) -> None:
        """Given data can only lower what is believed of a report, or raise what nobody could
        prove."""
        name = verdict.name
        self.rows[name] = verdict.rows_before or 0
        match verdict.verdict:
            case "identical":
                self.tested[name] = where
            case "order-dependent":
                self.shuffled[name] = verdict.reason or "its rows depend on the order of its input"
            case "different" if name in self.unproved:
                self.kept[name] = f"{verdict.differs} on the data: {verdict.reason}"
            case "different":
                self.failed[name] = f"{verdict.differs} on the data: {verdict.reason}"
                self.kept[name] = self.failed[name]
            case "not run":  # who gave data wants to know
                self.not_run[name] = f"not run on the data: {verdict.reason}"
                if name in self.unproved and verdict.broken:
                    self.keep_untested([name])

    def keep_untested(self, names: Iterable[str]) -> None:
        """Those of them that have neither a proof nor a test are kept."""
        for name in names:
            untested = name not in self.tested and name not in self.shuffled
            if name in self.unproved and untested:
                said = (self.unproved[name], self.not_run.get(name, ""))
                self.kept[name] = "; ".join(filter(None, said))

    def weigh(self, name: str, evidence: Evidence) -> None:
        """What generated data says of a report that nobody could prove."""
        self.evidence[name] = evidence
        match evidence.verdict.verdict:
            case "identical":
                pass
            case "order-dependent" if name not in self.tested:
                self.shuffled[name] = evidence.words
            case "different":
                self.kept[name] = evidence.words
            case _ if name not in self.tested:
                said = (self.unproved[name], self.not_run.get(name, ""), evidence.words)
                self.kept[name] = "; ".join(filter(None, said))
            case _:
                pass

    def check(self, name: str, evidence: Evidence) -> None:
        """What generated data says of a report that is proved: nothing new, or there is a bug."""
        if evidence.verdict.verdict == "different":
            self.evidence[name] = evidence
            self.contradicted.add(name)
            self.failed[name] = f"{evidence.words}; although the normal forms are equal"
            self.kept[name] = self.failed[name]

    def outcome(self, name: str) -> tuple[Outcome, str]:
        """The verdict, as far as the report alone decides it, and its reason."""
        if name in self.failed:
            return "failed", self.failed[name]
        if name in self.kept:
            return "kept", self.kept[name]
        if name in self.unproved and name in self.shuffled:
            return "order-dependent", self.shuffled[name]
        if name not in self.unproved:
            return "proved", self.not_run.get(name, "")
        return "tested", "; ".join((*self._tests(name), self.unproved[name]))

    def worth(self, name: str, outcome: Outcome) -> tuple[int, Score | None]:
        """On how many data sets a tested report has the same rows, and what these are worth."""
        evidence = self.evidence.get(name)
        if outcome != "tested" or name not in self.unproved:
            return 0, None
        made = evidence.data_sets if evidence is not None else 0
        score = evidence.score if evidence is not None else None
        return (name in self.tested) + made, score

    def _tests(self, name: str) -> Iterator[str]:
        if name in self.tested:
            yield f"same rows on {self.tested[name]}"
        if name in self.evidence:
            yield self.evidence[name].words
        if name in self.not_run:
            yield self.not_run[name]
