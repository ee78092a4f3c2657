"""Against the answer key: are the families those of the truth, is the drift found?

score_families(case, families) -> Score;  score_drift(case, findings) -> Score;
score_places, found_by_kind: more about the same
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from bench.shop.case import Case

NEAR = 5  # lines between a finding and its place in the key: a statement has several ends
SHAPES = ("one", "inserts", "union")

Place = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Score:
    """recall: right of what is there; precision: right of what was said."""

    right: int
    said: int
    there: int
    found: int

    @property
    def recall(self) -> float:
        return self.found / self.there if self.there else 1.0

    @property
    def precision(self) -> float:
        return self.right / self.said if self.said else 1.0


def score_families(case: Case, families: Iterable[Mapping[str, Any]]) -> Score:
    """Pairs of whole reports that are put together, against pairs of the same kind."""
    reports = {r["path"]: r for r in case.key["reports"] if r["shape"] in SHAPES}
    kinds = {path: report["concept"] for path, report in reports.items()}
    true = {pair for pair in _pairs(kinds) if kinds[pair[0]] == kinds[pair[1]]}
    said: set[tuple[str, str]] = set()
    for family in families:
        whole = [(_relative(case, m["path"]), m) for m in family["members"] if m["whole"]]
        paths = {path for path, m in whole if path in reports and _is_report(m, reports[path])}
        said |= set(_pairs(paths))
    right = len(said & true)
    return Score(right, len(said), len(true), right)


def score_drift(case: Case, findings: Sequence[Mapping[str, Any]]) -> Score:
    """A finding is right if one of its outliers is at an injected mistake (not at intended
    variation); a mistake is found if an outlier of some finding is at its place."""
    wrong = [(place["path"], int(place["line"])) for place in case.key["drift"]]
    said = [
        [(_relative(case, o["path"]), int(o["line"])) for o in finding["outliers"]]
        for finding in findings
    ]
    right = sum(any(_near(place, w) for place in places for w in wrong) for places in said)
    found = sum(any(_near(place, w) for places in said for place in places) for w in wrong)
    return Score(right, len(findings), len(wrong), found)


def score_places(case: Case, findings: Sequence[Mapping[str, Any]]) -> Score:
    """The same place by place: how many of all outliers are at an injected mistake."""
    singles = [{"outliers": [outlier]} for finding in findings for outlier in finding["outliers"]]
    return score_drift(case, singles)


def found_by_kind(
    case: Case, findings: Sequence[Mapping[str, Any]]
) -> Mapping[str, tuple[int, int]]:
    """Kind of mistake -> (found, there)."""
    kinds: dict[str, tuple[int, int]] = {}
    for place in case.key["drift"]:
        one = Case(case.seed, case.folder, {**case.key, "drift": [place]})
        found, there = kinds.get(place["kind"], (0, 0))
        kinds[place["kind"]] = found + score_drift(one, findings).found, there + 1
    return dict(sorted(kinds.items()))


def _is_report(member: Mapping[str, Any], report: Mapping[str, Any]) -> bool:
    """The report's own statement, not one of its temporary tables."""
    return (member["relation"] or "") in ("", report["relation"], report["name"])


def _pairs(paths: Iterable[str]) -> Iterable[tuple[str, str]]:
    return combinations(sorted(paths), 2)


def _near(one: Place, other: Place) -> bool:
    return one[0] == other[0] and abs(one[1] - other[1]) <= NEAR


def _relative(case: Case, path: str) -> str:
    full = Path(path).resolve()
    root = case.pile.resolve()
    return full.relative_to(root).as_posix() if full.is_relative_to(root) else path
