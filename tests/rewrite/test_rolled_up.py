"""Reports that are rolled up from a finer one, read back, proved, and run on data."""

from __future__ import annotations

import random
import shutil
from pathlib import Path

import duckdb
import pytest

from unwet import refactor, verify

FOLDER = Path(__file__).parents[2] / "fixtures" / "rewrite" / "rolled_up"
FINER = "revenue_by_month_and_region"
ROLLED = {"revenue_by_month", "b2b_by_region", "share_of_segments", "revenue_in_all"}
READS = f"ref('{FINER}')"
DECLARED = {"declared: shop.orders.amount is BIGINT", "declared: shop.orders.pieces is INT"}


def pile(tmp_path: Path, *texts: str, more: str = "") -> Path:
    """A folder with the finer report, the tables, and these reports."""
    folder = tmp_path / "pile"
    shutil.copytree(FOLDER / "pile", folder)
    for name in [p.stem for p in folder.iterdir()] if texts else []:
        if name not in ("schema", FINER):
            (folder / f"{name}.sql").unlink()
    for number, text in enumerate(texts):
        (folder / f"r{number}.sql").write_text(text, encoding="utf-8")
    if more:
        shutil.copytree(FOLDER / more, folder, dirs_exist_ok=True)
    return folder


def models(project: Path) -> dict[str, str]:
    return {p.stem: p.read_text(encoding="utf-8") for p in project.glob("models/**/*.sql")}


def rolled(project: Path) -> set[str]:
    return {name for name, text in models(project).items() if READS in text}


def data(path: Path, seed: int) -> str:
    """A DuckDB file with rows that tell reports apart: NULLs, repeated rows, no rows for seed 0."""
    rng = random.Random(seed)
    with duckdb.connect(str(path)) as made:
        made.execute("CREATE SCHEMA shop")
        made.execute((FOLDER / "pile" / "schema.sql").read_text(encoding="utf-8"))
        for number in range(60 * bool(seed)):
            status, day = rng.choice(["paid", "shipped", "open", None]), 1 + rng.randrange(28)
            row = [number % 50, rng.randrange(9), rng.choice([None, 1, 2, 7]),
                   f"2024-0{1 + rng.randrange(3)}-{day:02}", status,
                   rng.choice([None, -5, 1, 20, 1 << 41]), rng.choice([None, 1, 2, 3]),
                   rng.random()]  # fmt: skip
            made.execute("INSERT INTO shop.orders VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
        for number in range(9 * bool(seed)):
            segment, test = rng.choice(["b2b", "b2c", None]), rng.choice([True, False, False, None])
            made.execute("INSERT INTO shop.customers VALUES (?, ?, ?)", [number, segment, test])
        for number in range(3):
            made.execute("INSERT INTO shop.stores VALUES (?, ?)", [number, rng.choice(["n", None])])
    return str(path)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_coarser_reports_read_the_finer_one(tmp_path: Path, dialect: str) -> None:
    out = tmp_path / "project"
    result = refactor(pile(tmp_path), dialect=dialect, out=out)
    assert {v.name: v.outcome for v in result.verdicts} == dict.fromkeys({*ROLLED, FINER}, "proved")
    assert rolled(out) == ROLLED
    assert set(result.assumptions) >= DECLARED
    assert not [a for a in result.assumptions if "rate" in a or "customers" in a]
    found = models(out)
    assert "cast(sum(o.orders) as bigint)" in found["revenue_by_month"]
    assert "coalesce(sum(o.orders), 0)" in found["revenue_in_all"]
    assert "where k.segment = 'b2b'" in found["b2b_by_region"]
    again = verify(tmp_path / "pile", out, dialect=dialect)
    assert {report.verdict for report in again.reports} == {"proved"}


def test_in_another_dialect_nothing_rests_on_types_that_the_old_one_declares(
    tmp_path: Path,
) -> None:
    out = tmp_path / "project"
    result = refactor(pile(tmp_path), dialect="postgres", to_dialect="duckdb", out=out)
    again = verify(tmp_path / "pile", out, dialect="postgres")
    assert not rolled(out)
    assert {v.name: v.outcome for v in result.verdicts} == dict.fromkeys({*ROLLED, FINER}, "proved")
    assert {each.name: each.verdict for each in again.reports} == dict.fromkeys(
        {*ROLLED, FINER}, "proved"
    )


@pytest.mark.parametrize("seed", range(3))
def test_they_return_the_same_rows(tmp_path: Path, seed: int) -> None:
    out = tmp_path / "project"
    refactor(pile(tmp_path), dialect="duckdb", out=out)
    there = data(tmp_path / "there.duckdb", seed)
    found = verify(tmp_path / "pile", out, dialect="duckdb", data=there)
    assert {report.verdict for report in found.reports} == {"proved"}
    rows = {report.name: (report.rows_before, report.rows_after) for report in found.reports}
    assert all(before == after for before, after in rows.values())
    assert rows["revenue_in_all"] == (1, 1)
    assert (rows["revenue_by_month"] == (0, 0)) == (seed == 0)


@pytest.mark.parametrize("dialect", ["duckdb", "postgres"])
def test_what_is_no_roll_up_keeps_its_own_joins(tmp_path: Path, dialect: str) -> None:
    out = tmp_path / "project"
    result = refactor(pile(tmp_path, more="left_alone"), dialect=dialect, out=out)
    assert {v.outcome for v in result.verdicts} == {"proved"}
    assert rolled(out) == ROLLED | ({"average"} if dialect == "postgres" else set())


BY_MONTH = """SELECT date_trunc('month', o.ordered_on) AS month, {}
FROM shop.orders AS o
JOIN shop.customers AS c ON c.id = o.customer_id
LEFT JOIN shop.stores AS s ON s.id = o.store_id
WHERE o.status IN ('paid', 'shipped') AND NOT c.is_test AND o.amount > 0{}
GROUP BY 1"""
AVERAGES = "AVG(o.pieces) AS pieces, SUM(o.amount) AS revenue, MIN(s.region) AS r"


def rolls(tmp_path: Path, dialect: str, *texts: str) -> dict[str, str]:
    out = tmp_path / "project"
    result = refactor(pile(tmp_path, *texts), dialect=dialect, out=out)
    assert {v.outcome for v in result.verdicts} == {"proved"}
    found = rolled(out)
    return {name: text for name, text in models(out).items() if name in found}


def macros(tmp_path: Path, *texts: str) -> str:
    """What reports share, none of which is rolled up by itself."""
    assert rolls(tmp_path, "duckdb", *texts) == {}
    paths = sorted((tmp_path / "project").glob("macros/*.sql"))
    assert len(paths) == 1
    return paths[0].read_text(encoding="utf-8")


def test_an_average_of_integers_is_a_quotient_in_postgres_only(tmp_path: Path) -> None:
    text = BY_MONTH.format(AVERAGES, "")
    said = rolls(tmp_path / "1", "postgres", text)["r0"]
    assert "cast(sum(o.pieces) as decimal) / cast(sum(o.counted) as decimal) as pieces" in said
    assert "min(o.region) as r" in said  # of a key
    assert rolls(tmp_path / "2", "duckdb", text) == {}


def test_and_one_of_integers_in_sql_server(tmp_path: Path) -> None:
    text = BY_MONTH.format(AVERAGES, "").replace("NOT c.is_test", "c.is_test = 0")
    folder = pile(tmp_path, text)
    for path in folder.iterdir():
        old = path.read_text(encoding="utf-8").replace("NOT c.is_test", "c.is_test = 0")
        new = old.replace("date_trunc('month', o.ordered_on)", "EOMONTH(o.ordered_on)")
        new = new.replace("GROUP BY 1", "GROUP BY EOMONTH(o.ordered_on)")
        new = new.replace("BOOLEAN", "BIT").replace("DOUBLE PRECISION", "FLOAT")
        if "CREATE TABLE reporting" in new:
            rows = new.replace(
                "CREATE TABLE reporting.revenue_by_month_and_region AS\nSELECT", "SELECT"
            )
            new = rows.replace("FROM shop.orders", f"INTO reporting.{FINER} FROM shop.orders")
        path.write_text(new, encoding="utf-8")
    out = tmp_path / "project"
    result = refactor(folder, dialect="tsql", out=out)
    assert {v.outcome for v in result.verdicts} == {"proved"}
    assert rolled(out) == {"r0"}
    assert "sum(o.pieces) / nullif(sum(o.counted), 0) as pieces" in models(out)["r0"].lower()


def test_it_has_to_save_lines(tmp_path: Path) -> None:
    short = "SELECT ordered_on, COUNT(*) AS n FROM shop.orders GROUP BY 1"
    finer = f"CREATE TABLE r.by_status AS {short.replace('COUNT', 'status, COUNT')}, 2"
    out = tmp_path / "project"
    refactor(pile(tmp_path, short, finer), dialect="duckdb", out=out)
    assert "source('shop', 'orders')" in models(out)["r0"]


def test_queries_alike_are_rolled_up_together_or_stay_together(tmp_path: Path) -> None:
    """A macro says them once, be they over other tables or of other rows."""
    few = "SUM(o.amount) AS revenue, SUM(o.pieces) AS pieces, COUNT(*) AS orders"
    fits, rest = BY_MONTH.format(few, ""), BY_MONTH.format(few, " AND o.pieces > 3")
    by_region = BY_MONTH.format(few, " AND s.region = 'north'")
    assert READS in macros(tmp_path / "1", fits, by_region)
    assert "(condition=\"o.region = 'north'\")" in models(tmp_path / "1/project")["r1"]
    assert READS not in macros(tmp_path / "2", fits, rest)
    elsewhere = fits.replace("shop.orders", "shop.old_orders")
    assert READS not in macros(tmp_path / "3", fits, elsewhere)


def test_no_model_reads_itself(tmp_path: Path) -> None:
    """Two reports, each of which has a block that could be rolled up from the other one."""
    inner = BY_MONTH.format("SUM(o.amount) AS revenue, COUNT(*) AS orders", "")
    finer = (FOLDER / "pile" / f"{FINER}.sql").read_text(encoding="utf-8")
    circle = finer.replace("CREATE TABLE reporting.revenue_by_month_and_region AS", "").replace(
        "LEFT JOIN shop.stores", "JOIN months AS m ON m.month < o.ordered_on LEFT JOIN shop.stores"
    )
    assert rolls(tmp_path, "duckdb", f"WITH months AS ({inner}) {circle}").keys() == {"r0"}


WRONG = {
    "the largest for the sum": ("sum(o.revenue)", "max(o.revenue)"),
    "rows of the finer report": ("cast(sum(o.orders) as bigint) as orders", "count(*) as orders"),
    "another number": ("cast(sum(o.orders)", "cast(sum(o.counted)"),
    "no cast": ("cast(sum(o.orders) as bigint) as orders", "sum(o.orders) as orders"),
    "people twice": ("cast(sum(o.orders)", "cast(sum(o.customers)"),
    "an average": ("sum(o.revenue)", "avg(o.revenue)"),
    "the finer grain": ("o.month,", "o.month + interval 1 day as month,"),
    "no HAVING": ("having cast(sum(o.orders) as bigint) > 1", ""),
    "some rows": ("as o\n", "as o where o.region is not null\n"),
    "rows repeated": ("as o\n", "as o join {{ source('shop', 'stores') }} as x on true\n"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_wrong_roll_up_is_refused(tmp_path: Path, wrong: str) -> None:
    out = tmp_path / "project"
    refactor(pile(tmp_path), dialect="duckdb", out=out)
    (path,) = out.glob("models/**/revenue_by_month.sql")
    right = path.read_text(encoding="utf-8")
    old, new = WRONG[wrong]
    assert old in right
    path.write_text(right.replace(old, new, 1), encoding="utf-8")
    found = verify(tmp_path / "pile", out, dialect="duckdb", generated=False)
    assert {r.name for r in found.reports if r.verdict != "proved"} == {"revenue_by_month"}
