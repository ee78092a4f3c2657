"""The bench of judged contradictions: verdicts are found by code and place, or told as missing."""

from pathlib import Path

import pytest

from bench.drift.__main__ import table
from bench.drift.verdicts import VERDICTS, judged, read
from bench.errors import BenchError

ALMANAC = Path(__file__).parents[2] / "bench" / "drift" / "almanac.toml"


def finding(code: str, path: str, line: int) -> dict[str, object]:
    outlier = {"path": path, "line": line, "expression": "a | b"}
    return {"code": code, "vote": [4, 1], "about": "s.t", "majority": "a", "outliers": [outlier]}


def test_a_verdict_is_found_by_code_and_place(tmp_path: Path) -> None:
    file = tmp_path / "pile.toml"
    file.write_text(
        '[[finding]]\ncode = "DRIFT_NULL"\nat = "a.sql:3"\nverdict = "meant"\nreason = "why"\n'
    )
    found = [
        finding("DRIFT_NULL", "./sql/a.sql", 3),
        finding("DRIFT_NULL", "./sql/a.sql", 4),
        finding("DRIFT_JOIN", "./sql/a.sql", 3),
    ]
    rows = judged(found, read(file))
    assert [row.verdict.reason if row.verdict else None for row in rows] == ["why", None, None]
    text = table(rows, found, 1.0, "pile")
    assert "3 contradictions in 3 places" in text
    assert "The first 3, read by hand: 1 meant, 2 not judged." in text
    assert "| 1 | NULL | 4 : 1 | t | `a` | a.sql:3 `a \\| b` | meant: why |" in text
    assert text.count("**not judged**") == 2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[[finding]]\ncode = "A"\nat = "x"\nverdict = "bad"\nreason = "r"\n', "unknown verdict"),
        (
            '[[finding]]\ncode = "A"\nat = "x"\nverdict = "meant"\nreason = "r"\n' * 2,
            "judged twice",
        ),
    ],
)
def test_a_file_of_verdicts_that_says_nonsense_is_an_error(
    text: str, message: str, tmp_path: Path
) -> None:
    file = tmp_path / "pile.toml"
    file.write_text(text)
    with pytest.raises(BenchError, match=message):
        read(file)
    with pytest.raises(BenchError, match="no verdicts"):
        read(tmp_path / "other.toml")


def test_the_almanac_has_at_least_twenty_verdicts() -> None:
    known = read(ALMANAC)
    assert len(known) >= 20
    assert {each.verdict for each in known.values()} <= VERDICTS.keys()
