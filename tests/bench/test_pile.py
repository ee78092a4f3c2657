"""SqlRender's parameters and conditions, as far as Achilles uses them."""

from pathlib import Path

import pytest

from bench.achilles.pile import PARAMS, read, render
from bench.errors import BenchError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("from @cdmDatabaseSchema.person", "from cdm.person"),
        ("@scratchDatabaseSchema@schemaDelim@tempAchillesPrefix_dist_7", "scratch.tmpach_dist_7"),
        ("{@cdmVersion in ('5.4')} ? {a} : {b}", "b"),
        ("{@cdmVersion in ('5.3', '5.4')}?{a}:{b}", "a"),
        ("{@cdmVersion == '5.3'}?{a;}x", "a;x"),
        ("{@cdmVersion != '5.3'}?{a}x", "x"),
        ("1 {@cdmVersion == '5.3'}?{2 {@cdmVersion in ('5')} ?\n{3}\n:\n{4} 5}", "1 2 4 5"),
        ("{@unknown}?{a}:{b}", "{@unknown}?{a}:{b}"),
        ("select '{}'", "select '{}'"),
    ],
)
def test_render(text: str, expected: str) -> None:
    assert render(text, PARAMS) == expected


def test_a_brace_that_is_not_closed_is_an_error() -> None:
    with pytest.raises(BenchError, match="not closed"):
        render("{@cdmVersion == '5'}?{a")


def test_files_come_in_numeric_order_and_templates_are_known(tmp_path: Path) -> None:
    (tmp_path / "10.sql").write_text("select 10 -- by @somebody")
    (tmp_path / "9.sql").write_text("select 9 from @cdmDatabaseSchema.person")
    (tmp_path / "merge.sql").write_text("select @fieldNames")
    files = read(tmp_path)
    assert [file.path.name for file in files] == ["9.sql", "10.sql", "merge.sql"]
    assert [file.holes for file in files] == [(), (), ("@fieldNames",)]


def test_a_folder_without_sql_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BenchError, match=r"no \.sql files"):
        read(tmp_path)
    with pytest.raises(BenchError, match="no such folder"):
        read(tmp_path / "nowhere")
