"""Verdicts and figures from hand-made answers, and answers from hand-made workers."""

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bench.errors import BenchError
from bench.lineage import disagreements
from bench.lineage.case import Case, Edge, Tables
from bench.lineage.report import by_origin, failures, table, together
from bench.lineage.running import answers
from bench.lineage.scoring import Answer, judge, judge_tables, total

A, B = Edge("s", "a", "t", "a"), Edge("s", "b", "t", "b")
CASE = Case(
    "suite:one#1",
    "suite",
    "INSERT INTO t SELECT a, b FROM s",
    tables=Tables(frozenset({"s"}), frozenset({"t"})),
    columns=frozenset({A, B}),
)


def test_figures() -> None:
    right = judge(CASE, Answer(CASE.id, (A, B)))
    half = judge(CASE, Answer(CASE.id, (A, Edge("x", "c", "t", "c"))))
    crashed = judge(CASE, Answer(CASE.id, crash="boom"))
    assert [v.exact for v in (right, half, crashed)] == [True, False, False]
    score = total([right, half, crashed])
    assert (score.cases, score.exact, score.crashes) == (3, 1, 1)
    assert (score.hits, score.said, score.expected) == (3, 4, 6)
    assert (score.precision, score.recall) == (75.0, 50.0)


def test_a_crash_is_never_exact() -> None:
    empty = Case("suite:none#1", "suite", "SELECT 1", columns=frozenset())
    assert not judge(empty, Answer(empty.id, crash="boom")).exact
    assert judge(empty, Answer(empty.id)).exact


def test_relations_are_judged_apart() -> None:
    said = Tables(frozenset({"S"}), frozenset())
    verdict = judge_tables(CASE, Answer(CASE.id, tables=said))
    assert not verdict.exact
    assert total([verdict]).recall == 50.0


def test_tables_of_the_report() -> None:
    verdicts = {
        "ours": [judge(CASE, Answer(CASE.id, (A, B)))],
        "peer": [judge(CASE, Answer(CASE.id, (A,)))],
    }
    assert "| peer | 1 | 0 | 0.0 | 100.0 | 50.0 | 0 | 0.5 |" in table(
        verdicts, {"ours": 0.1, "peer": 0.5}
    )
    assert "| suite | 1 | 100.0 | 0.0 |" in by_origin(verdicts)
    assert together(verdicts, without="ours").exact == 0
    page = failures("peer", verdicts["peer"], {CASE.id: CASE})
    assert "## suite:one#1" in page
    assert "missing:\n\n    s.b -> t.b" in page


def test_corrections_apply_or_leave_out(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text(
        '["suite:one#1"]\nreason = "r"\ncolumns = [["s", "a", "t", "a"]]\n'
        '["suite:other*"]\nreason = "not valid"\n'
        '["suite:two#1"]\nreason = "r"\nadd = [["s", "c", "t", "c"]]\n'
        'remove = [["s", "a", "t", "a"]]\n'
    )
    known = disagreements.load(file)
    other = Case("suite:others#2", "suite", "x", columns=frozenset({B}))
    assert disagreements.corrected([CASE, other], known)[0].columns == frozenset({A})
    assert len(disagreements.corrected([CASE, other], known)) == 1
    two = replace(CASE, id="suite:two#1")
    assert disagreements.corrected([two], known)[0].columns == frozenset(
        {B, Edge("s", "c", "t", "c")}
    )


def test_a_correction_without_a_reason_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text('["suite:one#1"]\nsettled = "reading"\n')
    with pytest.raises(BenchError, match="no reason"):
        disagreements.load(file)


WORKER = """
import json, sys, time
print(json.dumps({"ready": True}), flush=True)
for line in sys.stdin:
    case = json.loads(line)
    if case["sql"] == "die":
        sys.exit(3)
    if case["sql"] == "hang":
        time.sleep(60)
    edges = [["s", "a", "t", "a"]]
    print(json.dumps({"id": case["id"], "columns": edges, "cpu": 0.5}), flush=True)
"""


def test_a_worker_that_dies_or_hangs_loses_one_case(tmp_path: Path) -> None:
    file = tmp_path / "worker.py"
    file.write_text(WORKER)
    texts = ["SELECT 1", "die", "hang", "SELECT 2"]
    asked = [{"id": str(i), "sql": sql} for i, sql in enumerate(texts)]
    found = list(answers([sys.executable, str(file)], asked, 1.0, tmp_path / "log"))
    assert [answer.id for answer in found] == ["0", "1", "2", "3"]
    assert [answer.crash for answer in found] == ["", "the process ended", "no answer in 1 s", ""]
    assert found[3].columns == (A,)
    assert found[0].cpu == 0.5
