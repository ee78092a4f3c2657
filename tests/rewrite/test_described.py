"""What COMMENT ON says of tables and columns are descriptions in a dbt project, lost in none."""

import yaml

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import refactor
from unwet.rewrite.request import Request, Result

SCHEMA = """CREATE TABLE shop.orders (id INT, amount INT);
COMMENT ON TABLE shop.orders IS 'all orders';
COMMENT ON COLUMN shop.orders.amount IS 'in EUR';
"""
SCRIPT = """-- every night
CREATE TABLE rep.daily AS SELECT id, SUM(amount) AS revenue FROM shop.orders GROUP BY id;
COMMENT ON TABLE rep.daily IS 'first words';
COMMENT ON TABLE rep.daily IS 'Orders of {{ country }}: "all"';
COMMENT ON COLUMN rep.daily.revenue IS 'gross';
COMMENT ON COLUMN rep.daily.gone IS 'not there';
COMMENT ON TABLE rep.other IS 'of another project';
COMMENT ON COLUMN rep.daily.id IS NULL;
COMMENT ON FUNCTION rep.f(int) IS 'a function';
"""


def made(target: str) -> Result:
    texts = {"schema.sql": SCHEMA, "daily.sql": SCRIPT}
    pile = load([Source(path, text, "postgres") for path, text in texts.items()], "postgres")
    return refactor(pile, Request(target=target, generated=None))


def test_models_and_sources_are_described() -> None:
    result = made("dbt")
    assert [verdict.outcome for verdict in result.verdicts] == ["proved"]
    [model] = yaml.safe_load(result.files["models/marts/_models.yml"])["models"]
    assert model["description"].splitlines() == ["every night", 'Orders of  country : "all"']
    [revenue] = [each for each in model["columns"] if each["name"] == "revenue"]
    assert revenue["description"] == "gross"
    assert "gone" not in {each["name"] for each in model["columns"]}
    [source] = yaml.safe_load(result.files["models/sources.yml"])["sources"]
    [table] = source["tables"]
    assert table["description"] == "all orders"
    assert [each.get("description") for each in table["columns"]] == [None, "in EUR"]


def test_what_is_said_of_nothing_in_the_project_is_listed() -> None:
    lines = [each.at.line for each in made("dbt").not_carried]
    assert lines == [6, 7, 8, 9]  # no such column; another table; no words; a function
    assert all(each.what == "COMMENT" for each in made("dbt").not_carried)


def test_other_projects_have_no_place_for_it() -> None:
    for target in ("sqlmesh", "views"):
        assert len(made(target).not_carried) == 9


def test_of_what_two_scripts_say_otherwise_nothing_tells_which_is_last() -> None:
    made_by = "CREATE TABLE rep.{0} AS SELECT id FROM shop.orders;\n"
    one = made_by.format("a") + "COMMENT ON TABLE rep.a IS 'one';\nCOMMENT ON TABLE rep.b IS 'b';\n"
    two = made_by.format("b") + "COMMENT ON TABLE rep.a IS 'two';\nCOMMENT ON TABLE rep.b IS 'b';\n"
    texts = {"schema.sql": SCHEMA, "a.sql": one, "b.sql": two}
    pile = load([Source(path, text, "postgres") for path, text in texts.items()], "postgres")
    result = refactor(pile, Request(target="dbt", generated=None))
    models = yaml.safe_load(result.files["models/marts/_models.yml"])["models"]
    said = {each["name"]: each.get("description", "") for each in models}
    assert said == {"a": "", "b": "b"}
    assert [(each.at.path, each.at.line) for each in result.not_carried] == [
        ("a.sql", 2),
        ("b.sql", 2),
    ]


def test_names_in_other_capitals_may_be_two_columns() -> None:
    sql = """CREATE TABLE rep.q AS SELECT id FROM shop.orders;
    COMMENT ON COLUMN rep.q."ID" IS 'another';
    COMMENT ON COLUMN rep.q.id IS 'the key';
    """
    texts = {"schema.sql": SCHEMA, "q.sql": sql}
    pile = load([Source(path, text, "postgres") for path, text in texts.items()], "postgres")
    result = refactor(pile, Request(target="dbt", generated=None))
    assert "the key" not in result.files["models/marts/_models.yml"]
    assert [each.at.line for each in result.not_carried] == [2, 3]
