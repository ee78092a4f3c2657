"""Contradictions as entries of a decisions file: what is left to write is the date and the reason.

Every entry follows the majority, and names what then changes. The file is refused as long as dates
and reasons are empty: nobody has decided anything yet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace

from unwet.rewrite.decisions.decided import names_of, of_scripts, with_effects
from unwet.rewrite.decisions.resolution import Resolution
from unwet.rewrite.drift import Drift
from unwet.rewrite.meaning import Meaning


def draft(meaning: Meaning, found: Drift, values: Mapping[str, str]) -> str:
    """The text of a decisions file with an entry for each outlier; what cannot be carried out by
    rule is a comment that says why."""
    wanted = {
        Resolution("", finding.code, at.path, at.expression, finding.about, "", "", "", ()): (
            f"{finding.votes} : {finding.against}, the others: {finding.majority or 'nothing'}"
        )
        for finding in found.findings
        for at in finding.outliers
    }
    places, after, changes = with_effects(meaning, tuple(wanted), values)
    lines: list[str] = []
    for each in places:
        mine = {mend.statement.path for mend in each.mends}
        named = {
            report.name: sorted(changes[report.name])
            for report in after.state.reports
            if report.name in changes and mine & of_scripts(report.definition)
        }
        decision = replace(each.decision, changes=names_of(named))
        lines += [f"# {' '.join(wanted[each.decision].split())}"]
        if each.problem:
            lines += [f"# not by rule: {' '.join(each.problem.split())}"]
        text = list(_entry(decision))
        lines += [f"# {line}" if each.problem else line for line in text] + [""]
    return "\n".join(lines)


def _entry(decision: Resolution) -> Iterator[str]:
    yield "[[drift]]"
    yield f"code = {_text(decision.drift)}"
    yield f"path = {_text(decision.path)}"
    yield f"expression = {_text(decision.expression)}"
    if decision.about:
        yield f"about = {_text(decision.about)}"
    yield 'decided = "majority"'
    yield 'date = ""'
    yield 'reason = ""'
    yield "[drift.changes]"
    for name, columns in decision.changes:
        yield f"{_text(name)} = [{', '.join(map(_text, columns))}]"


def _text(value: str) -> str:
    """A TOML text: its basic strings escape as those of JSON do."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
