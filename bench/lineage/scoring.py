"""How well one tool's answers meet what a suite expects.

judge(case, answer) -> Verdict;  total(verdicts) -> Score
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from bench.lineage.case import Case, Edge, Edges, Tables
from bench.lineage.normal import agreed, normal, normal_tables


@dataclass(frozen=True, slots=True)
class Answer:
    """What a tool said about one case. `crash`: why it said nothing; CPU in seconds."""

    id: str
    columns: tuple[Edge, ...] = ()
    tables: Tables = field(default_factory=lambda: Tables(frozenset(), frozenset()))
    crash: str = ""
    cpu: float = 0.0


@dataclass(frozen=True, slots=True)
class Verdict:
    """One case of one tool: edges that were expected, that were said, and why nothing was."""

    id: str
    origin: str
    expected: Edges
    got: Edges
    crash: str = ""

    @property
    def exact(self) -> bool:
        return not self.crash and self.expected == self.got


@dataclass(frozen=True, slots=True)
class Score:
    """Figures over some cases; precision and recall are per edge, in percent."""

    cases: int
    exact: int
    hits: int
    said: int
    expected: int
    crashes: int

    @property
    def exact_percent(self) -> float:
        return _percent(self.exact, self.cases)

    @property
    def precision(self) -> float:
        return _percent(self.hits, self.said)

    @property
    def recall(self) -> float:
        return _percent(self.hits, self.expected)


def judge(case: Case, answer: Answer) -> Verdict:
    """Compare the column edges of one case, both sides in the common form."""
    expected = normal(case, case.columns or ())
    got = agreed(expected, normal(case, answer.columns))
    return Verdict(case.id, case.origin, expected, got, answer.crash)


def judge_tables(case: Case, answer: Answer) -> Verdict:
    """Compare the relations of one case, as edges without columns: read -> "", "" -> written."""
    wanted = _as_edges(normal_tables(case, case.tables or Tables(frozenset(), frozenset())))
    got = _as_edges(normal_tables(case, answer.tables))
    return Verdict(case.id, case.origin, wanted, got, answer.crash)


def total(verdicts: Iterable[Verdict]) -> Score:
    """Sum of verdicts."""
    each = list(verdicts)
    return Score(
        cases=len(each),
        exact=sum(v.exact for v in each),
        hits=sum(len(v.expected & v.got) for v in each),
        said=sum(len(v.got) for v in each),
        expected=sum(len(v.expected) for v in each),
        crashes=sum(bool(v.crash) for v in each),
    )


def _as_edges(tables: Tables) -> Edges:
    read = {Edge(name, "", "", "") for name in tables.sources}
    return frozenset(read | {Edge("", "", name, "") for name in tables.targets})


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0
