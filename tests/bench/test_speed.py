"""What is timed and how the figures are put together; nothing here asserts a time."""

import json
import subprocess
import sys
from pathlib import Path

from bench.coverage import covered, sample
from bench.coverage import table as coverage_table
from bench.jobs import table as jobs_table
from bench.lineage.case import Edge, Tables
from bench.lineage.scoring import Answer
from bench.speed import piles, table
from bench.speed.table import Peer, Pile, Timing

ROOT = Path(__file__).parents[2]


def timing(cpu: float) -> Timing:
    return Timing(cpu, 2 * cpu, 100.0, edges=7)


def test_ratios_are_of_medians() -> None:
    runs = tuple(timing(cpu) for cpu in (4.0, 1.0, 2.0))
    pile = Pile("p", 3, 1234, tuple(timing(1.0) for _ in range(3)), runs, (timing(3.0),))
    assert pile.ratio(pile.trace) == 2.0
    assert "| **2.00** (1.00) | 3.00 |" in table.ratios([pile])


def test_growth_is_per_thousand_lines() -> None:
    assert "| 10,000 | 2.00 | 200 | 4.00 |" in table.growth([(10_000, timing(2.0), timing(1.0))])


def test_processes_are_judged_by_their_fastest_run() -> None:
    rows = jobs_table([("p", 20, 2, [timing(2.0), timing(1.0), timing(3.0)])])
    assert rows.splitlines()[-1] == "| p | 20 | 2 | 1.00 | 1.00 | 2.00 | 100 | 7 |"


def test_peers_with_crashes() -> None:
    peer = Peer("p", 2, 20, 0.5, {"a": 5.0, "b": 1.0}, {"a": 3, "b": 0})
    assert "| p | 2 | 20 | 0.50 | 10.0 (3) | 2.0 |" in table.peers([peer])


def test_parts_of_a_pile_are_the_same_each_time() -> None:
    texts = [f"select {i}\n" for i in range(20)]
    part = piles.upto(texts, 10)
    assert part == piles.upto(texts, 10)
    assert part != tuple(texts[:5])
    assert piles.lines(part) == 10
    assert piles.upto(texts, 10_000) == piles.upto(texts, 40)


def test_a_measurement(tmp_path: Path) -> None:
    file = tmp_path / "texts.json"
    file.write_text(json.dumps(["insert into t select a, b from s where c > {{x}}"]))
    said = {}
    for mode, *jobs in (["parse"], ["trace"], ["edges", "2"]):
        child = [mode, "postgres", str(file), *jobs]
        command = [sys.executable, "-m", "bench.speed.child", *child]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
        said[mode] = json.loads(done.stdout)
    assert said["parse"]["refused"] == 0
    assert said["trace"]["edges"] == 2
    assert said["edges"]["edges"] == 4


def test_coverage_counts_files() -> None:
    found = [
        Answer("1", (Edge("s", "a", "t", "a"), Edge("s", "a", "t", "a"))),
        Answer("2", (Edge("s", "*", "t", "*"),), Tables(frozenset({"s"}), frozenset())),
        Answer("3", (Edge("?", "a", "t", "a"),)),
        Answer("4", crash="boom"),
    ]
    c = covered(found)
    assert (c.files, c.any, c.named, c.relations, c.edges, c.crashes) == (4, 2, 1, 1, 2, 1)
    assert "| x | 4 | 50.0 | 25.0 | 25.0 | 2 | 1 |" in coverage_table({"x": c})


def test_a_sample_hangs_on_its_seed_alone(tmp_path: Path) -> None:
    for i in range(30):
        (tmp_path / f"{i}.sql").write_text("select 1")
    (tmp_path / "other.yaml").write_text("")
    assert sample(tmp_path, 10, 1) == sample(tmp_path, 10, 1)
    assert sample(tmp_path, 10, 1) != sample(tmp_path, 10, 2)
    assert len(sample(tmp_path, 99, 1)) == 30
