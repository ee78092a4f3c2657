"""The decisions file: what it may say, and what is told of one that says something else."""

from pathlib import Path

import pytest

from unwet.lineage.errors import BadDecision, PathNotFound
from unwet.rewrite.decisions.file import NONE, read_decisions
from unwet.rewrite.decisions.resolution import Resolution

GOOD = """\
# who decided what
[[drift]]
code = "DRIFT_JOIN"
path = "reports/nl.sql"
expression = "JOIN   orders"
decided = "majority"
date = 2026-03-01
reason = "customers without orders count"
changes = { Customers_NL = ["Revenue", "id"] }

[[drift]]
code = "DRIFT_LITERAL"
path = "de.sql"
expression = "0.16"
about = "tax"
sql = "0.19"
date = "2026-03-02"
reason = "the rate of 2024"
[drift.changes]
tax_de = ["*"]
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "unwet-decisions.toml"
    path.write_text(text)
    return path


def test_decisions_are_read_in_their_order(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD)
    first, second = read_decisions(path).resolutions
    assert first == Resolution(
        at=f"{path}:2",
        drift="DRIFT_JOIN",
        path="reports/nl.sql",
        expression="JOIN   orders",
        about="",
        sql="",
        date="2026-03-01",
        reason="customers without orders count",
        changes=(("customers_nl", ("id", "revenue")),),
    )
    assert (second.at, second.sql, second.about) == (f"{path}:11", "0.19", "tax")
    assert second.changes == (("tax_de", ("*",)),)


def test_a_place_is_a_code_a_file_and_words_but_no_line(tmp_path: Path) -> None:
    first, _ = read_decisions(written(tmp_path, GOOD)).resolutions
    assert first.fits("DRIFT_JOIN", "/pile/reports/nl.sql", "JOIN orders")
    assert not first.fits("DRIFT_JOIN", "/pile/other/nl.sql", "JOIN orders")
    assert not first.fits("DRIFT_JOIN", "reports/nl.sql", "JOIN orders_2")
    assert not first.fits("DRIFT_FILTER", "reports/nl.sql", "JOIN orders")


def test_without_a_file_nothing_is_decided(tmp_path: Path) -> None:
    assert read_decisions(None) == NONE
    assert read_decisions(written(tmp_path, "")) == NONE
    with pytest.raises(PathNotFound):
        read_decisions(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ('code = "DRIFT_JOIN"', 'code = "DUP"', 3, "no code of a contradiction: DUP"),
        ('code = "DRIFT_JOIN"', 'code = "DRIFT_JIN"', 3, "no code of a contradiction: DRIFT_JIN"),
        ('code = "DRIFT_JOIN"', "", 2, "[[drift]] needs code"),
        ('decided = "majority"', 'decided = "mine"', 6, "decided can only be 'majority'"),
        ('decided = "majority"', "", 2, "[[drift]] needs either"),
        ('sql = "0.19"', 'sql = "0.19"\ndecided = "majority"', 11, "[[drift]] needs either"),
        ("date = 2026-03-01", "date = 20260301", 7, "date must be a date, not '20260301'"),
        ("date = 2026-03-01", 'date = "soon"', 7, "date must be a date, not 'soon'"),
        ("date = 2026-03-01", "date = 2026-03-01T10:00:00", 7, "date must be a date"),
        ('reason = "customers without orders count"', 'reason = " "', 8, "reason must be a text"),
        ('reason = "customers', 'raeson = "customers', 8, "unknown key in [[drift]]: raeson"),
        ('["Revenue", "id"]', "[]", 9, "changes: the columns of Customers_NL are no list"),
        ('["Revenue", "id"]', '["*", "id"]', 9, "changes: the columns of Customers_NL are no list"),
        ('["Revenue", "id"]', "[1]", 9, "changes: the columns of Customers_NL are no list"),
        ('{ Customers_NL = ["Revenue", "id"] }', '["id"]', 9, "changes must be a table of report"),
        ("tax_de", "[drift.other]\ntax_de", 20, "unknown key in [[drift]]: other"),
        ("# who decided what", "[[dirft]]\na = 1", 1, "unknown kind of decision: dirft"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(
    tmp_path: Path, old: str, new: str, line: int, message: str
) -> None:
    path = written(tmp_path, GOOD.replace(old, new, 1))
    with pytest.raises(BadDecision) as error:
        read_decisions(path)
    assert error.value.message.startswith(f"{path}:{line}: {message}")


def test_a_decision_is_one_of_many(tmp_path: Path) -> None:
    path = written(tmp_path, "\n[drift.a]\nb = 1\n")
    with pytest.raises(BadDecision) as error:
        read_decisions(path)
    assert error.value.message == f"{path}:2: write [[drift]] above each decision"


def test_no_toml_is_told_as_such(tmp_path: Path) -> None:
    path = written(tmp_path, "[[drift]\n")
    with pytest.raises(BadDecision, match=r"\.toml:1:8: Expected"):
        read_decisions(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(BadDecision, match="utf-8"):
        read_decisions(path)
