"""Drift: every case of fixtures/rewrite/drift, and what surrounds them.

A case starts with `-- # title`; `-- file: a.sql b.sql` starts a text that stands in each of these
files, `$NAME` in it is the name of the file. A contradiction that must be found is a line
`-- => CODE votes:against path:line ... expression`, its majority may follow as `-- => majority:`;
nothing else may be found. `-- accepted: n` says how many outliers somebody accepted.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet import cli, find_drift
from unwet.lineage.config import Intended
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.drift import Drift, DriftFinding, drift
from unwet.rewrite.drift_forms import as_json, as_text

FOLDER = Path(__file__).parents[2] / "fixtures" / "rewrite" / "drift"
SCHEMA = {
    "orders": {
        "id": "INT", "customer_id": "INT", "country": "TEXT", "status": "TEXT", "total": "INT",
        "tax": "INT", "net": "INT", "shipping": "INT", "created": "TIMESTAMP", "day": "DATE",
        "is_test": "BOOLEAN", "deleted_at": "TIMESTAMP",
    },
    "order_lines": {"order_id": "INT", "amount": "INT"},
    "customers": {"id": "INT", "country": "TEXT", "segment": "TEXT", "email": "TEXT",
                  "last_order": "DATE", "rank": "INT", "spent": "INT"},
    "subscriptions": {"started": "DATE", "plan": "TEXT"},
    "tickets": {"country": "TEXT", "opened": "TIMESTAMP", "closed": "TIMESTAMP"},
    "parcels": {"country": "TEXT", "opened": "TIMESTAMP", "closed": "TIMESTAMP"},
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    title: str
    sources: tuple[Source, ...]
    expected: tuple[str, ...]
    accepted: int


def read_case(text: str) -> Case:
    title, *lines = text.splitlines()
    files: dict[str, list[str]] = {}
    names: list[str] = []
    for line in lines:
        if hit := re.match(r"-- file: (.*)", line):
            names = hit[1].split()
        elif line and not re.match(r"-- (=>|accepted:)", line):
            for name in names:
                files.setdefault(name, []).append(line.replace("$NAME", name.removesuffix(".sql")))
    expected = tuple(line[6:] for line in lines if line.startswith("-- => "))
    accepted = sum(int(line[13:]) for line in lines if line.startswith("-- accepted: "))
    sources = tuple(Source(name, "\n".join(text)) for name, text in files.items())
    return Case(title, sources, expected, accepted)


CASES = {
    f"{path.stem}: {case.title}": case
    for path in sorted(FOLDER.glob("*.sql"))
    for text in re.split(r"^-- # ", path.read_text(), flags=re.M)[1:]
    if (case := read_case(text))
}


def told(finding: DriftFinding) -> str:
    places = " ".join(f"{o.path}:{o.line}" for o in finding.outliers)
    expression = finding.outliers[0].expression
    return f"{finding.code} {finding.votes}:{finding.against} {places} {expression}".rstrip()


def run(case: Case, *intended: Intended) -> Drift:
    return drift(load(case.sources, "postgres", SCHEMA), intended)


@pytest.mark.parametrize("name", CASES)
def test_case(name: str) -> None:
    case = CASES[name]
    found = run(case)
    wanted = [line for line in case.expected if not line.startswith("majority: ")]
    assert sorted(map(told, found.findings)) == sorted(wanted)
    majorities = {finding.majority for finding in found.findings}
    assert majorities >= {line[10:] for line in case.expected if line.startswith("majority: ")}
    assert len(found.accepted) == case.accepted


JOIN = next(case for name, case in CASES.items() if "JOIN for LEFT JOIN" in name)


def test_the_order_of_the_sources_changes_nothing() -> None:
    for case in CASES.values():
        backwards = Case(case.title, case.sources[::-1], case.expected, case.accepted)
        assert run(backwards).findings == run(case).findings, case.title


def test_intended_differences_are_accepted_with_their_reason() -> None:
    found = run(JOIN, Intended("nl.sql", "buyers only", "DRIFT_JOIN"))
    assert not found.findings
    assert [(d.path, reason) for d, reason in found.accepted] == [("nl.sql", "buyers only")]
    assert "0 contradictions in 0 places; 1 accepted" in as_text(found)


@pytest.mark.parametrize(
    "intended",
    [Intended("at.sql", "r"), Intended("nl.sql", "r", "DRIFT_FILTER"),
     Intended("nl.sql", "r", expression="LEFT")],
)  # fmt: skip
def test_another_path_code_or_expression_accepts_nothing(intended: Intended) -> None:
    assert run(JOIN, intended) == run(JOIN)


MARKED = next(case for name, case in CASES.items() if "an ignore mark" in name)


@pytest.mark.parametrize(
    ("mark", "findings", "notes"),
    [
        ("-- unwet: ignore[DRIFT] one for all", 0, 0),
        ("-- unwet: ignore[DRIFT_FILTER, DRIFT_JOIN] two", 0, 0),
        ("/* unwet: ignore[DRIFT_JOIN] in a block */", 0, 0),
        ("-- unwet: ignore[DRIFT_FILTER] another code", 1, 0),
        ("-- unwet: ignore[DRIFT_JOIN]", 1, 1),
        ("-- unwet ignore[DRIFT_JOIN] no mark at all", 1, 0),
    ],
)
def test_marks(mark: str, findings: int, notes: int) -> None:
    *rest, last = MARKED.sources
    lines = last.text.splitlines()
    above = Source(last.path, "\n".join([lines[0], mark, lines[2]]))
    behind = Source(last.path, "\n".join([lines[0], f"{lines[2]} {mark}"]))
    for source in (above, behind):
        found = run(Case("", (*rest, source), (), 0))
        assert (len(found.findings), len(found.notes)) == (findings, notes)
    assert all(note.code == "IGNORE" and note.at.line == 3 for note in run(
        Case("", (*rest, above), (), 0)).notes)  # fmt: skip


def test_forms() -> None:
    found = run(JOIN)
    data = json.loads(as_json(found))
    assert data["findings"][0]["vote"] == [4, 1]
    assert data["findings"][0]["code"] == "DRIFT_JOIN"
    assert data["findings"][0]["majority"] == "LEFT JOIN orders"
    assert data["findings"][0]["outliers"] == [
        {"path": "nl.sql", "line": 3, "expression": "JOIN orders"}
    ]
    assert 0.5 < data["findings"][0]["score"] <= 1
    text = as_text(found)
    assert "DRIFT_JOIN other kind of join (o), 4 : 1, score 0." in text
    assert "nl.sql:3: JOIN orders" in text


def test_command_and_library(tmp_path: Path) -> None:
    for source in JOIN.sources:
        (tmp_path / source.path).write_text(source.text)
    (tmp_path / "unwet.toml").write_text('dialect = "postgres"\n')
    words = ["drift", str(tmp_path), "--config", str(tmp_path / "unwet.toml")]
    done = CliRunner().invoke(cli.main, words)
    assert done.exit_code == 0
    assert done.stdout.endswith("1 contradiction in 1 place\n")
    assert CliRunner().invoke(cli.main, [*words, "--check"]).exit_code == 1
    [finding] = find_drift(str(tmp_path), "postgres")
    assert finding == find_drift(load(str(tmp_path), "postgres"))[0]
    with (tmp_path / "unwet.toml").open("a") as config:
        config.write('[[intended]]\npath = "nl.sql"\nreason = "buyers only"\n')
    done = CliRunner().invoke(cli.main, [*words, "--check"])
    assert (done.exit_code, done.stdout) == (0, "0 contradictions in 0 places; 1 accepted\n")


def copies(count: int) -> list[Source]:
    """So many copies of one report, the last with a mistake."""
    text = "SELECT country, SUM(total) AS revenue FROM orders WHERE status = '{}' GROUP BY country"
    made = [Source(f"c{i:04}.sql", text.format(i)) for i in range(count)]
    return [*made[:-1], Source(made[-1].path, made[-1].text.replace("SUM", "AVG"))]


def test_a_family_of_thousands_and_a_union_of_hundreds() -> None:
    [finding] = find_drift(copies(2000), "postgres", SCHEMA)
    assert (finding.votes, finding.against) == (1999, 1)
    union = "\nUNION ALL\n".join(source.text for source in copies(300))
    [finding] = find_drift(Source("u.sql", union), "postgres", SCHEMA)
    assert (finding.votes, finding.outliers[0].line) == (299, 599)


def test_odd_sql_is_no_crash() -> None:
    nested = "SELECT a FROM t"
    for level in range(200):
        nested = f"SELECT a FROM ({nested}) x{level}"
    doubled = "WITH c0 AS (SELECT a + 1 AS a FROM t)" + "".join(
        f", c{i} AS (SELECT x.a + y.a AS a FROM c{i - 1} x JOIN c{i - 1} y ON x.a = y.a)"
        for i in range(1, 40)
    )
    texts = [
        nested,
        f"{doubled} SELECT a FROM c39",
        "CREATE TABLE p AS SELECT x FROM q",
        "CREATE TABLE q AS SELECT x FROM p",
        "SELECT 1",
        "SELEC T",
        "",
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT n FROM r",
    ]
    pile = [Source(f"{at}.sql", text) for at, text in enumerate(texts)]
    assert find_drift(pile, "postgres") == ()


def test_a_number_with_very_many_values_is_a_parameter() -> None:
    text = "SELECT country, SUM(total) AS t FROM orders WHERE tax > {} AND status = 'paid'" \
           " AND is_test = FALSE GROUP BY country"  # fmt: skip
    most = [Source(f"c{at:02}.sql", text.format(0)) for at in range(60)]
    odd = [Source(f"x{at:02}.sql", text.format(100 + at)) for at in range(14)]
    assert not find_drift([*most, *odd], "postgres", SCHEMA)
    assert len(find_drift([*most, *odd[:3]], "postgres", SCHEMA)) > 0
