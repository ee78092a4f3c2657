"""DataHub's golden files: relations and columns are URNs."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bench.lineage.case import Case, Edge, Edges, Tables, columns_of

_URN = re.compile(r"urn:li:dataset:\(urn:li:dataPlatform:[^,]*,(?P<name>.*),[A-Z]+\)$")
DIALECTS = {"mssql": "tsql", "postgres": "postgres", "unity-catalog": "databricks"}


def cases(recorded: Iterable[Mapping[str, Any]]) -> tuple[Case, ...]:
    """One case per call; a golden file without column lineage only says relations."""
    found: dict[str, Case] = {}
    numbers: dict[str, int] = {}
    for each in recorded:
        golden = each["golden"]
        numbers[each["test"]] = numbers.get(each["test"], 0) + 1
        id = f"datahub:{each['test']}#{numbers[each['test']]}"
        tables = Tables(_names(golden["in_tables"]), _names(golden["out_tables"]))
        found[id] = Case(
            id=id,
            origin="datahub",
            sql=each["sql"],
            dialect=DIALECTS.get(each["dialect"], each["dialect"]),
            schema=columns_of({name(urn): cols for urn, cols in each["schemas"].items()}),
            default_schema=".".join(filter(None, (each["default_db"], each["default_schema"]))),
            tables=tables if tables.sources or tables.targets else None,
            columns=_edges(golden.get("column_lineage")),
        )
    return tuple(found.values())


def name(urn: str) -> str:
    """The dataset's name in a URN, `db.schema.table`."""
    match = _URN.match(urn)
    return match["name"] if match else urn


def _names(urns: Iterable[str]) -> frozenset[str]:
    return frozenset(name(urn) for urn in urns)


def _edges(lineage: Iterable[Mapping[str, Any]] | None) -> Edges | None:
    if lineage is None:
        return None
    return frozenset(
        Edge(
            name(source["table"]),
            source["column"],
            name(column["downstream"]["table"] or ""),
            column["downstream"]["column"],
        )
        for column in lineage
        for source in column["upstreams"]
    )
