"""What generated data said of a report, on disk: it says the same as long as nothing changes that
it depends on. There is nothing of the user's data in it."""

from __future__ import annotations

import json
import re
from dataclasses import astuple
from typing import Final

from unwet.rewrite.prove.compare import Counts, Difference
from unwet.rewrite.prove.evidence import Evidence
from unwet.rewrite.prove.generated import LATE
from unwet.rewrite.prove.tested import DataVerdict
from unwet.rewrite.unfinished import Unfinished
from unwet.rewrite.verdicts import Score

_IN_TIME: Final = re.compile(rf"(?s)(?!.*(?:stopped after|{re.escape(LATE)}))")


class KnownEvidence:
    """Evidence by keys that are made of all it depends on."""

    def __init__(self, store: Unfinished) -> None:
        self._store = store

    def get(self, key: str) -> Evidence | None:
        """What was found out, unless it was damaged."""
        text = self._store.recall(key)
        try:
            return _read(text) if text is not None else None
        except (ValueError, TypeError, KeyError):
            return None

    def put(self, key: str, evidence: Evidence) -> None:
        """Remember it, unless only time was short: the next run may have more."""
        if _IN_TIME.match(evidence.verdict.reason):
            self._store.note(key, _text(evidence))


def _text(evidence: Evidence) -> str:
    told, score = evidence.verdict, evidence.score
    return json.dumps({
        "verdict": [told.name, told.verdict, told.rows_before, told.rows_after, told.reason],
        "counts": astuple(told.counts) if told.counts is not None else None,
        "sample": [[d.change, list(d.row), d.copies] for d in told.sample],
        "data_sets": evidence.data_sets,
        "score": [score.killed, score.valid] if score is not None else None,
        "counterexample": evidence.counterexample,
        "unused": [evidence.unused, evidence.why],
    })  # fmt: skip


def _read(text: str) -> Evidence:
    data = json.loads(text)
    name, verdict, before, after, reason = data["verdict"]
    sample = tuple(Difference(change, tuple(row), copies) for change, row, copies in data["sample"])
    return Evidence(
        DataVerdict(
            name,
            verdict,
            before,
            after,
            sample,
            reason,
            Counts(*data["counts"]) if data["counts"] is not None else None,
        ),
        data["data_sets"],
        Score(*data["score"]) if data["score"] is not None else None,
        data["counterexample"],
        *data["unused"],
    )
