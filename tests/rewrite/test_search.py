"""Search: what is found, in which order, and in which forms."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet import cli
from unwet.lineage.errors import UsageError
from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.search import Found, Hit, Wanted, search
from unwet.rewrite.search_forms import as_json, as_text

SCHEMA = {
    "shop.orders": ["id", "customer_id", "price", "quantity", "status", "tax"],
    "shop.customers": ["id", "country"],
}
FILES = {
    "a.sql": """CREATE TABLE rep.by_country AS
WITH sold AS (
  SELECT o.customer_id, o.price * o.quantity AS line_total FROM shop.orders o
  WHERE o.status = 'paid'
)
SELECT c.country, SUM(s.line_total) AS revenue
FROM sold s JOIN shop.customers c ON c.id = s.customer_id
GROUP BY c.country""",
    "b.sql": "SELECT x.customer_id, SUM(x.quantity * x.price) AS revenue FROM shop.orders x "
    "WHERE x.status = 'open' GROUP BY 1",
    "c.sql": "SELECT customer_id, SUM(quantity * price * (1 - tax)) AS net_revenue "
    "FROM shop.orders GROUP BY customer_id",
    "d.sql": "SELECT country, revenue FROM rep.by_country WHERE revenue > 100",
}


@pytest.fixture(scope="module")
def pile() -> Pile:
    return load([Source(n, t) for n, t in FILES.items()], dialect="postgres", schema=SCHEMA)


def told(hit: Hit) -> str:
    places = " ".join(f"{p.path}:{p.line}" for p in hit.places)
    return f"{hit.match} {hit.what} {hit.name or hit.clause} {places}"


def lines(found: Found) -> list[str]:
    return [told(hit) for hit in found.hits]


def test_a_cte_has_its_name_whatever_its_reader_calls_it(pile: Pile) -> None:
    (hit,) = search(pile, Wanted("line_total")).hits[:1]
    assert [(str(p.path), p.line, p.relation) for p in hit.places] == [("a.sql", 3, "sold")]


def test_equal_definitions_are_one_hit_and_come_first(pile: Pile) -> None:
    assert lines(search(pile, Wanted("revenue"))) == [
        "exact definition revenue a.sql:6 b.sql:1",
        "similar definition net_revenue c.sql:1",
        "exact use revenue d.sql:1",
        "exact use where d.sql:1",
    ]


def test_a_column_with_another_name_is_defined_there_and_not_used() -> None:
    found = search(load([Source("q.sql", "SELECT a AS x, b FROM t")]), Wanted(name="x"))
    assert [(hit.what, hit.expression) for hit in found.hits] == [("definition", "a")]


def test_a_base_column_is_found_under_whatever_name(pile: Pile) -> None:
    text = "WITH w AS (SELECT price AS p FROM shop.orders) SELECT MAX(p) AS top FROM w"
    more = load([Source("e.sql", text)], dialect="postgres", schema=SCHEMA)
    assert lines(search(more, Wanted("orders.price"))) == [
        "exact use price e.sql:1",
        "exact use select e.sql:1",
    ]
    assert lines(search(pile, Wanted("shop.orders.tax"))) == ["exact use select c.sql:1"]


def test_a_column_of_a_relation_that_the_pile_makes(pile: Pile) -> None:
    found = search(pile, Wanted("rep.by_country.revenue"))
    assert told(found.hits[0]) == "exact definition revenue a.sql:6"
    assert found.hits[0].places[0].relation == "rep.by_country"


def test_an_expression_in_any_spelling_over_any_alias(pile: Pile) -> None:
    assert lines(search(pile, Wanted(expression="sum(price * quantity)"))) == [
        "exact definition revenue b.sql:1",
        "traced use select a.sql:6 d.sql:1",
        "traced use where d.sql:1",
    ]


def test_some_factors_of_a_product(pile: Pile) -> None:
    found = lines(search(pile, Wanted(expression="price * quantity")))
    assert found[0] == "exact definition line_total a.sql:3"
    assert "exact use select c.sql:1" in found


def test_a_question_mark_is_any_constant(pile: Pile) -> None:
    assert lines(search(pile, Wanted(expression="status = ?"))) == [
        "exact use where a.sql:4",
        "exact use where b.sql:1",
    ]
    exact, similar = search(pile, Wanted(expression="status = 'paid'")).hits
    assert (exact.match, similar.match) == ("exact", "similar")
    assert search(pile, Wanted(expression="status in (?, ?)")).hits == ()


_ONE_OF = ["status = ?", "status = 'paid'", "'open' = status"]


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("status = 'paid' OR status = 'open'", _ONE_OF),
        ("status NOT IN ('paid', 'open')", _ONE_OF),
        ("status = 'paid' OR tax > 1", _ONE_OF[:2]),
        ("status <> 'paid'", []),
        ("status IN (id, tax)", ["tax = status"]),
    ],
)
def test_one_of_several_values(condition: str, found: list[str]) -> None:
    text = f"SELECT SUM(CASE WHEN {condition} THEN price END) AS x FROM shop.orders"
    pile = load([Source("q.sql", text)], dialect="postgres", schema=SCHEMA)
    every = (*_ONE_OF, "tax = ?", "tax = status")
    hits = {each: search(pile, Wanted(expression=each)).hits for each in every}
    assert [each for each in every for hit in hits[each] if hit.match == "exact"] == found


def test_what_makes_a_table_and_what_reads_it(pile: Pile) -> None:
    made, read = search(pile, Wanted(table="by_country")).hits
    assert (made.what, made.clause, made.name) == ("definition", "make", "rep.by_country")
    assert [place.path for place in read.places] == ["d.sql"]
    (orders,) = search(pile, Wanted(table="orders")).hits
    assert [place.path for place in orders.places] == ["a.sql", "b.sql", "c.sql"]
    assert search(pile, Wanted("orders")) == search(pile, Wanted(table="orders"))


def test_names_that_may_have_been_meant(pile: Pile) -> None:
    assert search(pile, Wanted("revenu")).suggestions == ("revenue", "net_revenue")
    assert "shop.customers" in search(pile, Wanted(table="shop.custmers")).suggestions
    assert search(pile, Wanted("zzz")) == Found(())


@pytest.mark.parametrize("text", ["sum(", "a, b", "", "exists (select 1)"])
def test_what_is_no_expression_is_refused(pile: Pile, text: str) -> None:
    with pytest.raises(UsageError, match="expression"):
        search(pile, Wanted(expression=text or " "))


def test_json_has_the_documented_keys(pile: Pile) -> None:
    data = json.loads(as_json(search(pile, Wanted("revenue"))))
    assert list(data) == ["hits", "suggestions"]
    first = data["hits"][0]
    assert first["expression"] == "SUM(s.line_total)"
    assert (first["count"], first["path"], first["line"], first["column"]) == (2, "a.sql", 6, 19)
    assert [place["path"] for place in first["places"]] == ["a.sql", "b.sql"]


def test_text_shows_what_and_where(pile: Pile) -> None:
    text = as_text(search(pile, Wanted("revenue")))
    assert text.startswith("definition, 2 places: revenue = SUM(s.line_total)\n  a.sql:6:19 (rep.")
    assert text.endswith("2 definitions and 2 uses in 5 places\n")
    assert as_text(Found((), ("revenue",))) == "nothing found; did you mean revenue?\n"


def run(*args: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(cli.main, ["search", *args])
    return done.exit_code, done.stdout, done.stderr


def test_the_command(tmp_path: Path) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    code, out, _ = run("revenue", str(tmp_path), "--dialect", "postgres", "--format", "json")
    assert (code, json.loads(out)["hits"][0]["name"]) == (0, "revenue")
    code, out, _ = run("--table", "orders", str(tmp_path), "-q")
    assert code == 0
    assert "read in" not in out
    code, out, _ = run("revenu", str(tmp_path), "-q")
    assert (code, out) == (1, "nothing found; did you mean revenue, net_revenue?\n")
    code, _, error = run()
    assert code == 2
    assert "search for what?" in error
    code, _, error = run("--table", "a", "--expression", "b", str(tmp_path))
    assert code == 2
