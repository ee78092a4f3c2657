"""A run of the main job in the forms other programs and people read."""

from __future__ import annotations

import json
from collections import Counter, defaultdict

from unwet.lineage.counted import counted
from unwet.lineage.findings import Finding
from unwet.lineage.inventory import place_of
from unwet.rewrite import drift_forms, plan_forms
from unwet.rewrite.not_carried import NotCarried
from unwet.rewrite.not_understood import not_understood
from unwet.rewrite.request import Result
from unwet.rewrite.sizes import Size
from unwet.rewrite.verdicts import Verdict

_ASSUMED = 4  # how many the text form shows
_KINDS = 4  # of what is not carried over


def as_json(result: Result) -> str:
    """The result with the keys of the documented JSON form."""
    data = {
        "before": _size(result.before),
        "after": {**_size(result.after), "parameter_lines": result.parameter_lines},
        "macros": result.macros,
        "reports": [_report(v) for v in result.verdicts],
        "assumptions": list(result.assumptions),
        "drift": [drift_forms.finding(each) for each in result.contradictions],
        "abstractions": plan_forms.as_values(result.abstractions),
        "not_understood": [place_of(each) for each in _not_understood(result)],
        "not_carried": [_not_carried(each) for each in result.not_carried],
        "findings": [place_of(each) for each in result.noticed],
        "notes": list(result.notes),
        "rounds": [list(names) for names in result.rounds],
        "edited": [str(path) for path in result.edited],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def rows(result: Result, written: bool = True) -> list[tuple[str, str]]:
    """Label and value per line of the text form; ``written``: there are the files, too."""
    before, after = result.before, result.after
    counts = Counter(v.outcome for v in result.verdicts)
    shared = sum(v.shared for v in result.verdicts)
    verdicts = ", ".join(f"{n} {what}" for what, n in sorted(counts.items()))
    edited = [("edited by hand", _edited(len(result.edited)))] if result.edited else []
    return [
        ("lines", f"{before.lines:,} -> {after.lines:,}"),
        ("syntax nodes", f"{before.nodes:,} -> {after.nodes:,}"),
        ("files", f"{before.files:,} -> {after.files:,}"),
        ("reports", f"{len(result.verdicts):,}: {verdicts}"),
        (
            "through macros or shared models",
            f"{counted(shared, 'report')}, {counted(result.macros, 'macro')}",
        ),
        *edited,
        *_lost(result, "MIGRATION.md has" if written else "-v tells"),
        *_told_apart(result, "MIGRATION.md" if written else "--format json"),
        ("assumptions", _assumed(result.assumptions)),
    ]


def _lost(result: Result, where: str) -> list[tuple[str, str]]:
    lost = _not_understood(result)
    if not lost:
        return []
    first = f"{lost[0].at.path}:{lost[0].at.line}"
    one = len(lost) == 1
    said = f"{counted(len(lost), 'statement')}, in no model: {'' if one else 'first '}{first}"
    return [("not understood", said if one else f"{said}; {where} all")]


def _not_understood(result: Result) -> tuple[Finding, ...]:
    return not_understood(result.findings, {each.at for each in result.not_carried})


def _told_apart(result: Result, where: str) -> list[tuple[str, str]]:
    """How much there is that no model can say, by what it does."""
    found = Counter(each.what for each in result.not_carried)
    if not found:
        return []
    shown = ", ".join(f"{n} {what}" for what, n in found.most_common(_KINDS))
    more = ", ..." if len(found) > _KINDS else ""
    return [("not carried over", f"{shown}{more}: {where} lists them")]


def _not_carried(each: NotCarried) -> dict[str, str | int]:
    return {
        "what": each.what,
        "path": each.at.path,
        "line": each.at.line,
        "column": each.at.column,
        "text": each.begins,
    }


def _edited(files: int) -> str:
    told = "the verdicts above are not about them, those of unwet verify are"
    return f"{counted(files, 'file')}, left so: {told}"


def _assumed(said: tuple[str, ...]) -> str:
    """The assumptions, or the first of a long list; MIGRATION.md and JSON have them all."""
    more = f"; and {len(said) - _ASSUMED} more" if len(said) > _ASSUMED else ""
    return "; ".join(said[:_ASSUMED]) + more if said else "none"


def open_reports(result: Result, every: bool = False) -> list[str]:
    """A line for each report that somebody has to look at; unless `every`, one for all those that
    are kept for one reason, where the first of them stands, and none for text that does not parse,
    which is told as a finding."""
    alike: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for at, verdict in enumerate(result.verdicts):
        told = verdict.reason.startswith(f"line {verdict.line} does not parse: ")
        if verdict.outcome in ("kept", "failed") and (every or not told):
            one = "" if verdict.outcome == "kept" and not every else str(at)
            alike[verdict.reason, one].append(verdict)
    return [_open(some) for some in alike.values()]


def _open(alike: list[Verdict]) -> str:
    first = alike[0]
    place, what = f"{first.path}:{first.line}", first.outcome.upper()
    if len(alike) == 1:
        return f"{place}: {what} {first.relation or first.name}: {first.reason}"
    return f"{len(alike):,} x {what} {first.reason} (first {place}; -v shows all)"


def _size(size: Size) -> dict[str, int]:
    return {"lines": size.lines, "nodes": size.nodes, "files": size.files}


def _report(verdict: Verdict) -> dict[str, object]:
    return {
        "name": verdict.name,
        "relation": verdict.relation,
        "path": verdict.path,
        "line": verdict.line,
        "model": verdict.model or None,
        "verdict": verdict.outcome,
        "reason": verdict.reason,
        "shared": verdict.shared,
        "rows": verdict.rows,
        "data_sets": verdict.data_sets,
        "mutation_score": verdict.score.as_json() if verdict.score is not None else None,
    }
