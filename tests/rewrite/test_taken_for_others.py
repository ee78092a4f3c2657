"""Functions that the parser takes for one are several: fixtures/rewrite/taken_for_others."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest

from unwet.lineage.errors import RenderError
from unwet.lineage.pile import load
from unwet.lineage.printing import render
from unwet.lineage.sources import Source
from unwet.rewrite.meaning import Meaning
from unwet.rewrite.prove.judge import proves
from unwet.rewrite.refactor import Request, refactor

FOLDER = Path(__file__).parents[2] / "fixtures" / "rewrite" / "taken_for_others"
FILES = sorted(FOLDER.glob("*.sql"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_each_function_is_one_of_its_own(path: Path) -> None:
    dialect = path.stem.partition("_")[0]
    meaning = Meaning(load([Source("r.sql", path.read_text(), dialect)], dialect))
    reports = meaning.state.reports
    assert len(reports) == path.read_text().count(";")
    for one, other in combinations(reports, 2):
        left, right = one.definition.plan, other.definition.plan
        assert left is not None and right is not None
        assert not proves(left, right, meaning.normalizer), (one.name, other.name)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_models_say_the_same_function(path: Path, tmp_path: Path) -> None:
    dialect = path.stem.partition("_")[0]
    lines = path.read_text().splitlines()[1:]
    for at, line in enumerate(lines):
        pile = load([Source("r.sql", line, dialect)], dialect)
        found = refactor(pile, Request(out=tmp_path / str(at), generated=None))
        assert found.verdicts[0].outcome in ("proved", "order-dependent")
        [model] = (tmp_path / str(at) / "models").rglob("r.sql")
        function = line.removeprefix("SELECT ").partition(" AS ")[0]
        assert function.lower() in model.read_text().lower()


def test_what_nothing_tells_apart_is_not_written() -> None:
    sql = "SELECT SYSTEM_USER AS a, CURRENT_USER AS b FROM s.t"
    [statement] = load([Source("r.sql", sql, "tsql")], "tsql").scripts[0].statements
    with pytest.raises(RenderError, match="CURRENT_USER or SYSTEM_USER"):
        render(statement.tree, "tsql")
