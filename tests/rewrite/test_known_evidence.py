"""What generated data said is known again as long as nothing changes that it depends on."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from unwet.lineage.pile import load
from unwet.lineage.schema import Schema
from unwet.lineage.sources import Source
from unwet.rewrite import refactor
from unwet.rewrite.known_evidence import KnownEvidence
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove import generated
from unwet.rewrite.prove.against import reference
from unwet.rewrite.prove.compare import Difference
from unwet.rewrite.prove.evidence import Evidence
from unwet.rewrite.prove.generated import LATE, Budget, gather
from unwet.rewrite.prove.tested import DataVerdict
from unwet.rewrite.unfinished import Unfinished
from unwet.rewrite.verdicts import Score

BASE = "create table r.base as select id, amount from s.orders where amount > 0"
TOP = "create table r.top as select max(amount) as most from r.base"
SAME = Evidence(DataVerdict("top", "identical", None, None, (), ""), 4, Score(7, 9))


class Bench:
    """A pile, its project, and what is known of it below one folder."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.root, self.project = root, root / "project"
        self.made: list[str] = []  # reports that were tested, and not only looked up
        own = generated.Tester._evidence

        def noted(tester: generated.Tester, *args: object) -> Evidence:
            found = own(tester, *args)  # type: ignore[arg-type]
            self.made.append(found.verdict.name)
            return found

        monkeypatch.setattr(generated.Tester, "_evidence", noted)
        refactor.refactor(self.meaning(), refactor.Request(self.project))

    def meaning(self, *texts: str, schema: Schema | None = None) -> Meaning:
        sources = [Source(f"{n}.sql", t, "duckdb") for n, t in enumerate(texts or (BASE, TOP))]
        return Meaning(load(sources, "duckdb", schema))

    def test(
        self,
        meaning: Meaning | None = None,
        engine: str = "1",
        values: Sequence[tuple[str, str]] = (),
        fresh: bool = False,
        seconds: float = 300.0,
    ) -> list[str]:
        """The reports that were tested anew."""
        meaning = meaning or self.meaning()
        store = Unfinished(self.root, engine, fresh)
        refs = [reference(report) for report in meaning.state.reports]
        before = len(self.made)
        self.found = gather(meaning, self.project, refs, "duckdb", dict(values),
                            Budget(all=seconds), known=KnownEvidence(store))  # fmt: skip
        store.finish()
        return self.made[before:]


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    yield Bench(tmp_path, monkeypatch)


def test_the_second_run_only_looks_up(bench: Bench) -> None:
    assert bench.test() == ["base", "top"]
    first = bench.found
    assert {each.verdict.verdict for each in first.values()} == {"identical"}
    assert bench.test() == []
    assert bench.found == first
    assert bench.test(fresh=True) == ["base", "top"]


def test_an_edited_model_is_tested_again_and_who_reads_it(bench: Bench) -> None:
    bench.test()
    [top] = bench.project.rglob("top.sql")
    top.write_text(top.read_text().lower().replace("max(", "min("))
    assert bench.test() == ["top"]
    assert bench.found["top"].verdict.verdict == "different"
    wrong = bench.found
    assert bench.test() == []
    assert bench.found == wrong
    assert wrong["top"].counterexample and wrong["top"].verdict.sample
    [base] = bench.project.rglob("base.sql")
    base.write_text(base.read_text() + "\n-- a word\n")
    assert bench.test() == ["base", "top"]


def test_all_that_it_depends_on_counts(bench: Bench) -> None:
    bench.test()
    assert len(bench.test(engine="2")) == 2
    assert len(bench.test(values=[("x", "1")])) == 2
    assert len(bench.test(bench.meaning(BASE.replace("> 0", "> 1"), TOP))) == 2
    typed = bench.meaning(schema={"s.orders": {"id": "INT", "amount": "DECIMAL(9, 2)"}})
    assert len(bench.test(typed)) == 2
    assert bench.test() == []


def test_what_only_time_was_short_for_is_tried_again(bench: Bench) -> None:
    assert bench.test(seconds=-1) == ["base", "top"]
    assert {each.verdict.reason for each in bench.found.values()} == {LATE}
    assert bench.test() == ["base", "top"]
    assert bench.test() == []


def test_what_was_found_while_time_ran_out_is_tried_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been measured with less than all there is to try."""
    own, now = generated.Tester._evidence, [0.0]

    def slow(tester: generated.Tester, *args: object) -> Evidence:
        found = own(tester, *args)  # type: ignore[arg-type]
        now[0] += 1000.0
        return found

    with monkeypatch.context() as patch:
        patch.setattr(generated, "process_time", lambda: now[0])
        patch.setattr(generated.Tester, "_evidence", slow)
        bench.test()
    found = {name: each.verdict for name, each in bench.found.items()}
    assert (found["base"].verdict, found["top"].reason) == ("identical", LATE)
    assert bench.test() == ["base", "top"]
    assert bench.test() == []


def test_evidence_comes_back_as_it_was(tmp_path: Path) -> None:
    told = DataVerdict("a", "different", 2, 3, (Difference("added", ("1", None), 2),), "rows 1 ✓")
    shown = Evidence(told, 0, None, "SELECT '\n';")
    for evidence in (SAME, shown, replace(SAME, score=None)):
        KnownEvidence(Unfinished(tmp_path, "1")).put("k", evidence)
        assert KnownEvidence(Unfinished(tmp_path, "1")).get("k") == evidence
        assert KnownEvidence(Unfinished(tmp_path, "1")).get("l") is None


@pytest.mark.parametrize("reason", [LATE, "model top: stopped after 5 s"])
def test_a_lack_of_time_is_not_kept(tmp_path: Path, reason: str) -> None:
    late = replace(SAME, verdict=replace(SAME.verdict, verdict="not run", reason=reason))
    known = KnownEvidence(Unfinished(tmp_path, "1"))
    known.put("k", late)
    assert known.get("k") is None


@pytest.mark.parametrize("text", ["", "x", "{}", '{"verdict": 1}', '{"verdict": [1]}'])
def test_damage_is_nothing_known(tmp_path: Path, text: str) -> None:
    store = Unfinished(tmp_path, "1")
    store.note("k", text)
    assert KnownEvidence(store).get("k") is None
