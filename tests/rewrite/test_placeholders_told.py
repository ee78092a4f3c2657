"""A placeholder without a value is told as one, not by what stands for it while SQL is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from unwet import refactor, verify

WRITTEN = {"duckdb": (":lo", "{{ lo }}", "${lo}"), "tsql": ("@lo",)}


@pytest.mark.parametrize("target", ["dbt", "sqlmesh"])
@pytest.mark.parametrize(
    ("dialect", "lo"), [(dialect, lo) for dialect, some in WRITTEN.items() for lo in some]
)
def test_a_placeholder_is_told_by_its_name(
    dialect: str, lo: str, target: str, tmp_path: Path
) -> None:
    pile, out = tmp_path / "pile", tmp_path / "out"
    pile.mkdir()
    (pile / "a.sql").write_text(f"SELECT g, SUM(v) AS s FROM t WHERE v > {lo} GROUP BY g")
    refactor(str(pile), str(out), dialect=dialect, target=target)
    models = [path for path in out.rglob("*.sql") if "v >" in path.read_text()]
    assert models
    for path in models:
        text = path.read_text()
        assert "p__p__" not in text
        path.write_text(text.replace("v >", "v >="))
    [found] = verify(str(pile), str(out), dialect=dialect).reports
    assert "p__" not in found.reason
    assert "not proved: :lo < v against :lo <= v" in found.reason
