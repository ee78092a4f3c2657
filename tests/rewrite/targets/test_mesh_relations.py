"""Names of relations that SQLMesh's templates put together."""

from __future__ import annotations

import pytest

from unwet.rewrite.compose import Outside
from unwet.rewrite.targets.mesh_relations import in_schema, model_of, table_of, with_source_names
from unwet.rewrite.targets.placing import Places
from unwet.rewrite.targets.sqlmesh_words import spelled


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


@pytest.mark.parametrize(
    ("tables", "schema", "said", "wanted"),
    [
        (("de_raw.pings", "fr_raw.pings"), "origin ~ '_raw'", "'pings'", "origin ~ '_raw.pings'"),
        (("raw_de.pings",), "'raw_' ~ origin", "'pings'", "'raw_' ~ origin ~ '.pings'"),
        (("p-1.raw_de.pings",), "'raw_' ~ origin", "'pings'", "'`p-1`.raw_' ~ origin ~ '.pings'"),
        (("de.2020", "fr.2020"), "origin", "'2020'", "origin ~ '.`2020`'"),
        (("de.2020", "fr.2021"), "origin", "year", "origin ~ '.`' ~ year ~ '`'"),
        (("de.2020", "f-r.2021"), "origin", "year", "source(origin, year)"),
        (("De.pings", "fr.pings"), "origin", "'pings'",
         "{'de': 'De.pings', 'fr': 'fr.pings'}[origin]"),
    ],
)  # fmt: skip
def test_a_table_of_any_schema(
    tables: tuple[str, ...], schema: str, said: str, wanted: str
) -> None:
    others = ("elsewhere.a-b", "elsewhere.pong") if schema != "origin" else ()
    parts = {name: name.rsplit(".", 1) for name in (*tables, *others)}
    outside = [Outside(name, first, table, "raw_de" if first == "p-1.raw_de" else "")
               for name, (first, table) in parts.items()]  # fmt: skip
    where = Places("bigquery", {}, {each.token.lower(): each for each in outside}, True)
    assert in_schema(schema, said, where) == wanted
    spelled_ = spelled(f"from {{{{ source({schema}, {said}) }}}}", where)
    assert ("source(" in spelled_) == wanted.startswith("source(")


def test_the_macro_has_all_schemas_where_one_is_an_expression() -> None:
    outside = [Outside(name, *name.split(".")) for name in ("de.2020", "f-r.2021")]
    where = Places("bigquery", {}, {each.token.lower(): each for each in outside}, True)
    files = {"models/m.sql": "FROM {{ source(origin, year) }}"}
    macro = with_source_names(files, where)["macros/source.sql"]
    assert "    'de': {\n        '2020': 'de.`2020`',\n    },\n    'f_r': {\n" in macro


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
