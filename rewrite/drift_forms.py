"""Drift in the forms other programs and people read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from io import StringIO

from unwet.lineage.counted import counted
from unwet.rewrite.drift import Drift, DriftFinding
from unwet.rewrite.evidence import Witness

SHOWN_OUTLIERS = 12

WORDS = {
    "DRIFT_FILTER": "filter missing",
    "DRIFT_JOIN": "other kind of join",
    "DRIFT_BOUNDARY": "other boundary",
    "DRIFT_LITERAL": "other constant",
    "DRIFT_AGGREGATE": "other aggregate",
    "DRIFT_NULL": "NULL treated otherwise",
    "DRIFT_TIMEZONE": "time zone treated otherwise",
    "DRIFT_WINDOW": "other window",
    "DRIFT_GRAIN": "other grain",
    "DRIFT_ORDER": "other order of the first rows",
    "DRIFT_NAME": "other name",
    "DRIFT_EXPRESSION": "other expression",
}
NOTHING = "nothing of the kind"
_MEND = {
    "DRIFT_FILTER": "add the filter",
    "DRIFT_JOIN": "join as the others do",
    "DRIFT_NAME": "rename it",
}


def as_json(found: Drift) -> str:
    """The findings with the keys of the documented JSON form."""
    data = {
        "findings": [finding(each) for each in found.findings],
        "accepted": [
            {"path": d.path, "line": d.line, "expression": d.expression, "reason": reason}
            for d, reason in found.accepted
        ],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def as_text(found: Drift, terminal: bool = False, full: bool = False) -> str:
    """One paragraph a finding, the surest first; ``full`` leaves nothing out."""
    from rich.console import Console

    out = StringIO()
    console = Console(
        file=out, width=None if terminal else 10_000, force_terminal=terminal, highlight=False
    )
    for finding in found.findings:
        console.print(_headline(finding), style="bold", markup=False)
        for line in _lines(finding, full):
            console.print(line, markup=False, soft_wrap=True)
        console.print()
    console.print(_total(found), markup=False)
    return out.getvalue()


def finding(found: DriftFinding) -> dict[str, object]:
    """One contradiction, as JSON has it."""
    return {
        "code": found.code,
        "vote": [found.votes, found.against],
        "about": found.about,
        "majority": found.majority,
        "outliers": [
            {"path": o.path, "line": o.line, "expression": o.expression} for o in found.outliers
        ],
        "voters": [
            {"path": v.path, "line": v.line, "expression": v.expression} for v in found.voters
        ],
        "score": found.score,
        **({"witnesses": list(map(_witness, found.witnesses))} if found.witnesses else {}),
    }


def _witness(found: Witness) -> dict[str, object]:
    return {
        "path": found.path,
        "line": found.line,
        "rows": found.rows,
        "of": found.of,
        "row": dict(found.row),
        "majority": found.majority,
        "outlier": found.outlier,
        "reason": found.reason,
    }


def words(finding: DriftFinding) -> str:
    """What is wrong, in a few words."""
    if finding.code == "DRIFT_FILTER" and not finding.majority:
        return "filter that no copy has"
    said = WORDS[finding.code]
    return f"{said}, {finding.signs[1]} for {finding.signs[0]}" if finding.signs else said


def _headline(finding: DriftFinding) -> str:
    about = f" ({finding.about})" if finding.about else ""
    vote = f"{finding.votes} : {finding.against}"
    return f"{finding.code} {words(finding)}{about}, {vote}, score {finding.score:.2f}"


def _lines(finding: DriftFinding, full: bool) -> Iterator[str]:
    yield f"  {counted(finding.votes, 'copy', 'copies')}: {finding.majority or NOTHING}"
    if finding.voters:
        nearest = finding.voters if full else finding.voters[:1]
        yield f"    as in {', '.join(f'{each.path}:{each.line}' for each in nearest)}"
    shown = finding.outliers if full else finding.outliers[:SHOWN_OUTLIERS]
    for outlier in shown:
        yield f"  {outlier.path}:{outlier.line}: {outlier.expression or NOTHING}"
        for found in finding.witnesses:
            if (found.path, found.line) == (outlier.path, outlier.line):
                yield from _seen(found)
    if len(shown) < len(finding.outliers):
        yield f"  ... and {len(finding.outliers) - len(shown)} more (-v shows all)"
    yield f"  help: {advice(finding)}"


def _seen(found: Witness) -> Iterator[str]:
    """What the data says."""
    if found.rows is None:
        yield f"    not tried on the data: {found.reason}"
    elif not found.rows:
        yield f"    {found.reason} ({counted(found.of or 0, 'row')} looked at)"
    else:
        row = ", ".join(f"{name} = {value}" for name, value in found.row)
        yield f"    differs on {found.rows:,} of {counted(found.of or 0, 'row')}; one: {row}"
        yield f"      the copies: {found.majority}; here: {found.outlier}"


def advice(finding: DriftFinding) -> str:
    """What to do about it."""
    mend = _MEND.get(finding.code, "say it as the others do")
    if not finding.majority:
        mend = "leave the filter out, or give it to all"
    return f"{mend}; if it is meant: -- unwet: ignore[{finding.code}] reason"


def _total(found: Drift) -> str:
    places = sum(len(finding.outliers) for finding in found.findings)
    text = f"{counted(len(found.findings), 'contradiction')} in {counted(places, 'place')}"
    return f"{text}; {len(found.accepted):,} accepted" if found.accepted else text
