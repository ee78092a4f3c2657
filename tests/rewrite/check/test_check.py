"""A check of changed files: what is told of their texts, marks and intentions."""

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet.cli import main
from unwet.lineage import sources
from unwet.lineage.config import Intended
from unwet.lineage.errors import PathNotFound
from unwet.rewrite.check import texts
from unwet.rewrite.check.asked import Ask
from unwet.tests.rewrite.check.piles import AGAIN, OTHER, QUERY, run, told, write

ASK = Ask(dialect="postgres")


def test_what_cannot_be_read_is_told_of_changed_files_only(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": "select 1 from (\n", "b.sql": "selec x\n", "c.sql": OTHER})
    (tmp_path / "d.sql").write_bytes(b"select '\xff' as x from t")
    (tmp_path / "e.sql").write_bytes(b"\0\1\2")
    assert told(tmp_path, "c.sql") == []
    assert told(tmp_path, "a.sql", "d.sql", "e.sql") == [
        "PARSE a.sql:1",
        "ENCODING d.sql:1",
        "BINARY e.sql:1",
    ]


def test_a_file_that_goes_away_while_it_is_read_is_a_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"a.sql": QUERY, "b.sql": AGAIN})

    def listed(given: str) -> list[str]:
        found = sources.expand(given)
        (tmp_path / "b.sql").unlink(missing_ok=True)
        return found

    monkeypatch.setattr(texts, "expand", listed)
    (problem,) = run(tmp_path).problems
    assert (problem.code, problem.at.path) == ("UNREADABLE", "b.sql")
    assert problem.message == "it disappeared while it was read"


def test_a_file_that_was_never_there_is_a_mistake(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": QUERY})
    with pytest.raises(PathNotFound, match=r"b\.sql"):
        run(tmp_path, "b.sql")


def test_the_paths_of_the_configuration_are_the_pile(tmp_path: Path) -> None:
    write(tmp_path, {"models/a.sql": QUERY, "models/b.sql": OTHER, "scratch/c.sql": AGAIN})
    assert told(tmp_path, "scratch/c.sql") == ["DUP_EXACT scratch/c.sql:1-7"]
    found = run(tmp_path, "scratch/c.sql", ask=replace(ASK, paths=("models",)))
    assert found.problems == ()
    assert found.notes == ("scratch/c.sql: not in the paths of the configuration",)


def test_a_mark_with_a_reason_takes_a_copy_out(tmp_path: Path) -> None:
    marked = f"-- unwet: ignore[DUP_EXACT] the audit wants its own\n{AGAIN}"
    write(tmp_path, {"a.sql": QUERY, "b.sql": marked})
    assert told(tmp_path) == []


def test_a_mark_above_a_cte_holds_for_its_query(tmp_path: Path) -> None:
    mark = "-- unwet: ignore[DUP] the audit wants its own"
    cte = f"with\n{mark}\nr as (\n{QUERY})\nselect * from r limit 5\n"
    write(tmp_path, {"a.sql": QUERY, "b.sql": cte})
    assert told(tmp_path, "b.sql") == []


def test_a_mark_without_a_reason_counts_for_nothing(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": QUERY, "b.sql": f"-- unwet: ignore[DUP]\n{AGAIN}"})
    assert told(tmp_path, "b.sql") == ["IGNORE b.sql:1", "DUP_EXACT b.sql:2-8"]


def test_a_mark_that_takes_nothing_out_is_told(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": QUERY, "b.sql": f"{OTHER}-- unwet: ignore[DUP] since March\n"})
    assert told(tmp_path, "b.sql") == ["IGNORE_UNUSED b.sql:6"]
    write(tmp_path, {"b.sql": f"-- unwet: ignore[PARSE] it is a template\n{AGAIN}"})
    assert told(tmp_path, "b.sql") == ["IGNORE_UNUSED b.sql:1", "DUP_EXACT b.sql:2-8"]


def test_what_is_intended_stays_out(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": QUERY, "audit/b.sql": AGAIN, "c.sql": AGAIN})
    meant = Intended("audit/*", "they keep their own copies", code="DUP")
    ask = replace(ASK, intended=(meant,))
    assert told(tmp_path, "audit/b.sql", "c.sql", ask=ask) == ["DUP_EXACT c.sql:1-7"]
    elsewhere = replace(meant, expression="z.sql")
    assert len(told(tmp_path, "audit/b.sql", ask=replace(ASK, intended=(elsewhere,)))) == 1


def test_a_union_of_a_thousand_branches_is_answered(tmp_path: Path) -> None:
    branch = "select o.id, o.total * {i} as x from shop.orders as o where o.paid and o.n = {i}\n"
    union = "union all\n".join(branch.format(i=i) for i in range(1_000))
    write(tmp_path, {"a.sql": union, "b.sql": union})
    assert told(tmp_path, "b.sql")[0] == "DUP_EXACT b.sql:1-1999"


COPY = """\
select o.id, sum(p.amount) as paid
from shop.orders as o
join shop.payments as p on p.order_id = o.id
where o.country = '{country}' and p.state {sign} 'ok' and o.total > 0
group by o.id
"""
COPIES = {f"{c}.sql": COPY.format(country=c, sign="=") for c in ("at", "be", "ch", "de", "es")}


def drifting() -> dict[str, str]:
    wrong = COPY.format(country="fr", sign="=").replace("sum(", "max(")
    return {
        **COPIES,
        "fr.sql": wrong,
        "it.sql": wrong.replace("'fr'", "'it'").replace("max", "min"),
    }


def test_contradictions_are_told_of_changed_files_when_asked(tmp_path: Path) -> None:
    write(tmp_path, drifting())
    with_drift = replace(ASK, drift=True)
    assert told(tmp_path, "fr.sql", ask=ASK) == []
    assert told(tmp_path, "fr.sql", ask=with_drift) == ["DRIFT_AGGREGATE fr.sql:1"]
    assert told(tmp_path, "it.sql", ask=with_drift) == ["DRIFT_AGGREGATE it.sql:1"]
    assert all("DRIFT" not in each for each in told(tmp_path, "at.sql", ask=with_drift))


def test_a_mark_for_a_contradiction_is_judged_where_contradictions_are(tmp_path: Path) -> None:
    mark = "-- unwet: ignore[DRIFT_AGGREGATE] only the largest, so agreed\n"
    files = drifting()
    write(tmp_path, {**files, "fr.sql": mark + files["fr.sql"], "de.sql": mark + files["de.sql"]})
    assert told(tmp_path, "fr.sql", ask=replace(ASK, drift=True)) == []
    assert "IGNORE_UNUSED de.sql:1" in told(tmp_path, "de.sql", ask=replace(ASK, drift=True))
    assert "IGNORE_UNUSED de.sql:1" not in told(tmp_path, "de.sql", ask=ASK)


def test_a_path_of_the_configuration_that_is_not_there_is_told_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, {"a.sql": QUERY, "unwet.toml": 'paths = ["a.sql", "gone"]\n'})
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(main, ["check", "a.sql"])
    assert done.exit_code == 2
    assert "gone\nhelp: the configuration names it in `paths`" in done.stderr
    named = CliRunner().invoke(main, ["check", "nowhere.sql"])
    assert named.exit_code == 2 and "help: the configuration" in named.stderr


def with_function(body: str, status: str = "paid", called: str = "good") -> str:
    return (
        f"CREATE TEMP FUNCTION {called}(x INT64) AS ({body});\n"
        "SELECT o.country, SUM(o.amount) AS revenue, COUNT(*) AS n\nFROM shop.orders AS o\n"
        f"WHERE {called}(o.amount) AND o.status = '{status}'\nGROUP BY 1;\n"
    )


def test_what_calls_another_function_of_that_name_is_no_copy(tmp_path: Path) -> None:
    write(tmp_path, {"a.sql": with_function("x > 1"), "b.sql": with_function("x > 2"),
                     "c.sql": with_function("x > 2", "open")})  # fmt: skip
    ask = replace(ASK, dialect="bigquery")
    assert told(tmp_path, "a.sql", ask=ask) == []
    (problem,) = run(tmp_path, "b.sql", ask=ask).problems
    assert problem.code == "DUP_PARAMETRIC"
    assert "'paid' for 'open'" in problem.message and "c.sql" in problem.message
    assert "good" not in problem.message
    (tmp_path / "a.sql").write_text(with_function("x >  2 -- euros\n"))
    assert told(tmp_path, "a.sql", ask=ask) == ["DUP_EXACT a.sql:3-6"]


def test_nor_where_a_function_calls_another_one(tmp_path: Path) -> None:
    inner = "CREATE TEMP FUNCTION least_of(x INT64) AS (x + {});\n"
    write(tmp_path, {name: inner.format(n) + with_function("least_of(x) > 1")
                     for name, n in (("a.sql", 1), ("b.sql", 2), ("c.sql", 1))})  # fmt: skip
    (problem,) = run(tmp_path, "a.sql", ask=replace(ASK, dialect="bigquery")).problems
    assert [other.path for other in problem.others] == ["c.sql"]
