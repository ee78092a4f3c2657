"""The pile run on DuckDB as it is, with the answer key and nothing of the engine.

statements(path, text, key) -> what can run;  run_pile(case) -> a database with all old results
"""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb

from bench.shop.case import Case

QUERIES = "unwet_queries"  # the schema with the rows of bare queries


def statements(path: str, text: str, key: Mapping[str, Any]) -> Iterator[duckdb.Statement]:
    """Without the broken statements, and with values for the placeholders."""
    yield from duckdb.extract_statements(runnable(path, text, key))


def runnable(path: str, text: str, key: Mapping[str, Any]) -> str:
    """The same as one text, in which every line is where it was."""
    lines = text.split("\n")
    for place in key["broken"]:
        if place["path"] == path:
            first, last = place["line"] - 1, place["end_line"]
            lines[first:last] = [""] * (last - first)
    return filled("\n".join(lines), key)


def filled(text: str, key: Mapping[str, Any]) -> str:
    for name, value in key["placeholders"].items():
        text = text.replace("{{" + name + "}}", value)
    return text


def run_pile(case: Case) -> Path:
    """A copy of the warehouse after all files have run, oldest first: the requirement."""
    target = case.folder / "legacy.duckdb"
    shutil.copy(case.warehouse, target)
    with duckdb.connect(str(target), config={"threads": 1}) as connection:
        connection.execute(f"CREATE SCHEMA {QUERIES}")
        for path in case.key["order"]:
            text = (case.pile / path).read_text("utf-8")
            for statement in statements(path, text, case.key):
                if statement.type == duckdb.StatementType.SELECT:
                    query = statement.query.strip().rstrip(";")
                    connection.execute(f'CREATE TABLE {QUERIES}."{path}" AS {query}\n')
                else:
                    connection.execute(statement)
    return target
