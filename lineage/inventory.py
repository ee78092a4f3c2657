"""What `unwet scan` says: how much SQL there is, what it produces, what could not be read."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from unwet.lineage.catalog import Studied
from unwet.lineage.facts import Facts, facts, known_of
from unwet.lineage.findings import UNPARSED, Finding, in_order
from unwet.lineage.known import Known
from unwet.lineage.pile import Pile
from unwet.lineage.reports import Effect, Report, effect, reports
from unwet.lineage.schema import Schema, read_schema
from unwet.lineage.tables import CALLED
from unwet.lineage.templating import restorer

LOSSES = UNPARSED | {"UNREADABLE", "BINARY", "LOG"}


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


def scan(pile: Pile) -> Inventory:
    """Count what is in a pile that has been read."""
    return _inventory([facts(each) for each in pile.scripts], pile.studied.known, pile.findings)


def combined(
    all_facts: Sequence[Facts],
    before: Iterable[Finding] = (),
    schema: Schema | None = None,
    dialect: str = "",
    default_schema: str = "",
) -> Inventory:
    """Count what is in a pile, from the facts of its sources in their order; `before`: findings
    about reading them. Raises BadSchema."""
    known = known_of(read_schema(schema, dialect), all_facts, default_schema.lower())
    own = (finding for each in all_facts for finding in each.findings)
    return _inventory(all_facts, known, in_order([*before, *own, *known.findings]))


def _inventory(all_facts: Sequence[Facts], known: Known, findings: Sequence[Finding]) -> Inventory:
    relations = Studied(known, {})
    return Inventory(
        files=len(all_facts),
        lines=sum(each.lines for each in all_facts),
        statements=sum(each.statements for each in all_facts),
        opaque=sum(finding.code == "OPAQUE" for finding in findings),
        errors=tuple(finding for finding in findings if finding.code in LOSSES),
        relations=len(_relations(all_facts, relations)),
        reports=reports(e for each in all_facts for e in _effects(each, relations)),
        findings=tuple(finding for finding in findings if finding.code not in LOSSES),
    )


def _relations(all_facts: Iterable[Facts], studied: Studied) -> set[str]:
    """All that is given, declared, made, or mentioned as a table."""
    known = studied.known
    found = {name for name, table in known.catalog.tables.items() if table.origin != "made"}
    for each in known.headers:
        if not each.name.endswith(CALLED):
            found.add(studied.relation(each.name, each.path, each.index + 1))
    for one in all_facts:
        for mention in one.mentions:
            found.update(studied.relation(n, one.path, mention.index) for n in mention.names)
    return found


def _effects(one: Facts, studied: Studied) -> Iterator[Effect]:
    """What the statements of a source do to the relations of the pile."""
    restore = restorer(one.placeholders)
    for each in one.acts:
        made = each.kind not in ("update", "delete", "merge")  # those change what was there
        named = studied.relation(each.target, each.path, each.index + made) if each.target else ""
        yield effect(each, named, restore)


def as_json(inventory: Inventory) -> str:
    """The inventory in the form other programs read."""
    data = {
        "files": inventory.files,
        "lines": inventory.lines,
        "statements": inventory.statements,
        "opaque": inventory.opaque,
        "errors": [place_of(finding) for finding in inventory.errors],
        "relations": inventory.relations,
        "reports": [
            {"name": report.name, "path": report.path, "line": report.line}
            for report in inventory.reports
        ],
        "findings": [place_of(finding) for finding in inventory.findings],
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
        ("reports", _reports(inventory)),
        ("opaque", f"{inventory.opaque:,}"),
        ("errors", f"{len(inventory.errors):,}"),
        *(
            (f"{code.lower()} notes", f"{n:,}")
            for code, n in sorted(codes.items())
            if n and code != "OPAQUE"
        ),
    ]


def _reports(inventory: Inventory) -> str:
    """How many there are, counted as `refactor` does: what does not parse may be one."""
    lost = sum(finding.code in UNPARSED for finding in inventory.errors)
    said = f"{len(inventory.reports) + lost:,}"
    return f"{said}, {lost:,} of which {'does' if lost == 1 else 'do'} not parse" if lost else said


def place_of(finding: Finding) -> dict[str, str | int]:
    """A finding as JSON has it: its code, where it is, and what it says."""
    return {
        "code": finding.code,
        "path": finding.at.path,
        "line": finding.at.line,
        "column": finding.at.column,
        "message": finding.message,
    }
