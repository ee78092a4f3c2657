"""The comparison with jscpd: which findings are drawn, and how a verdict finds its finding."""

from pathlib import Path

import pytest

from bench.jscpd.__main__ import SAMPLE, read_verdicts, sample
from bench.jscpd.finders import Place, Told, text


def _told(count: int) -> tuple[Told, ...]:
    return tuple(Told("exact", (Place(f"{i}.sql", 1, 2),)) for i in range(count))


def test_few_findings_are_all_drawn_in_their_order() -> None:
    assert sample(_told(SAMPLE - 1)) == _told(SAMPLE - 1)


def test_the_same_findings_are_drawn_twice() -> None:
    drawn = sample(_told(400))
    assert drawn == sample(_told(400))
    assert len(set(drawn)) == SAMPLE


def test_a_key_changes_with_the_text_of_its_places(tmp_path: Path) -> None:
    file, told = tmp_path / "a.sql", Told("exact", (Place("a.sql", 2, 3),))
    file.write_text("select\n 1,\n 2\n", "utf-8")
    before = told.key(tmp_path)
    assert text(tmp_path, told.places[0]) == " 1,\n 2"
    file.write_text("SELECT\n 1,\n 2\n", "utf-8")
    assert told.key(tmp_path) == before  # outside of the place
    file.write_text("select\n 1,\n 3\n", "utf-8")
    assert told.key(tmp_path) != before


def test_a_verdict_has_one_of_three_words(tmp_path: Path) -> None:
    file = tmp_path / "verdicts.toml"
    file.write_text('[a1]\nverdict = "unit"\nwhy = "a CTE"\n', "utf-8")
    assert read_verdicts(file) == {"a1": "unit"}
    file.write_text('[a1]\nverdict = "maybe"\n', "utf-8")
    with pytest.raises(ValueError, match="maybe"):
        read_verdicts(file)
