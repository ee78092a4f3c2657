"""Expectations of suites that are corrected or left out, with the reason.

load() -> {case id: Disagreement};  corrected(cases, disagreements) -> cases
"""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bench.errors import BenchError
from bench.lineage.case import Case, Edge, Edges
from bench.lineage.normal import normal

FILE = Path(__file__).with_suffix(".toml")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Why a suite's expectation is not ours.

    `columns`: the right edges; None when only some are wrong, which `add` and `remove` name (in
    the common form of bench.lineage.normal). With none of the three the case is left out.
    """

    id: str
    reason: str
    settled: str
    columns: Edges | None
    add: Edges
    remove: Edges

    def corrected(self, case: Case) -> Case | None:
        """The case with the right edges, or None when it is left out."""
        if self.columns is not None:
            return replace(case, columns=self.columns)
        if not self.add and not self.remove:
            return None
        return replace(case, columns=(normal(case, case.columns or ()) - self.remove) | self.add)


def load(file: Path = FILE) -> dict[str, Disagreement]:
    """Every entry of the file. Raises BenchError for one without a reason."""
    found = {}
    for id, entry in tomllib.loads(file.read_text("utf-8")).items():
        if not entry.get("reason"):
            raise BenchError(f"{file}: {id} has no reason")
        columns, add, remove = (
            frozenset(Edge(*each) for each in entry.get(name, ()))
            for name in ("columns", "add", "remove")
        )
        found[id] = Disagreement(
            id,
            entry["reason"],
            entry.get("settled", ""),
            columns if "columns" in entry else None,
            add,
            remove,
        )
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
        elif (right := entry.corrected(case)) is not None:
            found.append(right)
    return tuple(found)
