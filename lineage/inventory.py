"""What `unwet scan` says: how much SQL there is, what it produces, what could not be read."""

import json
from collections import Counter
from dataclasses import dataclass

from unwet.lineage.findings import Finding
from unwet.lineage.reports import Report
from unwet.lineage.survey import Lineage

LOSSES = frozenset({"PARSE", "TOKENIZE", "UNREADABLE", "BINARY", "LOG"})


@dataclass(frozen=True, slots=True)
class Inventory:
    """Counts over a pile; `errors` are findings about SQL that was lost."""

    files: int
    lines: int
    statements: int
    opaque: int
    errors: tuple[Finding, ...]
    relations: int
    reports: tuple[Report, ...]
    findings: tuple[Finding, ...]


def scan(pile: Lineage) -> Inventory:
    """Count what is in the pile."""
    return Inventory(
        files=len(pile.sources),
        lines=pile.lines,
        statements=pile.statements,
        opaque=sum(finding.code == "OPAQUE" for finding in pile.findings),
        errors=tuple(finding for finding in pile.findings if finding.code in LOSSES),
        relations=len(pile.catalog.tables),
        reports=pile.reports,
        findings=tuple(finding for finding in pile.findings if finding.code not in LOSSES),
    )


def as_json(inventory: Inventory) -> str:
    """The inventory in the form other programs read."""
    data = {
        "files": inventory.files,
        "lines": inventory.lines,
        "statements": inventory.statements,
        "opaque": inventory.opaque,
        "errors": [_place(finding) for finding in inventory.errors],
        "relations": inventory.relations,
        "reports": [
            {"name": report.name, "path": report.path, "line": report.line}
            for report in inventory.reports
        ],
        "findings": [_place(finding) for finding in inventory.findings],
    }
    return json.dumps(data, indent=2, ensure_ascii=False) + "\n"


def rows(inventory: Inventory) -> list[tuple[str, str]]:
    """Label and value per line of the text form."""
    codes = Counter(finding.code for finding in inventory.findings)
    return [
        ("files", f"{inventory.files:,}"),
        ("lines", f"{inventory.lines:,}"),
        ("statements", f"{inventory.statements:,}"),
        ("relations", f"{inventory.relations:,}"),
        ("reports", f"{len(inventory.reports):,}"),
        ("opaque", f"{inventory.opaque:,}"),
        ("errors", f"{len(inventory.errors):,}"),
        *((f"{code.lower()} notes", f"{n:,}") for code, n in sorted(codes.items()) if n),
    ]


def _place(finding: Finding) -> dict[str, str | int]:
    return {
        "code": finding.code,
        "path": finding.at.path,
        "line": finding.at.line,
        "column": finding.at.column,
        "message": finding.message,
    }
