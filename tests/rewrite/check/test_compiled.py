"""dbt models: read as dbt compiled them, told where they stand."""

import json
import os
from pathlib import Path

import pytest

from unwet.rewrite.check.compiled import Compiled
from unwet.rewrite.check.manifest import Manifest
from unwet.rewrite.check.run import Checked
from unwet.tests.rewrite.check.piles import QUERY, run, told, write

MODEL = """\
-- revenue, by country
{% set least = 10 %}
select
    o.country,
    sum(o.total) as revenue
from {{ source('shop', 'orders') }} as o
join {{ source('shop', 'customers') }} as c on c.id = o.customer_id
where o.status = 'paid' and o.total > {{ least }}
group by o.country
"""
MADE = MODEL.replace("{% set least = 10 %}\n", "\n\n").replace("{{ least }}", "10")
MADE = MADE.replace("{{ source('shop', 'orders') }}", "shop.orders")
MADE = MADE.replace("{{ source('shop', 'customers') }}", "shop.customers")
PROJECT = "name: shop\nversion: '1'\ntarget-path: out\n"


def manifest(raw: str, made: str | None) -> str:
    source = {"source_name": "shop", "name": "orders", "relation_name": "shop.orders"}
    other = {"source_name": "shop", "name": "customers", "relation_name": '"shop"."customers"'}
    whole = json.loads(_nodes(raw, made))
    return json.dumps({**whole, "sources": {"s.o": source, "s.c": other, "odd": 3}})


def _nodes(raw: str, made: str | None) -> str:
    node = {
        "resource_type": "model",
        "original_file_path": "models/new.sql",
        "raw_code": raw.strip(),
    }
    node |= {"compiled_code": made} if made is not None else {}
    return json.dumps({"nodes": {"model.shop.new": node}})


@pytest.fixture
def project(tmp_path: Path) -> Path:
    write(tmp_path, {"dbt_project.yml": PROJECT, "models/old.sql": QUERY, "models/new.sql": MODEL,
                     "out/manifest.json": manifest(MODEL, MADE)})  # fmt: skip
    return tmp_path


def only(found: Checked) -> tuple[str, str, str]:
    (problem,) = found.problems
    return problem.code, str(problem.at), problem.help


def test_a_model_is_read_as_dbt_compiled_it(project: Path) -> None:
    expected = ("DUP_EXACT", "models/new.sql:3-9", "use ref('old')")
    assert only(run(project, "models/new.sql")) == expected
    assert only(run(project, "models/new.sql", index=False)) == expected


def test_what_dbt_compiled_of_another_text_does_not_count(project: Path) -> None:
    write(project, {"models/new.sql": MODEL.replace("'paid'", "'open'")})
    write(project, {"out/manifest.json": _nodes(MODEL, MADE)})
    assert told(project, "models/new.sql") == ["DUP_PARAMETRIC models/new.sql:3-9"]
    write(project, {"out/manifest.json": _nodes(MODEL, None)})
    assert told(project, "models/new.sql") == ["DUP_PARAMETRIC models/new.sql:3-9"]


NEW = """\
{{ config(
    materialized='table',
    meta={'owner': 'me'}
) }}
""" + MODEL.replace("{{ least }}", "10").replace("{% set least = 10 %}\n", "")


def test_of_a_model_that_is_new_the_manifest_knows_what_it_reads(project: Path) -> None:
    write(project, {"models/newer.sql": NEW.replace("{{ source(", "{{- source(")})
    place = ("DUP_EXACT", "models/newer.sql:6-12")
    assert only(run(project, "models/newer.sql")) == (*place, "use ref('new')")
    write(project, {"out/manifest.json": manifest(MODEL, None), "models/new.sql": "select 1 as x"})
    assert only(run(project, "models/newer.sql")) == (*place, "use ref('old')")
    write(project, {"models/newer.sql": NEW.replace("'orders'", "'returns'")})
    assert "DUP_EXACT" not in str(told(project, "models/newer.sql"))


def test_ref_stands_for_the_relation_of_a_model() -> None:
    names = {"ref a": "db.s.a_v2", "source x.y": "x.y"}
    found = Manifest({}, names)
    text = "select {{ var('z') }} from {{ ref('a') }}, {{ref(\"pkg\", 'a')}}, {{ source('x','y') }}"
    assert found.filled(text) == "select {{ var('z') }} from db.s.a_v2, db.s.a_v2, x.y"
    assert found.filled("select 1 from {{ ref('unknown') }}") is None
    assert Manifest({}, {}).filled(text) is None


def test_without_a_manifest_the_compiled_file_counts_unless_it_is_older(project: Path) -> None:
    (project / "out/manifest.json").unlink()
    write(project, {"out/compiled/shop/models/new.sql": MADE})
    for age, expected in (
        (5, ["DUP_EXACT models/new.sql:3-9"]),
        (-5, ["DUP_PARAMETRIC models/new.sql:3-9"]),
    ):
        at = (project / "models/new.sql").stat().st_mtime + age
        os.utime(project / "out/compiled/shop/models/new.sql", (at, at))
        assert told(project, "models/new.sql") == expected


@pytest.mark.parametrize("text", ["", "{", "[]", '{"nodes": 3}', '{"nodes": {"a": 1}}'])
def test_a_manifest_that_is_none_does_not_count(project: Path, text: str) -> None:
    write(project, {"out/manifest.json": text})
    assert told(project, "models/new.sql") == ["DUP_PARAMETRIC models/new.sql:3-9"]


def test_a_manifest_that_comes_later_is_asked(project: Path) -> None:
    (project / "out/manifest.json").unlink()
    assert told(project, "models/new.sql") == ["DUP_PARAMETRIC models/new.sql:3-9"]
    write(project, {"out/manifest.json": manifest(MODEL, MADE)})
    assert told(project, "models/new.sql") == ["DUP_EXACT models/new.sql:3-9"]


def test_what_dbt_writes_is_no_part_of_the_pile(project: Path) -> None:
    files = {f"{name}/x.sql": QUERY for name in ("target", "dbt_packages", "dbt_modules", "macros")}
    write(project, files)
    assert run(project).pile == ("macros/x.sql", "models/new.sql", "models/old.sql")


def test_lines_are_found_again() -> None:
    raw = "a\n{% for x in y %}\n  b {{ x }}\n{% endfor %}\nc\n"
    made = "a\n\n\n  b 1\n\n  b 2\n\nc\n"
    found = Compiled(made, raw)
    assert [found.line(n) for n in (1, 4, 6, 8)] == [1, 2, 2, 5]
    assert [found.line(n) for n in (0, 99)] == [1, 5]
    assert Compiled("", raw).line(3) == 1
