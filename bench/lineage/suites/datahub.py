"""DataHub's golden files: relations and columns are URNs."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bench.lineage.case import Case, Edge, Edges, Tables, columns_of

_URN = re.compile(r"urn:li:dataset:\(urn:li:dataPlatform:[^,]*,(?P<name>.*),[A-Z]+\)$")
SHARDS = "_yyyymmdd"  # DataHub's name for all of table_20230101, table_20230102, ...
DIALECTS = {"mssql": "tsql", "postgres": "postgres", "unity-catalog": "databricks"}


def cases(recorded: Iterable[Mapping[str, Any]]) -> tuple[Case, ...]:
    """One case per call; a golden file without column lineage only says relations."""
    found: dict[str, Case] = {}
    numbers: dict[str, int] = {}
    for each in recorded:
        golden = each["golden"]
        numbers[each["test"]] = numbers.get(each["test"], 0) + 1
        id = f"datahub:{each['test']}#{numbers[each['test']]}"
        names = _Names(each["platform_instance"])
        tables = Tables(names.all(golden["in_tables"]), names.all(golden["out_tables"]))
        found[id] = Case(
            id=id,
            origin="datahub",
            sql=each["sql"],
            dialect=DIALECTS.get(each["dialect"], each["dialect"]),
            schema=columns_of(_schema(each["sql"], names, each["schemas"])),
            default_schema=".".join(filter(None, (each["default_db"], each["default_schema"]))),
            tables=tables if tables.sources or tables.targets else None,
            columns=_edges(names, golden.get("column_lineage")),
        )
    return tuple(found.values())


class _Names:
    """Datasets by URN; DataHub puts the instance of a platform before their names."""

    def __init__(self, instance: str | None) -> None:
        self._prefix = f"{instance}." if instance else ""

    def one(self, urn: str) -> str:
        match = _URN.match(urn)
        return (match["name"] if match else urn).removeprefix(self._prefix)

    def all(self, urns: Iterable[str]) -> frozenset[str]:
        return frozenset(self.one(urn) for urn in urns)


def _schema(sql: str, names: _Names, schemas: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """Columns by relation; the shards of one BigQuery table also under the name in the text."""
    found = {}
    for urn, columns in schemas.items():
        name = names.one(urn)
        found[name] = columns
        if name.endswith(SHARDS):
            stem = re.escape(name.removesuffix(SHARDS))
            for shard in re.findall(rf"{stem}_\d+\*?", sql):
                found[shard] = columns
    return found


def _edges(names: _Names, lineage: Iterable[Mapping[str, Any]] | None) -> Edges | None:
    if lineage is None:
        return None
    return frozenset(
        Edge(
            names.one(source["table"]),
            source["column"],
            names.one(column["downstream"]["table"] or ""),
            column["downstream"]["column"],
        )
        for column in lineage
        for source in column["upstreams"]
    )
