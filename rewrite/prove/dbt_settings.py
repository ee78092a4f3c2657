"""What a dbt project says of its models beside their queries, and which of it may change rows.

Settings come from dbt_project.yml (by folder), from YAML files and from `config()` in the model,
the later before the earlier; hooks of all levels run (dbt's reference, "Config inheritance"). A
setting that is not known here is taken for one that changes rows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from unwet.rewrite.dbt_names import BUILT_IN, IN_CAPITALS
from unwet.rewrite.prove.hooks import is_harmless
from unwet.rewrite.prove.project_files import mapping, mappings
from unwet.rewrite.prove.sandbox import TemplateFailure


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Settings that run more than the query, and ways to store that have the rows of the query.
SIDE_EFFECTS: Final = ("pre_hook", "post_hook", "sql_header")
STORED: Final = frozenset({"view", "table", "ephemeral"})
_EARLIER_RUNS: Final = frozenset({"incremental", "snapshot"})
# Where and how a table is kept, who may read it, what is told of it: in dbt's reference ("Model
# configurations") and those of its adapters; the rows are the same.
_SAME_ROWS: Final = _words(
    "access alias as_columnstore auto_liquid_cluster auto_refresh automatic_clustering backup "
    "batch_size begin bind buckets catalog catalog_name cluster_by clustered_by compression "
    "concurrent_batches contract copy_grants data_tests database dataset_location description "
    "dist docs enabled event_time external_location file_format format freshness full_refresh "
    "grants group incremental_predicates incremental_strategy indexes kms_key_name labels "
    "liquid_clustered_by location location_root lookback materialized meta name on_schema_change "
    "partition_by partitioned_by persist_docs project properties query_tag quoting ra3_node "
    "schema secure skip_not_null_on_create snowflake_warehouse sort sort_type static_analysis "
    "submission_method table_format table_properties table_type tags tblproperties tests "
    "time_ingestion_partitioning tmp_relation_type transient unique_key unlogged "
    "unique_tmp_table_suffix versions warehouse"
)
PLACING: Final = frozenset({"generate_schema_name", "generate_database_name"})
_ADAPTERS: Final = _words(
    "default athena bigquery clickhouse databricks duckdb fabric mysql oracle postgres redshift "
    "snowflake spark sqlite sqlserver synapse teradata trino"
)
_MATERIALIZATION = re.compile(r"\{%-?\s*materialization\s+(\w+)")


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one model, by level, general ones first; keys without `+`, with `_`."""

    levels: tuple[Mapping[str, Any], ...]

    def value(self, name: str) -> object:
        """What the nearest level says; None where none does."""
        said = (level[name] for level in reversed(self.levels) if level.get(name) is not None)
        return next(said, None)

    def materialized(self) -> str:
        """How it is stored."""
        return str(self.value("materialized") or "view").lower()

    def is_enabled(self, expanded: Callable[[str], str]) -> bool:
        """`expanded`: what a value is that is a template. Raises TemplateFailure."""
        said = self.value("enabled")
        text = expanded(str(True if said is None else said)).strip().lower()
        if text not in ("true", "false"):
            raise TemplateFailure(f"whether it is enabled is not understood: {said}")
        return text == "true"

    def unfollowed(self) -> str:
        """Why the rows of a model are not those of its query; empty where they are."""
        for name in SIDE_EFFECTS:
            if any(level.get(name) for level in self.levels):
                return f"its {name} may change rows"
        kind = self.materialized()
        if kind in _EARLIER_RUNS:
            return f"the rows of {kind} models depend on earlier runs"
        if kind not in STORED:
            return f"the rows of {kind} models need not be those of their query"
        if kind == "table" and is_enforced(self.value("contract")):
            return "its contract casts its columns to the types that it names"
        names = {name for level in self.levels for name, value in level.items() if value}
        strange = sorted(names - _SAME_ROWS)
        return f"its setting {strange[0]} may change rows" if strange else ""

    def hooks(self) -> Iterator[object]:
        """What runs before and behind it, and above its query."""
        for level in self.levels:
            yield from (level.get(name) for name in SIDE_EFFECTS)


def model_settings(
    folders: object, parts: Iterable[str], described: Mapping[str, Any], own: Mapping[str, Any]
) -> Settings:
    """`folders`: the `models:` of dbt_project.yml; `parts`: the project's name, the folders below
    models/ and the model's name; `described`, `own`: its config in YAML and in the file."""
    level = mapping(folders)
    levels = [_of_folder(level)]
    for part in parts:
        level = mapping(level.get(part))
        levels.append(_of_folder(level))
    return Settings((*levels, _plain(described), _plain(own)))


def may_change_rows(config: Mapping[str, Any]) -> bool:
    """Whether the rows of a model that dbt has compiled need not be those of its query. Settings
    that are not known do not count here: its adapter has added some of its own."""
    said = _plain(config)
    kind = str(said.get("materialized") or "view")
    expiring = ("partition_expiration_days", "hours_to_expiration", "row_access_policy")
    told = any(said.get(name) for name in (*SIDE_EFFECTS, *expiring))
    return kind not in STORED or told or (kind == "table" and is_enforced(said.get("contract")))


def is_enforced(contract: object) -> bool:
    """Whether dbt makes a table of the types in YAML and puts the rows of the query into it
    (dbt's reference, "contract"): a number is rounded to the digits of its type."""
    said = mapping(contract).get("enforced", False) if isinstance(contract, dict) else contract
    return said not in (None, False, "") and str(said).strip().lower() != "false"


def overridden(macros: Iterable[str], texts: Iterable[str]) -> str:
    """Which of dbt's own macros or materializations a project replaces; empty where none."""
    texts = [*texts]
    names = set(macros) - ({"generate_alias_name"} if IN_CAPITALS in texts else set())
    for name in sorted(names):
        adapter, _, base = name.partition("__")
        dispatched = adapter in _ADAPTERS and base and base not in {*names, *PLACING}
        if name in BUILT_IN or dispatched:
            return f"the macro {name} takes the place of dbt's own"
    for text in texts:
        for kind in _MATERIALIZATION.findall(text):
            if kind in STORED or kind == "seed":
                return f"the materialization {kind} takes the place of dbt's own"
    return ""


def runs_besides(settings: Mapping[str, Any]) -> str:
    """What a project runs with its models or behind them that may change the rows of any of them;
    empty where it is nothing."""
    if not is_harmless(settings.get("on-run-end")):
        return "on-run-end may change rows"
    for kind in ("models", "seeds", "snapshots"):
        for hook in _hooks(settings.get(kind)):
            if not is_harmless(hook):
                return f"a hook of {kind} may change rows"
    return ""


def _hooks(value: object) -> Iterator[object]:
    """The hooks anywhere in a nested setting."""
    for name, inner in _plain(mapping(value)).items():
        if name in SIDE_EFFECTS:
            yield inner
        elif isinstance(inner, dict):
            yield from _hooks(inner)
        else:
            for each in mappings(inner):
                yield from _hooks(each)


def _of_folder(level: Mapping[str, Any]) -> dict[str, Any]:
    """What a folder says for all below it; a mapping without `+` is a folder in it."""
    said = {k: v for k, v in level.items() if str(k).startswith("+") or not isinstance(v, dict)}
    return _plain(said)


def _plain(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {str(k).removeprefix("+").replace("-", "_"): v for k, v in settings.items()}
