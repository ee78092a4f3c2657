"""Verdicts about projects that were written by hand, right and wrong ones."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

import duckdb
import pytest
from click.testing import CliRunner, Result

from unwet import Source, refactor, verify
from unwet.cli import main
from unwet.lineage.errors import PathNotFound, UsageError
from unwet.rewrite import verified
from unwet.rewrite.checked import Checked
from unwet.rewrite.prove import judge
from unwet.rewrite.prove.rendered import BadProject
from unwet.rewrite.targets.record import RECORD, Record, read_record, record
from unwet.rewrite.verify import Verification

ORDERS = "id,region,amount\n1,n,5\n2,n,5\n3,s,7\n4,s,\n5,,9\n6,w,1\n7,w,1\n"  # NULLs and a tie
DDL = "CREATE TABLE shop.orders (id INTEGER, region VARCHAR, amount INTEGER)"
SOURCES = "sources: [{name: shop, schema: shop, tables: [{name: orders}]}]"
NORTH = "CREATE TABLE rep.north AS SELECT id, amount FROM shop.orders WHERE region = 'n'"
TWICE = "CREATE TABLE rep.twice AS SELECT id, amount * 2 AS two FROM rep.north"
STAGED = "select * from {{ source('shop', 'orders') }}"
NORTH_MODEL = "select id, amount from {{ ref('stg_orders') }} where 'n' = region"
RULES = (  # of the proof of NORTH_MODEL
    "drop_identity_project",
    "filter_below_project",
    "merge_projects",
    "scan_in_name_order",
    "sort_commutative",
)
TWICE_MODEL = "select id, amount * 2 as two from {{ ref('north') }}"


class Bench:
    """A pile, a project and data below one folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.write("data/shop/orders.csv", ORDERS)
        self.write("pile/ddl.sql", DDL)  # declares what the data has
        self.write("project/dbt_project.yml", "name: p\nvars: {region: s}\n")
        self.write("project/models/sources.yml", SOURCES)
        self.write("project/models/stg_orders.sql", STAGED)

    def write(self, name: str, content: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)

    def fill(self, legacy: Mapping[str, str], models: Mapping[str, str]) -> None:
        for name, sql in legacy.items():
            self.write(f"pile/{name}.sql", sql)
        for name, sql in models.items():
            self.write(f"project/models/{name}.sql", sql)

    def verify(
        self,
        legacy: Mapping[str, str],
        models: Mapping[str, str],
        data: bool = False,
        generated: bool = True,
    ) -> dict[str, Checked]:
        self.fill(legacy, models)
        return {report.name: report for report in self.run(data, generated=generated).reports}

    def run(
        self, data: bool = False, to_dialect: str | None = None, generated: bool = True
    ) -> Verification:
        return verify(
            self.root / "pile",
            self.root / "project",
            dialect="duckdb",
            to_dialect=to_dialect,
            data=self.root / "data" if data else None,
            generated=generated,
        )

    def cli(self, *args: object) -> Result:
        words = ["verify", self.root / "pile", self.root / "project", "--dialect", "duckdb", *args]
        return CliRunner().invoke(main, [str(word) for word in words])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_the_same_meaning_in_other_words_is_proved_without_data(bench: Bench) -> None:
    found = bench.verify({"a": NORTH, "b": TWICE}, {"north": NORTH_MODEL, "twice": TWICE_MODEL})
    assert {name: report.verdict for name, report in found.items()} == {
        "north": "proved",
        "twice": "proved",
    }
    assert (found["north"].path, found["north"].line) == (str(bench.root / "pile/a.sql"), 1)
    assert found["north"].rows_before is None
    assert bench.run().ok


def test_places_are_below_the_project_as_it_was_named(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.fill({"a": NORTH}, {"north": NORTH_MODEL.replace("'n'", "'x'")})
    monkeypatch.chdir(bench.root)
    words = ["verify", "pile", "project", "--dialect", "duckdb", "--no-generated"]
    shown = CliRunner().invoke(main, words).stdout
    assert "  was pile/a.sql:1:" in shown
    assert "  is  project/models/" in shown


def test_data_adds_rows_to_a_proof(bench: Bench) -> None:
    found = bench.verify({"a": NORTH}, {"north": NORTH_MODEL}, data=True)
    north = found["north"]
    assert (north.verdict, north.rows_before, north.rows_after) == ("proved", 2, 2)


@pytest.mark.parametrize("schema", ["shop", "prod"])
def test_tables_that_the_pile_only_declares_keep_the_rows_of_the_data(
    bench: Bench, schema: str
) -> None:
    bench.write(
        "pile/ddl.sql", f"DROP TABLE IF EXISTS {schema}.orders; {DDL}".replace("shop", schema)
    )
    legacy = {"a": NORTH.replace("shop", schema)}
    north = bench.verify(legacy, {"north": NORTH_MODEL}, data=True)["north"]
    assert (north.rows_before, north.rows_after) == (2, 2)


def test_without_a_proof_the_same_rows_are_tested(bench: Bench) -> None:
    model = "select id, amount + amount as two from {{ ref('north') }}"
    models = {"north": NORTH_MODEL, "twice": model}
    twice = bench.verify({"a": NORTH, "b": TWICE}, models, generated=False)["twice"]
    assert (twice.verdict, twice.open) == ("kept", True)
    assert twice.reason.startswith("not proved: ")
    twice = bench.verify({}, {}, data=True, generated=False)["twice"]
    assert (twice.verdict, twice.open) == ("tested", False)
    assert twice.reason.startswith("not proved: ")
    assert (twice.data_sets, twice.score) == (1, None)


def test_without_data_it_is_made_and_its_worth_is_told(bench: Bench) -> None:
    model = "select id, amount + amount as two from {{ ref('north') }}"
    models = {"north": NORTH_MODEL, "twice": model}
    twice = bench.verify({"a": NORTH, "b": TWICE}, models)["twice"]
    assert (twice.verdict, twice.open) == ("tested", False)
    assert twice.data_sets > 1
    assert twice.score is not None and 0 < twice.score.killed <= twice.score.valid
    killed, valid = twice.score.killed, twice.score.valid
    assert twice.reason.startswith("not proved: ")
    assert twice.reason.endswith(
        f"same rows on {twice.data_sets} generated data sets (DuckDB), "
        f"which show {killed} of {valid} mistakes made on purpose"
    )
    both = bench.verify({}, {}, data=True)["twice"]
    assert (both.verdict, both.data_sets) == ("tested", twice.data_sets + 1)
    assert both.score == twice.score


def test_where_no_rows_come_out_nothing_is_tested(bench: Bench) -> None:
    none, model = (text.replace("'n'", "'nowhere'") for text in (NORTH, NORTH_MODEL))
    bench.fill({"a": none}, {"north": f"{model} and id > 0"})
    (north,) = bench.run(data=True, generated=False).reports
    assert (north.verdict, north.open, north.rows_before) == ("kept", True, 0)
    assert north.reason.endswith("; not run on the data: no rows come out, old or new")
    bench.fill({"a": none}, {"north": model})
    (north,) = bench.run(data=True, generated=False).reports
    assert (north.verdict, north.rows_before, north.reason) == ("proved", 0, "")


def test_what_duckdb_cannot_tell_is_not_tested(bench: Bench) -> None:
    """PostgreSQL and SQL Server cut a text to the length of VARCHAR(1), DuckDB does not."""
    cut = NORTH.replace("amount FROM", "CAST(region AS VARCHAR(1)) AS amount FROM")
    bench.fill({"a": cut}, {"north": NORTH_MODEL.replace("amount", "region as amount")})
    places = bench.root / "pile", bench.root / "project"
    for data in (None, bench.root / "data"):
        found = verify(*places, dialect="postgres", to_dialect="postgres", data=data)
        (north,) = found.reports
        assert (north.verdict, north.open) == ("kept", True)
        assert "DuckDB may compute CAST(region AS VARCHAR(1)) otherwise" in north.reason
    bench.write("pile/a.sql", "CREATE VIEW rep.mean AS SELECT AVG(amount) AS x FROM shop.orders")
    made = refactor(places[0], dialect="tsql", to_dialect="duckdb", data=bench.root / "data")
    assert [each.outcome for each in made.verdicts] == ["kept"]
    assert "DuckDB may compute AVG(amount) otherwise" in made.verdicts[0].reason


def test_a_type_that_only_duckdb_gives_a_result_is_no_difference(bench: Bench) -> None:
    """DuckDB divides decimals into doubles, Trino into decimals."""
    bench.write("pile/ddl.sql", "CREATE TABLE shop.orders (id INTEGER, n DECIMAL(10, 2))")
    model = "select id, n from {{ source('shop', 'orders') }}"
    bench.fill({"a": "CREATE TABLE rep.third AS SELECT id, n / 3 * 3 AS n FROM shop.orders"},
               {"third": model})  # fmt: skip
    places = bench.root / "pile", bench.root / "project"
    found = {dialect: verify(*places, dialect=dialect, to_dialect=dialect).reports[0]
             for dialect in ("trino", "duckdb")}  # fmt: skip
    assert [each.verdict for each in found.values()] == ["kept", "failed"]
    told = "column n was DOUBLE, is DECIMAL(18,4)"
    assert found["trino"].reason.endswith(f"{told}; that may be DuckDB's way, not its own")
    assert told in found["duckdb"].reason
    bench.fill({}, {"third": model.replace("n from", "n + 1 as n from")})
    (third,) = verify(*places, dialect="trino", to_dialect="trino").reports
    assert (third.verdict, bool(third.sample)) == ("failed", True)


def test_data_that_it_could_not_run_on_is_told_beside_generated_data(bench: Bench) -> None:
    bench.write("data/shop/orders.csv", "id,region\n1,n\n")  # without the amounts
    models = {
        "north": NORTH_MODEL,
        "twice": "select id, amount + amount as two from {{ ref('north') }}",
    }
    twice = bench.verify({"a": NORTH, "b": TWICE}, models, data=True)["twice"]
    assert twice.verdict == "tested" and "generated data sets" in twice.reason
    assert "; not run on the data: " in twice.reason and "amount" in twice.reason


def test_a_model_that_does_not_run_on_the_data_is_not_believed_on_other_data(bench: Bench) -> None:
    model = "select id, amount + amount as two, x.amount from {{ ref('north') }} as x"
    models = {
        "north": NORTH_MODEL,
        "twice": f"select id, two from ({model}) as y where nowhere = 1",
    }
    twice = bench.verify({"a": NORTH, "b": TWICE}, models, data=True)["twice"]
    assert (twice.verdict, twice.open) == ("kept", True)
    assert "not run on the data: model twice" in twice.reason


def test_a_false_proof_is_an_alarm(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is proved is tested on request; here all plans are taken for equal."""
    bench.fill({"a": NORTH}, {"north": NORTH_MODEL.replace("'n'", "'s'")})
    monkeypatch.setattr(judge, "difference", lambda *_: "")
    done = bench.cli()
    assert (done.exit_code, "proved" in done.stdout) == (0, True)
    done = bench.cli("--check-proofs")
    assert done.exit_code == 2
    assert "error: north is proved, and its rows differ on generated data: a bug" in done.stderr
    assert "failed  rep.north" in done.stdout
    assert "although the normal forms are equal" in done.stdout


def test_a_proof_that_is_checked_stays_one(bench: Bench) -> None:
    bench.fill({"a": NORTH}, {"north": NORTH_MODEL})
    done = bench.cli("--check-proofs")
    assert (done.exit_code, done.stdout.split()[0]) == (0, "proved")


def test_a_scratch_schema_without_data_is_refused(bench: Bench) -> None:
    bench.fill({"a": NORTH}, {"north": NORTH_MODEL})
    done = bench.cli("--scratch", "work")
    assert done.exit_code == 2
    assert "--scratch work is a schema of a server, and no --data names one" in done.output
    assert "help: add --data postgresql://" in done.output


def test_places_that_name_one_another_in_a_circle(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.fill({"a": NORTH}, {"north": NORTH_MODEL})
    for name, value in (("ONE", "env:TWO"), ("TWO", "env:ONE"), ("SELF", "env:SELF")):
        monkeypatch.setenv(name, value)
    for given, told in (("ONE", "env:ONE -> env:TWO -> env:ONE"), ("SELF", "env:SELF -> env:SELF")):
        done = bench.cli("--data", f"env:{given}")
        assert done.exit_code == 2
        assert f"{told} goes in a circle" in done.output


def test_rows_that_differ_on_generated_data_are_shown_with_a_script(bench: Bench) -> None:
    model = NORTH_MODEL.replace("'n'", "'s'")
    north = bench.verify({"a": NORTH}, {"north": model})["north"]
    assert (north.verdict, north.open, north.data_sets) == ("failed", True, 0)
    assert north.reason.startswith("the rows differ on generated data: rows ")
    assert {one.change for one in north.sample} <= {"removed", "added"}
    with duckdb.connect() as connection:
        *_, old, new = connection.extract_statements(north.counterexample)
        for each in connection.extract_statements(north.counterexample)[:-2]:
            connection.execute(each)
        rows = connection.execute(old).fetchall() + connection.execute(new).fetchall()
    assert {row[0] for row in rows} <= {"only old", "only new"}
    assert rows


def test_other_rows_fail_and_are_shown(bench: Bench) -> None:
    model = NORTH_MODEL.replace("'n'", "'s'")
    north = bench.verify({"a": NORTH}, {"north": model}, data=True)["north"]
    assert (north.verdict, north.open) == ("failed", True)
    assert north.reason.startswith("rows ")
    shown = {(one.change, one.row) for one in north.sample}
    assert shown == {
        ("removed", ("1", "5")),
        ("removed", ("2", "5")),
        ("added", ("3", "7")),
        ("added", ("4", None)),
    }


def test_a_proof_is_worth_no_more_than_the_models_it_stands_on(bench: Bench) -> None:
    wrong = {"north": NORTH_MODEL.replace("'n'", "'s'"), "twice": TWICE_MODEL}
    found = bench.verify({"a": NORTH, "b": TWICE}, wrong)
    assert (found["twice"].verdict, found["twice"].open) == ("kept", True)
    assert found["twice"].reason == "its model is right if north is, which is failed"
    found = bench.verify({}, {}, data=True)
    assert found["twice"].verdict == "failed"
    assert "its model is right if north is, which is failed" in found["twice"].reason


def test_a_proof_through_a_model_between(bench: Bench) -> None:
    models = {
        "north": NORTH_MODEL.replace("'n'", "'s'"),
        "middle": "select * from {{ ref('north') }}",
        "twice": TWICE_MODEL.replace("'north'", "'middle'"),
    }
    found = bench.verify({"a": NORTH, "b": TWICE}, models)
    assert found["twice"].verdict == "kept"
    found = bench.verify({}, {"north": NORTH_MODEL})
    assert found["twice"].verdict == "proved"


def test_a_tested_input_makes_tested_of_a_proof(bench: Bench) -> None:
    legacy = {"a": NORTH.replace("SELECT id, amount", "SELECT id, amount * 2 AS amount")}
    models = {
        "north": NORTH_MODEL.replace("amount from", "amount + amount as amount from"),
        "twice": TWICE_MODEL,
    }
    found = bench.verify({**legacy, "b": TWICE}, models, data=True)
    assert {name: report.verdict for name, report in found.items()} == {
        "north": "tested",
        "twice": "tested",
    }


def test_rows_that_depend_on_order_are_called_so(bench: Bench) -> None:
    legacy = "CREATE TABLE rep.some AS SELECT id FROM shop.orders LIMIT 3"
    model = "select id + 0 as id from {{ ref('stg_orders') }} limit 3"
    some = bench.verify({"a": legacy}, {"some": model}, data=True)["some"]
    assert some.verdict == "order-dependent", some.reason


def test_a_missing_model_is_open_unless_the_project_remembers_why(bench: Bench) -> None:
    north = bench.verify({"a": NORTH}, {})["north"]
    assert (north.verdict, north.model, north.open) == ("kept", "", True)
    assert north.reason == "the project has no model north"
    bench.write(f"project/{RECORD}", record(Record("duckdb", {"north": "too hard"})))
    north = bench.run().reports[0]
    assert (north.verdict, north.reason, north.open) == ("kept", "too hard", False)


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("select id from {{ ref('nowhere') }}", "ref to nowhere"),
        ("{% if %}", "Expected an expression"),
        ("select from from", "cannot be read back"),
        ("select * from {{ ref('north') }}", "circle"),
        ("{{ config(enabled=false) }} select 1", "the project has no model"),
        (f"create table x as {NORTH_MODEL}", "it is not a query"),
        (NORTH_MODEL.replace("from", "into x from"), "it is not a query"),
        # our parser takes what follows, and would print it otherwise
        (
            f"{NORTH_MODEL} union all with x as ({NORTH_MODEL}) select * from x",
            'DuckDB cannot read it: syntax error at or near "with" in line 1 of its SQL',
        ),
        (f"{NORTH_MODEL} order by id\nunion all {NORTH_MODEL}", "in line 2 of its SQL"),
        (NORTH_MODEL.replace("where", "as window where"), 'at or near "window"'),
    ],
)
def test_what_cannot_be_read_is_not_proved(bench: Bench, model: str, reason: str) -> None:
    north = bench.verify({"a": NORTH}, {"north": model})["north"]
    assert (north.verdict, north.open) == ("kept", True)
    assert reason in north.reason


def test_other_columns_are_other_rows(bench: Bench) -> None:
    model = "select id, amount, 1 as more from {{ ref('stg_orders') }}"
    north = bench.verify({"a": NORTH}, {"north": model}, generated=False)["north"]
    assert (north.verdict, north.open) == ("kept", True)
    assert "became id, amount, more" in north.reason
    north = bench.verify({}, {})["north"]
    assert (north.verdict, north.open) == ("failed", True)


def test_reading_what_the_old_scripts_make_is_an_assumption(bench: Bench) -> None:
    bench.write("project/models/old.yml", "sources: [{name: rep, tables: [{name: north}]}]")
    model = TWICE_MODEL.replace("ref('north')", "source('rep', 'north')")
    bench.fill({"a": NORTH, "b": TWICE}, {"twice": model})
    found = bench.run()
    assert [report.verdict for report in found.reports] == ["kept", "proved"]
    assert found.assumptions == (
        "model twice reads rep.north, which the legacy scripts still make",
    )


def test_placeholders_take_the_project_s_own_values(bench: Bench) -> None:
    legacy = NORTH.replace("'n'", "'{{ region }}'")
    model = NORTH_MODEL.replace("'n'", "'{{ var(\"region\") }}'")
    north = bench.verify({"a": legacy}, {"north": model}, data=True)["north"]
    assert (north.verdict, north.rows_before, north.rows_after) == ("proved", 2, 2)
    wrong = bench.verify({}, {"north": NORTH_MODEL})["north"]
    assert (wrong.verdict, wrong.open) == ("failed", True)


def test_models_that_wait_for_a_value_are_read_with_their_placeholder(bench: Bench) -> None:
    waits = "{{ config(enabled=(var('least', none) is not none)) }} "
    models = {
        "north": waits + NORTH_MODEL.replace("'n'", "'{{ var('least', 'least') }}'"),
        "twice": waits + TWICE_MODEL,
    }
    legacy = {"a": NORTH.replace("'n'", "'{{ least }}'"), "b": TWICE}
    found = bench.verify(legacy, models)
    assert [report.verdict for report in found.values()] == ["proved", "proved"]
    models["north"] = models["north"].replace("id, amount", "amount, id")
    found = bench.verify(legacy, models)
    assert [report.verdict for report in found.values()] == ["failed", "kept"]


def test_the_project_remembers_its_dialect(bench: Bench) -> None:
    bench.fill({"a": NORTH}, {"north": NORTH_MODEL.replace("id,", "`id`,")})
    assert bench.run().reports[0].verdict == "kept"
    bench.write(f"project/{RECORD}", record(Record("spark")))
    assert bench.run().reports[0].verdict == "proved"
    assert bench.run(to_dialect="duckdb").reports[0].verdict == "kept"


def test_a_record_survives_writing_and_reading(tmp_path: Path) -> None:
    made = Record("tsql", {"b": 'a "reason"', "ä": "ö"})
    (tmp_path / ".unwet").mkdir()
    (tmp_path / RECORD).write_text(record(made), encoding="utf-8")
    assert read_record(tmp_path) == made
    (tmp_path / RECORD).write_text("[]")
    with pytest.raises(UsageError, match="cannot read"):
        read_record(tmp_path)


def test_places_that_are_not_there(bench: Bench) -> None:
    bench.fill({"a": NORTH}, {})
    with pytest.raises(PathNotFound):
        verify(bench.root / "pile", bench.root / "nowhere")
    with pytest.raises(BadProject, match="no project in"):
        verify(bench.root / "pile", bench.root / "pile")
    with pytest.raises(PathNotFound):
        verify(bench.root / "pile", bench.root / "project", data=bench.root / "nowhere.duckdb")


# --- the command ------------------------------------------------------------------------------


def test_json_and_exit_codes(bench: Bench) -> None:
    bench.fill({"a": NORTH}, {"north": NORTH_MODEL})
    done = bench.cli("--format", "json", "--data", bench.root / "data")
    assert done.exit_code == 0
    assert json.loads(done.stdout) == {
        "ok": True,
        "reports": [
            {
                "name": "north",
                "relation": "rep.north",
                "path": str(bench.root / "pile/a.sql"),
                "line": 1,
                "model": "north",
                "verdict": "proved",
                "reason": "",
                "rows_before": 2,
                "rows_after": 2,
                "rows": {"identical": 2, "modified": 0, "added": 0, "removed": 0},
                "changes": [],
                "proof": {
                    "rules": [{"rule": rule, "steps": 1} for rule in RULES],
                    "declared": [],
                },
                "difference": None,
                "data_sets": 0,
                "mutation_score": None,
                "sample": [],
            }
        ],
        "assumptions": [],
        "findings": [],
        "notes": [],
        "unparsed": [],
    }
    bench.fill({}, {"north": NORTH_MODEL.replace("'n'", "'w'")})
    assert bench.cli().exit_code == 1
    done = bench.cli("--format", "json", "--data", bench.root / "data")
    assert done.exit_code == 1
    north = json.loads(done.stdout)["reports"][0]
    assert north["rows"] == {"identical": 0, "modified": 0, "added": 2, "removed": 2}
    sample = north["sample"]
    assert {"change": "added", "row": ["6", "1"], "copies": 1} in sample


def test_text_shows_the_rows_that_differ(bench: Bench) -> None:
    bench.fill({"a": NORTH}, {"north": NORTH_MODEL.replace("id, amount", "1 as id, amount")})
    lines = bench.cli("--data", bench.root / "data").stdout.splitlines()
    assert lines[0] == "failed  rep.north (2 rows)"
    assert lines[1].lstrip().startswith(f"{bench.root / 'pile/a.sql'}:1: rows ")
    assert [line.strip().partition(" ")[0] for line in lines[2:4]] == ["was", "is"]
    assert [line.strip() for line in lines[4:]] == ["+ 1, 5", "- 2, 5", "1 report: 1 failed"]


def test_copies_and_nulls_are_written_out(bench: Bench) -> None:
    bench.fill(
        {"a": "CREATE TABLE rep.n AS SELECT CAST(NULL AS INTEGER) AS x FROM shop.orders"},
        {"n": "select 1 as x from {{ ref('stg_orders') }}"},
    )
    text = verified.as_text(bench.run(data=True))
    assert "- NULL  (7 times)" in text
    assert "+ 1  (7 times)" in text


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["pile"], "error: verify needs LEGACY and PROJECT"),
        (["pile", "nowhere"], "error: no such file or folder: nowhere"),
        (["nowhere", "project"], "error: no such file or folder: nowhere"),
        (["pile", "pile"], "error: no project in pile"),
        (["pile", "project", "--data", "no.duckdb"], "error: no such file or folder: "),
        (["pile", "project", "--data", "project/dbt_project.yml"], "error: cannot read the data"),
        (["pile", "project", "--data", "mysql://u:secret@h"], "error: cannot read data through"),
        (["pile", "project", "--to-dialect", "duckdbb"], "help: did you mean duckdb?"),
        (["project", "pile"], "error: no"),
    ],
)
def test_wrong_use_says_what_is_wrong(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, args: list[str], message: str
) -> None:
    bench.fill({"a": NORTH}, {"north": NORTH_MODEL})
    monkeypatch.chdir(bench.root)
    done = CliRunner().invoke(main, ["verify", *args])
    assert done.exit_code == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert "secret" not in done.stderr


def test_a_broken_project_file_is_named(bench: Bench) -> None:
    bench.fill({"a": NORTH}, {"north": NORTH_MODEL})
    bench.write("project/dbt_project.yml", "name: [")
    done = bench.cli()
    assert done.exit_code == 2
    assert "dbt_project.yml: not valid YAML" in done.stderr
    shutil.rmtree(bench.root / "project")
    assert bench.cli().exit_code == 2


def test_what_a_refactoring_takes_for_granted_is_what_a_check_does(tmp_path: Path) -> None:
    """Stars that were written out, and what one of several scripts leaves of a relation."""
    scripts = {
        "a": "CREATE TABLE s.t (id INT, x INT);",
        "b": "SELECT * FROM s.t WHERE id > 1;",
        "c/first": "CREATE TABLE r.c AS SELECT id FROM s.t; DELETE FROM r.c USING s.t WHERE x = 1;",
        "c/reader": "SELECT id FROM r.c;",
        "d/second": "DROP TABLE IF EXISTS r.c; CREATE TABLE r.c AS SELECT x AS id FROM s.t;",
    }
    sources = [Source(f"p/{name}.sql", text) for name, text in scripts.items()]
    made = refactor(sources, tmp_path / "project", dialect="postgres")
    found = verify(sources, tmp_path / "project", dialect="postgres")
    assert made.assumptions == found.assumptions
    assert "s.t has the columns that are declared, no others" in found.assumptions
    said = "model reader reads r.c (of p/c/first.sql), which the legacy scripts still make"
    assert said in found.assumptions


def test_the_pile_is_read_as_the_project_was_made_of_it(bench: Bench) -> None:
    bench.write("pile/a.sql", "CREATE VIEW a AS SELECT x FROM t;\nGRANT SELECT ON a TO b;\n")
    bench.write("pile/b.sql", "CREATE VIEW b AS SELECT FROM;\n")
    pile, out = bench.root / "pile", bench.root / "made"
    made = ["refactor", str(pile), "--out", str(out), "--no-generated"]
    assert CliRunner().invoke(main, [*made, "--dialect", "tsql"]).exit_code == 0
    again = ["verify", str(pile), str(out), "--no-generated"]
    other = CliRunner().invoke(main, [*again, "--dialect", "spark"])
    assert other.exit_code == 2
    assert other.stderr.splitlines() == [
        f"error: {out} was made of scripts in tsql, and they are read as spark",
        "help: say --dialect tsql",
    ]
    none = CliRunner().invoke(main, again)
    assert "and they are read as standard SQL" in none.stderr
    same = CliRunner().invoke(main, [*again, "--dialect", "tsql", "-q"])
    assert (same.exit_code, same.stderr) == (0, "")
    strict = CliRunner().invoke(main, [*again, "--dialect", "tsql", "--strict"])
    assert strict.exit_code == 1
    assert strict.stderr.splitlines()[-1] == "--strict: exit code 1, as 1 report is kept"
