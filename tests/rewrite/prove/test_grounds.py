"""What a verdict rests on: the rules of a proof; where old and new part, with both places."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unwet import verify
from unwet.rewrite import verified
from unwet.rewrite.checked import Checked
from unwet.rewrite.prove.apart import Apart
from unwet.rewrite.verify import Verification

LEGACY = """-- orders that count
CREATE TABLE rep.sums AS
WITH good AS (
    SELECT o.region, o.amount - COALESCE(o.discount, 0) AS net
    FROM shop.orders o
    WHERE o.amount >= 10 AND o.region <> 'x'
)
SELECT g.region, SUM(g.net) AS net, COUNT(*) AS n
FROM good g
LEFT JOIN shop.regions r ON r.name = g.region
GROUP BY g.region
ORDER BY net DESC
LIMIT 5;
"""
MODEL = """{{ config(materialized='table') }}

with good as (
    {{ good(10) }}
)
select g.region, sum(g.net) as net, count(*) as n
from good as g
left join {{ source('shop', 'regions') }} as r on r.name = g.region
group by 1
order by net desc
limit 5
"""
MACRO = """{% macro good(least) %}
select o.region, o.amount - coalesce(o.discount, 0) as net
from {{ source('shop', 'orders') }} as o
where o.region <> 'x' and {{ least }} <= o.amount
{% endmacro %}
"""
SOURCES = "sources: [{name: shop, tables: [{name: orders}, {name: regions}]}]"
DDL = (
    "CREATE TABLE shop.orders (id INT, region TEXT, amount INT, discount INT);"
    "CREATE TABLE shop.regions (name TEXT, title TEXT);"
)


class Files:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("pile/sums.sql", LEGACY)
        self.write("pile/ddl.sql", DDL)
        self.write("project/dbt_project.yml", "name: p\n")
        self.write("project/models/sources.yml", SOURCES)
        self.write("project/models/sums.sql", MODEL)
        self.write("project/macros/good.sql", MACRO)

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def edit(self, name: str, old: str, new: str) -> None:
        text = (self.root / name).read_text()
        assert text.count(old) == 1
        self.write(name, text.replace(old, new))

    def run(self) -> Verification:
        return verify(self.root / "pile", self.root / "project", dialect="duckdb", generated=False)

    def sums(self) -> Checked:
        (report,) = self.run().reports
        return report


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_a_proof_names_its_rules(files: Files) -> None:
    report = files.sums()
    assert report.verdict == "proved"
    rules = dict(report.grounds.rules)
    assert rules["flip_greater"] >= 1
    assert list(rules.values()) == sorted(rules.values(), reverse=True)
    assert report.grounds.apart is None
    said = json.loads(verified.as_json(files.run()))["reports"][0]
    assert {"rule": "flip_greater", "steps": rules["flip_greater"]} in said["proof"]["rules"]
    assert said["difference"] is None
    assert "rules: " not in verified.as_text(files.run())
    assert "flip_greater" in verified.as_text(files.run(), verbose=True)


PARTS = [
    # file, old, new; what stands in the pile and at which place, what in the project
    ("models/sums.sql", "good(10)", "good(11)",
     ("o.amount >= 10", "pile/sums.sql", 6, 11),
     ("11 <= o.amount", "macros/good.sql", 4, 27)),
    ("macros/good.sql", "coalesce(o.discount, 0)", "coalesce(o.discount, 1)",
     ("COALESCE(o.discount, 0)", "pile/sums.sql", 4, 33),
     ("COALESCE(o.discount, 1)", "macros/good.sql", 2, 29)),
    ("models/sums.sql", "sum(g.net)", "max(g.net)",
     ("SUM(g.net)", "pile/sums.sql", 8, 18),
     ("MAX(g.net)", "models/sums.sql", 6, 22)),
    ("models/sums.sql", "limit 5", "limit 6",
     ("ORDER BY net DESC LIMIT 5", "pile/sums.sql", 12, 10),
     ("ORDER BY net DESC LIMIT 6", "models/sums.sql", 10, 10)),
    ("macros/good.sql", "o.region <> 'x' and ", "",
     ("o.region <> 'x'", "pile/sums.sql", 6, 30),
     ("", "models/sums.sql", 1, 1)),
    ("models/sums.sql", "left join", "join",
     ("LEFT JOIN shop.regions AS r ON r.name = g.region", "pile/sums.sql", 10, 11),
     ("JOIN shop.regions AS r ON r.name = g.region", "models/sums.sql", 8, 6)),
    ("models/sums.sql", "count(*)", "count(distinct g.net)",
     ("COUNT(*)", "pile/sums.sql", 8, 37),
     ("COUNT(DISTINCT g.net)", "models/sums.sql", 6, 37)),
]  # fmt: skip


@pytest.mark.parametrize(("file", "old", "new", "legacy", "project"), PARTS)
def test_both_places_of_what_differs(
    files: Files,
    file: str,
    old: str,
    new: str,
    legacy: tuple[str, str, int, int],
    project: tuple[str, str, int, int],
) -> None:
    files.edit(f"project/{file}", old, new)
    report = files.sums()
    assert report.verdict == "kept"
    apart = report.grounds.apart
    assert apart is not None
    for spot, (text, path, line, column) in ((apart.legacy, legacy), (apart.project, project)):
        assert spot.text == text
        assert Path(spot.path).as_posix().endswith(path)
        assert (spot.line, spot.column) == (line, column)


def test_a_difference_in_the_forms(files: Files) -> None:
    files.edit("project/models/sums.sql", "sum(g.net)", "max(g.net)")
    found = files.run()
    said = json.loads(verified.as_json(found))["reports"][0]
    assert said["proof"] is None
    assert said["difference"]["legacy"]["text"] == "SUM(g.net)"
    assert set(said["difference"]["project"]) == {"text", "path", "line", "column"}
    text = verified.as_text(found)
    assert "sums.sql:8:18: SUM(g.net)" in text
    assert ": MAX(g.net)" in text


def test_a_model_between_is_looked_through(files: Files) -> None:
    files.write("project/models/goods.sql", "{{ good(12) }}")
    files.edit("project/models/sums.sql", "{{ good(10) }}", "select * from {{ ref('goods') }}")
    apart = files.sums().grounds.apart
    assert isinstance(apart, Apart)
    assert apart.project.text == "12 <= o.amount"
    assert apart.project.path.endswith("macros/good.sql")


def test_a_temporary_table_is_looked_through(files: Files) -> None:
    script = LEGACY.replace(
        "CREATE TABLE rep.sums AS\nWITH good AS (", "CREATE TEMP TABLE good AS ("
    )
    script = script.replace(")\nSELECT g.region", ");\nCREATE TABLE rep.sums AS\nSELECT g.region")
    files.write("pile/sums.sql", script)
    assert files.sums().verdict == "proved"
    files.edit("project/macros/good.sql", "'x'", "'y'")
    apart = files.sums().grounds.apart
    assert apart is not None
    assert (apart.legacy.text, apart.legacy.line) == ("o.region <> 'x'", 5)
    assert apart.project.text == "o.region <> 'y'"
