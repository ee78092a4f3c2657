"""Statements that write files are reports that are kept, and who reads these reads no table."""

from __future__ import annotations

import pytest

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import refactor
from unwet.rewrite.request import Request, Result

MADE = "CREATE TABLE q AS SELECT a, b FROM t WHERE a > 1;\n"

WRITING = [
    ("duckdb", "COPY (SELECT a FROM q) TO '/out/q.csv'"),
    ("duckdb", "COPY q (a) TO '/out/q.csv'"),
    ("duckdb", "EXPORT DATABASE '/out/db' (FORMAT parquet)"),
    ("postgres", "COPY q TO STDOUT"),
    ("bigquery", "EXPORT DATA OPTIONS(uri='gs://b/*.csv', format='CSV') AS SELECT a FROM q"),
    ("redshift", "UNLOAD ('SELECT a FROM q') TO 's3://b/x'"),
    ("athena", "UNLOAD (SELECT a FROM q) TO 's3://b/x' WITH (format='PARQUET')"),
    ("snowflake", "COPY INTO @stage/q FROM (SELECT a FROM q)"),
    ("snowflake", "COPY INTO 's3://b/x' FROM q"),
    ("hive", "INSERT OVERWRITE DIRECTORY '/out/q' SELECT a FROM q"),
    ("hive", "INSERT OVERWRITE LOCAL DIRECTORY '/out/q' STORED AS ORC SELECT a FROM q"),
]


def made(text: str, dialect: str) -> Result:
    return refactor(load([Source("pile/0.sql", MADE + text, dialect)]), Request())


@pytest.mark.parametrize(("dialect", "text"), WRITING)
def test_what_writes_files_is_kept(dialect: str, text: str) -> None:
    result = made(text, dialect)
    verdicts = {each.name: each for each in result.verdicts}
    assert verdicts["q"].outcome == "proved"  # it is only read
    assert verdicts["report_0"].outcome == "kept"
    assert verdicts["report_0"].reason.startswith("line 2 writes files, which no model does: ")
    assert text in result.files["legacy/0.sql"]


@pytest.mark.parametrize(("dialect", "text"), [("snowflake", "COPY INTO q FROM @stage/q")])
def test_what_reads_them_changes_a_table(dialect: str, text: str) -> None:
    (verdict,) = made(text, dialect).verdicts
    assert (verdict.name, verdict.outcome) == ("q", "kept")


READING = [
    ("databricks", "INSERT OVERWRITE DIRECTORY '/out/q' SELECT a FROM q", "csv.`/out/q`"),
    ("databricks", "INSERT OVERWRITE DIRECTORY '/out/q' USING csv SELECT a FROM q", "csv.`/out/q`"),
    ("duckdb", "EXPORT DATABASE '/out/db'", "read_parquet('/out/db/q.parquet')"),
    ("athena", "UNLOAD (SELECT a FROM q) TO 's3://b/x'", "read_parquet('s3://b/x0000_part_00')"),
    ("spark", "INSERT OVERWRITE DIRECTORY 's3a://b/q' SELECT a FROM q", "csv.`s3://b/q`"),
    ("snowflake", "COPY INTO @stage/q FROM (SELECT a FROM q)", "@stage/q_0_0_0.csv.gz"),
    ("snowflake", "COPY INTO 's3://b/x' FROM q", "'s3://b/x_0_0_0.csv.gz'"),
]


@pytest.mark.parametrize(("dialect", "text", "read"), READING)
def test_who_reads_what_is_written_is_kept(dialect: str, text: str, read: str) -> None:
    result = made(f"{text};\nCREATE TABLE r AS SELECT * FROM {read}", dialect)
    (verdict,) = (each for each in result.verdicts if each.name == "r")
    assert verdict.outcome == "kept"
    assert verdict.reason.endswith("which line 2 of pile/0.sql writes")


def test_what_a_client_writes_is_listed() -> None:
    told = made("\\copy (SELECT a FROM q) TO 'x.csv'\n", "postgres").files["MIGRATION.md"]
    assert "`0.sql:2`: `\\copy (SELECT a FROM q) TO 'x.csv'`" in told
