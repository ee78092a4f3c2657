"""What OpenLineage calls a relation: its namespace and name, as the naming spec has them.

Source: https://openlineage.io/docs/spec/naming. Nearly every namespace has a host in it, which no
SQL says. Without one given, the host is `unknown`: better than a wrong one that looks right.
"""

from __future__ import annotations

from dataclasses import dataclass

from unwet.lineage.names import upper_case

TEMPORARY = "inmemory://"  # datasets that outlive no session: temporary tables, results
# Where the scheme of the naming spec is not sqlglot's name of the dialect.
_SCHEMES = {
    "athena": "awsathena",
    "databricks": "unitycatalog",
    "fabric": "fabric-warehouse",
    "spark": "hive",
    "tsql": "mssql",
}


@dataclass(frozen=True, slots=True)
class Dataset:
    """A dataset's identity."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True)
class Naming:
    """How the relations of a pile are named; `namespace` "" is that of the dialect."""

    dialect: str = ""
    namespace: str = ""

    @property
    def home(self) -> str:
        """The namespace of all tables and views."""
        return self.namespace or default_namespace(self.dialect)

    def dataset(self, relation: str) -> Dataset:
        """A table or view. Its case is the one in the warehouse, as far as the pile knows it."""
        parts = [upper_case(part, self.dialect) for part in relation.split(".")]
        return Dataset(self.home, ".".join(parts))

    def column(self, name: str) -> str:
        """A column, in the case of the warehouse."""
        return upper_case(name, self.dialect)


def default_namespace(dialect: str) -> str:
    """`bigquery` has no host; others get `SCHEME://unknown`; no dialect is `default`."""
    if dialect in ("", "bigquery"):
        return dialect or "default"
    return f"{_SCHEMES.get(dialect, dialect)}://unknown"


def temporary(owner: str, relation: str = "") -> Dataset:
    """A temporary table of a script, or the result of a query; its name needs its owner's."""
    return Dataset(TEMPORARY, f"{owner}#{relation}" if relation else owner)
