"""The original statements on a small data set, and what is recorded when they fail."""

import sys
from pathlib import Path

import duckdb
import pytest

from bench.achilles import data, legacy, sqlmesh, synthetic
from bench.achilles.pile import File, read
from bench.errors import BenchError

DDL = """
CREATE TABLE @cdmDatabaseSchema.person (
    person_id integer NOT NULL, year_of_birth integer NOT NULL, race_concept_id integer NULL,
    person_source_value varchar(50) NULL );
CREATE TABLE @cdmDatabaseSchema.observation_period (
    observation_period_id integer NOT NULL, person_id integer NOT NULL,
    observation_period_start_date date NOT NULL, observation_period_end_date date NOT NULL );
CREATE TABLE @cdmDatabaseSchema.vocabulary (
    vocabulary_id varchar(20) NOT NULL, vocabulary_reference varchar(255) NOT NULL );
"""
PILE = {
    "1.sql": "select count_big(*) as n into @scratchDatabaseSchema@schemaDelim"
    "@tempAchillesPrefix_1 from @cdmDatabaseSchema.person;",
    "2.sql": "select distinct person_id into #p from @cdmDatabaseSchema.person;\n"
    "select count_big(*) as n, getdate() as made into scratch.tmpach_2 from #p;\n"
    "truncate table #p; drop table #p;",
    "3.sql": "select nothing into scratch.tmpach_3 from cdm.person;",
    "4.sql": "select @columns into scratch.tmpach_4 from cdm.person;",
    "5.sql": "IF OBJECT_ID('results.a', 'U') IS NOT NULL DROP TABLE results.a;\n"
    "CREATE TABLE results.a (b INTEGER);",
}


@pytest.fixture
def files(tmp_path: Path) -> tuple[File, ...]:
    folder = tmp_path / "pile"
    folder.mkdir()
    for name, text in PILE.items():
        (folder / name).write_text(text)
    return read(folder)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    synthetic.build_synthetic(data.ddl(DDL), tmp_path / "data.duckdb")
    return tmp_path / "data.duckdb"


def test_outcomes(files: tuple[File, ...], database: Path) -> None:
    one, two, three, four, five = legacy.run(database, files)
    assert (one.relations, one.failure) == ((("scratch.tmpach_1", 1),), "")
    assert (two.relations, two.failure) == ((("scratch.tmpach_2", 1),), "")
    assert three.relations == () and three.failure.startswith("BinderException")
    assert four.template and "@columns" in four.failure
    assert (five.relations, five.rows) == ((("results.a", 0),), 0)


def test_another_python_has_the_same_outcomes(files: tuple[File, ...], database: Path) -> None:
    copy = data.copy(database, database.with_name("copy.duckdb"))
    python = Path(sys.executable)
    assert legacy.run(sqlmesh.for_older(copy), files, python) == legacy.run(database, files)
    with pytest.raises(BenchError, match="the legacy statements do not run"):
        legacy.run(database.with_name("none") / "x", files, python)


def test_the_clock_is_pinned(files: tuple[File, ...], database: Path) -> None:
    legacy.run(database, files)
    with duckdb.connect(str(database)) as connection:
        (made,) = connection.execute("SELECT made::VARCHAR FROM scratch.tmpach_2").fetchall()[0]
        (day,) = connection.execute("SELECT current_date::VARCHAR").fetchall()[0]
    assert (made, day) == (data.CLOCK, data.CLOCK[:10])


def test_synthetic_rows_are_the_same_every_time_and_rich(tmp_path: Path) -> None:
    seen = []
    for name in ("a.duckdb", "b.duckdb"):
        synthetic.build_synthetic(data.ddl(DDL), tmp_path / name)
        with duckdb.connect(str(tmp_path / name)) as connection:
            seen.append(connection.execute("FROM cdm.person ORDER BY ALL").fetchall())
    assert seen[0] == seen[1]
    assert any(row[2] is None for row in seen[0]), "no NULL"
    assert any(row[2] == 0 for row in seen[0]), "no concept 0"
    assert len(set(seen[0])) < len(seen[0]), "no duplicate row"


def test_eunomia_is_cast_and_its_broken_tables_stay_empty(tmp_path: Path) -> None:
    source = tmp_path / "eunomia.duckdb"
    with duckdb.connect(str(source)) as connection:
        connection.execute("CREATE TABLE person AS SELECT '7' AS PERSON_ID, 1980 AS YEAR_OF_BIRTH")
        connection.execute("CREATE TABLE observation_period AS SELECT 'PERSON_ID' AS column0")
        connection.execute("CREATE TABLE vocabulary AS SELECT 'v' AS VOCABULARY_ID")
    kept = data.build_eunomia(source, data.ddl(DDL), tmp_path / "data.duckdb")
    with duckdb.connect(str(tmp_path / "data.duckdb")) as connection:
        assert kept == ("person", "vocabulary")
        assert connection.execute("FROM cdm.person").fetchall() == [(7, 1980, None, None)]
        assert connection.execute("FROM cdm.observation_period").fetchall() == []


def test_float_is_a_double() -> None:
    (sql,) = legacy.statements("select cast(1 as float) as x into r.a")
    assert "AS DOUBLE" in sql
