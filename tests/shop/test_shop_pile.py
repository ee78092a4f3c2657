"""The bundled case: the pile is what its key says, runs as it is, and can be made again."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import sqlglot

from bench.shop.legacy import filled, runnable
from tests.shop.running import bag, run
from unwet.fixtures.shop.data import build
from unwet.fixtures.shop.undry.drift import FINDERS
from unwet.fixtures.shop.undry.history import Options
from unwet.fixtures.shop.undry.pile import Pile, generate, to_json

SHOP = Path(__file__).parents[2] / "fixtures" / "shop"
KEY: dict[str, Any] = json.loads((SHOP / "key.json").read_text("utf-8"))
FILES = {
    path.relative_to(SHOP / "pile").as_posix(): path.read_text("utf-8")
    for path in sorted((SHOP / "pile").rglob("*.sql"))
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file: Path = tmp_path_factory.mktemp("shop") / "warehouse.duckdb"
    build(file)
    return file


@pytest.fixture(scope="module")
def default() -> Pile:
    return generate(Options())


@pytest.fixture(scope="module")
def ran(data: Path) -> Iterator[tuple[duckdb.DuckDBPyConnection, Counter[str]]]:
    """The warehouse after the whole pile, and the number of queries run per file."""
    with duckdb.connect(str(data)) as connection:
        connection.execute("SET threads = 1")
        queries = Counter(path for path, _ in run(connection, FILES, KEY))
        yield connection, queries


def test_the_committed_pile_is_that_of_the_default_seed(default: Pile) -> None:
    assert dict(default.files) == FILES
    assert to_json(default.key) == (SHOP / "key.json").read_text("utf-8")


def test_it_is_as_large_as_promised() -> None:
    reports = [report for report in KEY["reports"] if report["shape"] != "cycle"]
    texts = [re.sub(r"\{\{\w+\}\}", "x", runnable(path, text, KEY)) for path, text in FILES.items()]
    trees = [tree for text in texts for tree in sqlglot.parse(text, dialect="postgres") if tree]
    lines = sum(
        len(tree.sql("postgres", pretty=True, comments=False).splitlines()) for tree in trees
    )
    assert len(reports) >= 400
    assert lines >= 30_000
    assert sum(len(text.encode()) for text in FILES.values()) < 3_000_000


def test_the_truth_is_small() -> None:
    files = list((SHOP / "truth").iterdir())
    assert sum(len(file.read_text("utf-8").splitlines()) for file in files) < 1_500


def test_every_statement_runs(ran: tuple[duckdb.DuckDBPyConnection, Counter[str]]) -> None:
    connection, queries = ran
    made = connection.execute(
        "SELECT table_schema || '.' || table_name FROM information_schema.tables"
    ).fetchall()
    wanted = {report["relation"] for report in KEY["reports"] if report["relation"]}
    assert wanted <= {name for (name,) in made}
    assert set(queries) >= {r["path"] for r in KEY["reports"] if not r["relation"]}


def test_most_mistakes_show_in_the_data(
    ran: tuple[duckdb.DuckDBPyConnection, Counter[str]], default: Pile
) -> None:
    connection, _ = ran
    kinds = {place["id"]: place["kind"] for place in KEY["drift"]}
    shown = Counter[str]()
    for label, texts in default.twins.items():
        without, with_it = (bag(connection, filled(text, KEY)) for text in texts)
        shown[kinds[label]] += without != with_it
    assert set(shown) == set(FINDERS)
    assert all(shown.values()), shown
    assert sum(shown.values()) >= 0.6 * len(default.twins), shown


@pytest.mark.parametrize("place", KEY["broken"], ids=lambda place: str(place["path"]))
def test_broken_statements_are_broken(place: dict[str, Any]) -> None:
    lines = FILES[place["path"]].split("\n")[place["line"] - 1 : place["end_line"]]
    text = "\n".join(lines)
    with pytest.raises(duckdb.ParserException):
        duckdb.extract_statements(text)
    with pytest.raises(sqlglot.errors.SqlglotError):
        sqlglot.parse(text, dialect="postgres")


@pytest.mark.parametrize("place", [*KEY["drift"], *KEY["intended"]], ids=lambda p: str(p["id"]))
def test_the_key_points_at_real_places(place: dict[str, Any]) -> None:
    lines = FILES[place["path"]].split("\n")
    at = place["line"] - 1
    assert lines[at].strip() == place["text"]
    around = squeezed("\n".join(lines[max(0, at - 6) : at + 7]))
    assert place["majority"] != place["here"]
    assert squeezed(place["here"]) in around
    if place["kind"] == "intended":
        assert place["why"].upper().replace(" ", "") in squeezed(FILES[place["path"]])


def test_every_kind_of_mistake_is_there_several_times() -> None:
    kinds = Counter(place["kind"] for place in KEY["drift"])
    assert set(kinds) == set(FINDERS)
    assert min(kinds.values()) >= 5
    assert len(KEY["intended"]) >= 10


def test_mistakes_are_a_minority_everywhere() -> None:
    reports = Counter(r["concept"] for r in KEY["reports"] if r["shape"] == "one")
    wrong = Counter((place["concept"], place["kind"]) for place in KEY["drift"])
    for (concept, kind), count in wrong.items():
        assert count <= max(1, 0.34 * reports.get(concept, 100)), (concept, kind, count)


def test_copies_come_from_earlier_reports() -> None:
    days = {report["path"]: report["day"] for report in KEY["reports"]}
    copied = [report for report in KEY["reports"] if report["copied_from"]]
    assert len(copied) > len(KEY["reports"]) / 2
    assert all(days[report["copied_from"]] <= report["day"] for report in copied)


def test_nobody_reads_the_unread() -> None:
    assert len(KEY["unread"]) == 2
    for relation in KEY["unread"]:
        name = relation.partition(".")[2]
        readers = [path for path, text in FILES.items() if re.search(rf"\b{name}\b", text)]
        assert len(readers) == 1


def test_the_cycle_is_one() -> None:
    reads = {report["relation"]: report["reads"] for report in KEY["reports"]}
    one, other = KEY["cycle"]
    assert reads[one] == [other]
    assert reads[other] == [one]


def test_all_habits_are_in_the_pile() -> None:
    everything = "\n".join(FILES.values())
    for sign in (r"(?i)create temp table", r"(?m)^\s+, ", r"(?i)\bunion all\b", r"insert into",
                 r"::date", r"(?i)\bfilter \(", r"(?i)where 1 = 1", r"(?i)\bbetween\b", r"!=",
                 r"(?i)group by 1, 2", r"(?m)^ *-- +and ", r"(?i)left outer join", r"/\*", r"\{\{",
                 r"(?i)create or replace view", r"(?i)from \S+ \w+,\n"):  # fmt: skip
        assert re.search(sign, everything), sign


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    made = []
    for salt in ("1", "2"):
        out = tmp_path / salt
        words = ["--seed", "5", "--size", "0.2", "--habits", "4", "--out", str(out)]
        subprocess.run(
            [sys.executable, "-m", "unwet.fixtures.shop.undry", *words],
            cwd=SHOP.parents[1], env={**os.environ, "PYTHONHASHSEED": salt}, check=True,
            capture_output=True,
        )  # fmt: skip
        files = sorted(file for file in out.rglob("*") if file.is_file())
        made.append([(str(file.relative_to(out)), file.read_bytes()) for file in files])
    assert made[0] == made[1]
    assert len(made[0]) > 80


@pytest.mark.parametrize("seed", [2, 3])
def test_other_seeds_run_too(seed: int, tmp_path: Path) -> None:
    pile = generate(Options(seed=seed, size=0.1, drift_rate=0.4))
    key: dict[str, Any] = json.loads(to_json(pile.key))
    build(tmp_path / "warehouse.duckdb", seed=seed, scale=0.1)
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        connection.execute("SET threads = 1")
        assert list(run(connection, pile.files, key))
    assert dict(pile.files).items() != FILES.items()
    assert set(FINDERS) <= {place["kind"] for place in key["drift"]}


def test_no_drift_without_a_rate() -> None:
    pile = generate(Options(seed=4, size=0.1, drift_rate=0.0))
    assert pile.key["drift"] == []


def squeezed(text: str) -> str:
    """Without spaces and case; other spellings of the same made the same."""
    return filled(re.sub(r"\s+", "", text), KEY).upper().replace("!=", "<>")
