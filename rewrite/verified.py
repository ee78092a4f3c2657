"""What verify found, in the forms other programs and people read."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict

from unwet.lineage.counted import counted
from unwet.lineage.inventory import place_of
from unwet.rewrite.checked import Checked
from unwet.rewrite.prove.apart import Apart
from unwet.rewrite.prove.compare import Difference
from unwet.rewrite.verify import Verification


def as_json(found: Verification) -> str:
    """The documented JSON form."""
    data = {
        "ok": found.ok,
        "reports": [_report(report) for report in found.reports],
        "assumptions": list(found.assumptions),
        "findings": [place_of(each) for each in found.noticed],
        "notes": list(found.notes),
        "unparsed": [
            {"path": f.at.path, "line": f.at.line, "column": f.at.column, "message": f.message}
            for f in found.unparsed
        ],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def as_text(found: Verification, verbose: bool = False) -> str:
    """A line per report; below it why it is not proved, the parts that differ and rows that do;
    and the counts. ``verbose``: the rules of each proof, too."""
    width = max((len(report.verdict) for report in found.reports), default=0)
    lines = [line for report in found.reports for line in _lines(report, width, verbose)]
    counts = Counter(report.verdict for report in found.reports)
    said = ", ".join(f"{n} {what}" for what, n in sorted(counts.items())) or "nothing to verify"
    lines += [f"assumed: {text}" for text in found.assumptions]
    lines += [f"beside the reports: {finding}" for finding in found.unparsed]
    lines += [f"  help: {finding.help}" for finding in found.unparsed[-1:]]
    if found.unparsed:
        said += f"; {counted(len(found.unparsed), 'file')} beside them not parsed"
    return "\n".join([*lines, f"{counted(len(found.reports), 'report')}: {said}"]) + "\n"


def _lines(report: Checked, width: int, verbose: bool) -> Iterator[str]:
    before, after = report.rows_before, report.rows_after
    rows = f" ({_rows(before, after)})" if before is not None else ""
    yield f"{report.verdict:<{width}}  {report.relation or report.name}{rows}"
    if report.reason:
        yield f"{'':<{width}}    {report.path}:{report.line}: {report.reason}"
    if report.grounds.apart is not None and report.open:
        yield from (f"{'':<{width}}    {line}" for line in _apart(report.grounds.apart))
    if verbose and report.grounds.rules:
        used = ", ".join(f"{rule} {n}" for rule, n in report.grounds.rules)
        yield f"{'':<{width}}    rules: {used}"
    if verbose and report.verdict == "proved" and report.grounds.declared:
        yield f"{'':<{width}}    declared: {'; '.join(report.grounds.declared)}"
    for difference in report.sample:
        yield f"{'':<{width}}    {_difference(difference)}"


def _apart(apart: Apart) -> Iterator[str]:
    for said, spot in (("was", apart.legacy), ("is", apart.project)):
        yield f"{said:<3} {spot}: {spot.text or '(nothing like it)'}"


def _rows(before: int, after: int | None) -> str:
    told = counted(before, "row")
    return told if before == after else f"{told} before, {after:,} after"


def _difference(difference: Difference) -> str:
    sign = "-" if difference.change == "removed" else "+"
    values = ", ".join("NULL" if value is None else value for value in difference.row)
    times = f"  ({difference.copies} times)" if difference.copies > 1 else ""
    return f"{sign} {values}{times}"


def _report(report: Checked) -> dict[str, object]:
    return {
        "name": report.name,
        "relation": report.relation,
        "path": report.path,
        "line": report.line,
        "model": report.model or None,
        "verdict": report.verdict,
        "reason": report.reason,
        "rows_before": report.rows_before,
        "rows_after": report.rows_after,
        "rows": asdict(report.counts) if report.counts is not None else None,
        "changes": list(report.changes),
        "proof": _proof(report),
        "difference": _parts(report.grounds.apart),
        "data_sets": report.data_sets,
        "mutation_score": report.score.as_json() if report.score is not None else None,
        "sample": [
            {"change": d.change, "row": list(d.row), "copies": d.copies} for d in report.sample
        ],
    }


def _proof(report: Checked) -> dict[str, object] | None:
    if report.verdict != "proved":
        return None
    return {
        "rules": [{"rule": rule, "steps": n} for rule, n in report.grounds.rules],
        "declared": list(report.grounds.declared),
    }


def _parts(apart: Apart | None) -> dict[str, object] | None:
    return asdict(apart) if apart is not None else None
