"""Expectations of suites that are corrected or left out, with the reason.

load() -> {case id: Disagreement};  corrected(cases, disagreements) -> cases
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import BenchError
from bench.lineage.case import Case, Edge, Edges

FILE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Why a suite's expectation is not ours; `columns` None: the case is left out."""

    id: str
    reason: str
    settled: str
    columns: Edges | None


def load(file: Path = FILE) -> dict[str, Disagreement]:
    """Every entry of the file. Raises BenchError for one without a reason."""
    found = {}
    for id, entry in tomllib.loads(file.read_text("utf-8")).items():
        if not entry.get("reason"):
            raise BenchError(f"{file}: {id} has no reason")
        columns = entry.get("columns")
        edges = None if columns is None else frozenset(Edge(*each) for each in columns)
        found[id] = Disagreement(id, entry["reason"], entry.get("settled", ""), edges)
    return found


def find(id: str, known: Mapping[str, Disagreement]) -> Disagreement | None:
    """The entry for a case: its own, or one that ends with `*` and begins as the case does."""
    if id in known:
        return known[id]
    starred = (name for name in known if name.endswith("*") and id.startswith(name[:-1]))
    return next((known[name] for name in sorted(starred, reverse=True)), None)


def corrected(cases: Iterable[Case], known: Mapping[str, Disagreement]) -> tuple[Case, ...]:
    """Cases with the corrected edges; those that are left out are missing."""
    found = []
    for case in cases:
        entry = find(case.id, known)
        if entry is None:
            found.append(case)
        elif entry.columns is not None:
            found.append(replace(case, columns=entry.columns))
    return tuple(found)
