"""What MIGRATION.md says of folders is true of the project."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet.cli import main
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor
from unwet.rewrite.targets.replaced import as_one
from unwet.rewrite.targets.where_shared import where_shared

COPY = """\
-- Revenue of {0}
-- TODO ask Anna
CREATE VIEW rep.revenue_{0} AS
SELECT o.customer_id, SUM(o.total) AS revenue, COUNT(*) AS n, MAX(o.day) AS last
FROM shop.orders o JOIN shop.customers c ON c.id = o.customer_id
WHERE c.country = '{0}' AND o.status <> 'cancelled'
GROUP BY o.customer_id;
"""


@pytest.mark.parametrize("target", ["dbt", "sqlmesh", "views"])
def test_only_folders_that_are_there_are_told(target: str) -> None:
    sources = [Source(f"{name}.sql", COPY.format(name)) for name in ("at", "ch", "de")]
    files = refactor(load(sources, "postgres"), Request(target=target)).files
    text = files["MIGRATION.md"]
    for folder in ("models/staging/", "models/intermediate/", "views/intermediate/", "macros/"):
        assert (folder in text) == any(path.startswith(folder) for path in files)
    if target == "sqlmesh":
        assert "3 models, 0 shared models, 0 macros, 1 file of blueprints." in text
        assert "the blueprints of one file there." in text
        assert "about := 'Revenue of at; TODO ask Anna. Replaces at.sql:" in "".join(files.values())


def test_one_folder_and_several() -> None:
    paths = ["models/staging/a.sql", "models/intermediate/_models.yml", "macros/m.sql"]
    said = where_shared("A report is a model", "models", paths)
    assert said == (
        "A report is a model; what several share is below models/staging/ (one source, cleaned) "
        "and macros/."
    )
    assert where_shared("A report is a view", "views", []) == "A report is a view."


def test_comments_of_two_thoughts_are_set_apart() -> None:
    assert as_one(["Big spenders", "TODO ask Anna", "or Bo"]) == "Big spenders; TODO ask Anna or Bo"
    assert as_one(["Done.", "All of it:", "Yes"]) == "Done. All of it: Yes"
    long = "this is a long line that goes on in the next one, where the word"
    assert as_one([long, "Germany stands"]) == f"{long} Germany stands"
    assert as_one([]) == ""


def test_a_project_of_no_dialect_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.sql").write_text("SELECT 1 AS x")
    ask = ["refactor", str(tmp_path / "a.sql"), "--out"]
    told = "no dialect was given: the project is in SQL of no engine"
    assert told in CliRunner().invoke(main, [*ask, str(tmp_path / "one")]).stderr
    with_one = CliRunner().invoke(main, [*ask, str(tmp_path / "two"), "--dialect", "postgres"])
    assert told not in with_one.stderr
