"""What is said of shared models over the same tables, and of columns that are called alike."""

from __future__ import annotations

import yaml

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor

_TABLES = """CREATE TABLE s.o (id INT, k TEXT, cents INT, day DATE);
CREATE TABLE s.i (o_id INT, qty INT, price INT);"""
_FACTS = """CREATE TABLE r.{name} AS WITH facts AS (
  SELECT o.id, o.k, o.day, SUM({total}) AS total, MIN(i.price) AS low, MAX(i.price) AS high,
    SUM(i.qty * i.price) AS gross, COUNT(DISTINCT i.price) AS prices
  FROM s.o AS o {join} s.i AS i ON {on}
  WHERE o.cents > 1 AND o.day IS NOT NULL GROUP BY o.id, o.k, o.day)
SELECT {read} FROM facts WHERE k = '{name}'"""


def _models(*reports: tuple[str, str, str, str]) -> dict[str, dict[str, object]]:
    """Of reports, each with its total, its join and what it reads: what is said of models that
    several of them share."""
    texts = [
        _FACTS.format(name=name, total=total, join=join, read=read, on="i.o_id = o.id")
        for name, total, join, read in reports
    ]
    pile = load([Source("p/t.sql", _TABLES), *(Source(f"p/{t[15:16]}.sql", t) for t in texts)])
    files = refactor(pile, Request()).files
    told = yaml.safe_load(files["models/intermediate/_models.yml"])["models"]
    return {each["name"]: each for each in told}


def test_a_column_with_a_number_says_in_what_it_differs() -> None:
    usual, odd = "COALESCE(i.qty, 0)", "i.qty"
    models = _models(
        ("a", usual, "LEFT JOIN", "id, total, low"),
        ("b", usual, "LEFT JOIN", "day, total, high, gross"),
        ("c", odd, "LEFT JOIN", "total + prices AS x"),
    )
    [columns] = [each.get("columns", []) for each in models.values()]
    assert isinstance(columns, list)
    said = {each["name"]: each.get("description") for each in columns}
    assert said["total_2"] == "Unlike total: `qty` for `COALESCE(qty, 0)`."
    assert not said.get("total")


def test_a_model_with_another_join_says_so() -> None:
    total = "i.qty"
    models = _models(
        ("a", total, "LEFT JOIN", "id, total, low"),
        ("b", total, "LEFT JOIN", "day, total, high, gross"),
        ("c", total, "LEFT JOIN", "day, total, high, prices"),
        ("d", total, "JOIN", "day, total, high, prices"),
        ("e", total, "JOIN", "id, low, gross"),
    )
    said = {name: str(each["description"]) for name, each in models.items()}
    assert said["int_facts"] == "Read by a, b, c."  # what most read has the plain name
    assert said["int_facts_2"] == "Read by d, e.\nUnlike int_facts: `INNER` for `LEFT`."
