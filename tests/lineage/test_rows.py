"""Rows beyond all measure: only the first are read, everything around them is, and it is said."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet import cli
from unwet.lineage.parse import Script, parse
from unwet.lineage.rows import KEPT, MOST, long_runs, without
from unwet.lineage.sources import Source
from unwet.lineage.templating import mask
from unwet.rewrite.families import find_families

COUNT = MOST + 2_000
WIDE = "x" * 90  # so that the text is long enough to be looked through


def rows(count: int, last: str = "0", sign: str = ",\n") -> str:
    return sign.join([*(f"({i}, '{WIDE}')" for i in range(count - 1)), f"({last}, 'end')"])


def read(text: str, dialect: str = "postgres") -> Script:
    return parse(mask(Source("a.sql", text)), dialect)


def test_the_first_rows_are_read_and_all_that_stands_around_them() -> None:
    text = f"select 1;\ninsert into t values\n{rows(COUNT)};\nselect a from t"
    script = read(text)
    assert [s.tree.key for s in script.statements] == ["select", "insert", "select"]
    assert len(script.statements[1].tree.expression.expressions) == KEPT
    assert script.statements[1].text.endswith("(0, 'end')"), "the text is whole"
    assert script.statements[2].span.line == text.count("\n") + 1
    (finding,) = script.findings
    assert str(finding) == f"a.sql:2:1: BUDGET only the first 1,000 of {COUNT:,} rows are read"


def test_inserts_that_begin_alike_are_one_run() -> None:
    one = "insert into t (a, b) values "
    text = (
        f"{rows(COUNT, sign=f';{chr(10)}').replace('(', one + '(')};\ninsert into u select a from t"
    )
    script = read(text)
    assert len(script.statements) == KEPT + 1
    (finding,) = script.findings
    assert (finding.at.line, finding.at.end_line) == (KEPT, COUNT)
    assert script.statements[-1].text == "insert into u select a from t"


def test_fewer_rows_and_shorter_texts_are_read_as_they_are() -> None:
    text = f"insert into t values {rows(MOST)}"
    assert len(read(text).statements[0].tree.expression.expressions) == MOST
    assert long_runs("insert into t values " + "(1)," * 20_000 + "(1)", "") == ()


@pytest.mark.parametrize(
    ("row", "dialect"),
    [
        ("('it''s', -1.5e-3, NULL, now(), DATE '2024-01-01', x'00', 1::int)", "postgres"),
        (r"('it\'s', 'a\\', ''')', '); insert into t values (')", "mysql"),
        (r"('C:\', '(')", "postgres"),
        ("(N'a', CAST('1' AS int))", "tsql"),
    ],
)
def test_strings_do_not_end_a_row(row: str, dialect: str) -> None:
    row = row[:-1] + f", '{WIDE}')"
    head, tail = "insert into t values ", " ; select 1"
    text = head + ", ".join([row] * COUNT) + tail
    (run,) = long_runs(text, dialect)
    assert run.rows == COUNT
    assert run.start == len(head) + KEPT * (len(row) + 2) - 2
    assert run.stop == len(text) - len(tail)
    assert without(text, (run,)).split() == [*text[: run.start].split(), *tail.split()]


@pytest.mark.parametrize("odd", ["((select ((a)) from s), 'x')", "(1, -- it's\n 2)", '("a", 1)'])
def test_what_is_no_plain_row_ends_a_run(odd: str) -> None:
    text = f"insert into t values {rows(COUNT)}, {odd}, {rows(COUNT)}"
    (run,) = long_runs(text, "postgres")
    assert run.rows == COUNT
    assert text[run.stop :].startswith(f", {odd}")


def test_rows_that_are_not_read_make_no_copies() -> None:
    made = "create table {} as select a, sum(b) as b from (values {}) as v (a, b) group by a"
    files = [Source(f"{n}.sql", made.format(n, rows(COUNT, last=n))) for n in ("1", "2")]
    assert find_families(files, dialect="postgres") == ()


def test_what_such_rows_fill_is_kept_with_all_of_them(tmp_path: Path) -> None:
    pile = tmp_path / "pile"
    pile.mkdir()
    text = f"create table t (a int, b text);\ninsert into t values {rows(COUNT)};\n"
    (pile / "a.sql").write_text(text)
    done = CliRunner().invoke(cli.main, ["refactor", str(pile), "--out", str(tmp_path / "out")])
    assert done.exit_code == 0
    assert "only the first 1,000 of 12,000 rows are read" in done.stderr
    legacy = (tmp_path / "out" / "legacy" / "a.sql").read_text()
    assert legacy.count(WIDE) == COUNT - 1
