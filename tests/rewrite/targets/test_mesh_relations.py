"""Names of relations that SQLMesh's templates put together."""

from __future__ import annotations

import pytest

from unwet.rewrite.compose import Outside
from unwet.rewrite.targets.mesh_relations import model_of, table_of, with_source_names
from unwet.rewrite.targets.placing import Places


def places(dialect: str, *tables: str, models: tuple[str, ...] = ()) -> Places:
    outside = [Outside(f"s.{table}", "s", table) for table in tables]
    layers = {name: "marts" for name in models} | {"stg_t": "staging"}
    return Places(dialect, layers, {each.token.lower(): each for each in outside}, True)


@pytest.mark.parametrize(
    ("dialect", "tables", "said", "wanted"),
    [
        ("duckdb", ("person", "death"), "table", "'s.' ~ table"),
        ("duckdb", ("person", "death"), "'vis' ~ kind", "'s.vis' ~ kind"),
        ("duckdb", ("person", "order"), "table", """'s."' ~ table ~ '"'"""),  # one needs quotes
        ("bigquery", ("2020", "2021"), "year", "'s.`' ~ year ~ '`'"),
        ("bigquery", ("2020_*", "2021_*"), "year", "source('s', year)"),  # none is called `2020`
        ("duckdb", ("a-b", "c"), "table", "source('s', table)"),
        ("duckdb", (), "table", "source('s', table)"),
    ],
)
def test_a_table_of_a_schema(dialect: str, tables: tuple[str, ...], said: str, wanted: str) -> None:
    assert table_of("s", said, places(dialect, *tables)) == wanted


def test_a_model_by_the_beginning_of_its_name() -> None:
    where = places("duckdb", models=("daily_de", "daily_fr", "order"))
    assert model_of("'daily_' ~ country", where) == "'marts.daily_' ~ country"
    whole = model_of("name", where)
    assert whole.endswith("}[name]") and "'order': 'marts.\"order\"'" in whole
    assert "'stg_t': 'staging.stg_t'" in whole


def test_the_macro_has_the_schemas_that_are_called() -> None:
    where = places("bigquery", "2020_*", "people")
    files = {"models/m.sql": "FROM {{ source('s', year) }}"}
    macro = with_source_names(files, where)["macros/source.sql"]
    assert "        '2020': 's.`2020_*`',\n        'people': 's.people',\n" in macro
    plain = {"models/m.sql": "FROM s.people"}
    assert with_source_names(plain, where) == plain
