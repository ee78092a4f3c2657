"""Models and sources that are called as words of SQL, on engines for which dbt quotes no name."""

from __future__ import annotations

from pathlib import Path

import yaml

from unwet import refactor, verify
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request
from unwet.rewrite.refactor import refactor as run
from unwet.rewrite.targets.dbt_quoting import ALIASES

PILE = {
    "order.sql": """CREATE VIEW "ORDER" AS SELECT id, amount FROM shop."TABLE" WHERE x = 'p'""",
    "big.sql": 'CREATE VIEW big AS SELECT id, amount FROM "ORDER" WHERE amount > 3',
}


def test_a_model_called_order_is_quoted_in_capitals(tmp_path: Path) -> None:
    pile = tmp_path / "pile"
    pile.mkdir()
    for name, text in PILE.items():
        (pile / name).write_text(text)
    out = tmp_path / "out"
    refactor(str(pile), str(out), dialect="snowflake")
    settings = yaml.safe_load((out / "dbt_project.yml").read_text())
    assert settings["quoting"] == {"identifier": True}
    assert "| upper" in (out / ALIASES).read_text()
    [source] = yaml.safe_load((out / "models/sources.yml").read_text())["sources"]
    assert source["quoting"] == {"identifier": False}
    [table] = source["tables"]
    assert (table["identifier"], table["quoting"]) == ("TABLE", {"identifier": True})
    found = verify(str(pile), str(out), dialect="snowflake")
    assert [(each.name, each.verdict) for each in found.reports] == [
        ("big", "proved"), ("order", "proved")
    ]  # fmt: skip


def test_other_engines_and_other_names_want_none_of_it() -> None:
    for name, dialect in (("ORDER", "postgres"), ("ORDERS", "snowflake")):
        text = f'CREATE VIEW "{name}" AS SELECT id FROM shop.t'
        files = run(load([Source("a.sql", text)], dialect), Request()).files
        assert ALIASES not in files and "quoting" not in files["dbt_project.yml"]
