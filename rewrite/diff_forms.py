"""What is otherwise in another revision, in the forms other programs and people read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import Any, Final

from unwet.lineage.columns import ColumnId
from unwet.lineage.counted import counted
from unwet.lineage.findings import Span
from unwet.rewrite.diff import Changed, Diff, Flow
from unwet.rewrite.script import Report

SHOWN: Final = 20  # edges and reports of a kind unless -v


def as_json(found: Diff) -> str:
    """Three lists of reports and of edges, told apart by their `kind`."""
    data = {
        "added": [*map(_report, found.added), *map(_edge, found.more)],
        "removed": [*map(_report, found.removed), *map(_edge, found.less)],
        "changed": [_change(each) for each in found.changed],
        "same": found.same,
        "unclear": [*found.unclear],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def as_text(found: Diff, terminal: bool = False, full: bool = False) -> str:
    """Reports first, then the columns that flow otherwise; ``full`` leaves nothing out."""
    from rich.console import Console

    out = StringIO()
    console = Console(
        file=out, width=None if terminal else 10_000, force_terminal=terminal, highlight=False
    )
    for title, lines in _parts(found):
        if not lines:
            continue
        console.print(f"{title} ({len(lines):,})", style="bold", markup=False)
        shown = lines if full else lines[:SHOWN]
        for line in shown:
            console.print(line, markup=False, soft_wrap=True)
        if len(shown) < len(lines):
            console.print(f"  ... and {len(lines) - len(shown):,} more (-v shows all)")
        console.print()
    said = f"{counted(found.same, 'report returns', 'reports return')} the same rows"
    console.print(said if not found.is_empty else f"nothing is otherwise: {said}", markup=False)
    return out.getvalue()


def _parts(found: Diff) -> Iterator[tuple[str, Sequence[str]]]:
    yield "Reports that are new", [_line(each, each.span) for each in found.added]
    yield "Reports that are gone", [_line(each, each.span) for each in found.removed]
    yield "Reports that may return other rows", [_changed_line(each) for each in found.changed]
    yield "Files that are otherwise and not understood", [f"  {each}" for each in found.unclear]
    yield "Columns that flow anew", [_flow_line(each) for each in found.more]
    yield "Columns that flow no more", [_flow_line(each) for each in found.less]


def _line(report: Report, span: Span) -> str:
    return f"  {report.relation or report.name}  {span.path}:{span.line}"


def _changed_line(change: Changed) -> str:
    return f"{_line(change.report, change.report.span)}\n      {change.reason}"


def _flow_line(flow: Flow) -> str:
    return f"  {flow.source} -> {flow.target}  {flow.type} {flow.subtype}"


def _report(report: Report) -> dict[str, Any]:
    return {"kind": "report", "name": report.name, "relation": report.relation,
            **_place(report.span)}  # fmt: skip


def _change(change: Changed) -> dict[str, Any]:
    return {**_report(change.report), "reason": change.reason, "before": _place(change.before)}


def _place(span: Span) -> dict[str, Any]:
    return {"path": span.path, "line": span.line}


def _edge(flow: Flow) -> dict[str, Any]:
    return {"kind": "edge", "source": _column(flow.source), "target": _column(flow.target),
            "type": flow.type, "subtype": flow.subtype}  # fmt: skip


def _column(column: ColumnId) -> dict[str, str]:
    return {"relation": column.relation, "column": column.column}
