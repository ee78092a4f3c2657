"""`unwet check` as people and hooks call it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from unwet import cli
from unwet.rewrite.check.formats import NAMES
from unwet.tests.rewrite.check.piles import AGAIN, OTHER, QUERY, write


@pytest.fixture(autouse=True)
def pile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, {"a.sql": QUERY, "b.sql": AGAIN, "c.sql": OTHER,
                     "unwet.toml": 'dialect = "postgres"\n'})  # fmt: skip
    return tmp_path


def unwet(*words: str, ci: str = "") -> Result:
    return CliRunner(env={"CI": ci}).invoke(cli.main, ["check", *words])


def test_a_copy_in_a_changed_file_is_exit_1() -> None:
    done = unwet("b.sql", "--format", "concise")
    assert done.exit_code == 1
    assert done.stdout.splitlines()[0] == "b.sql:1:1: DUP_EXACT this is `a.sql:1-7` again"


def test_nothing_to_tell_is_exit_0() -> None:
    done = unwet("c.sql")
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "words", [("no.sql",), ("-",), ("--format", "xml"), ("--dialect", "klingon")]
)
def test_wrong_use_is_exit_2(words: tuple[str, ...]) -> None:
    assert unwet(*words).exit_code == 2


def test_the_formats_are_those_that_there_are() -> None:
    formats = next(p for p in cli.main.commands["check"].params if p.name == "format").type
    assert tuple(formats.choices) == NAMES  # type: ignore[attr-defined]
    for name in NAMES:
        done = unwet("b.sql", "--format", name)
        assert done.exit_code == 1 and done.stdout, name


def test_json_has_what_is_promised() -> None:
    (finding,) = json.loads(unwet("b.sql", "--format", "json").stdout)["findings"]
    assert {"code", "path", "line", "column", "end_line", "message", "others"} <= finding.keys()


def test_the_index_is_in_a_folder_that_nobody_commits(pile: Path) -> None:
    unwet("b.sql", "--no-index")
    assert not (pile / ".unwet_cache").exists()
    unwet("b.sql")
    assert (pile / ".unwet_cache" / ".gitignore").read_text() == "*\n"


def test_without_an_index_it_works_and_says_so_when_asked(pile: Path) -> None:
    (pile / ".unwet_cache").write_text("in the way")
    assert unwet("b.sql", "-q").exit_code == 1
    assert unwet("b.sql").stderr == ""
    assert unwet("b.sql", "-v").stderr.startswith(f"no index in {pile}/.unwet_cache")


def test_a_baseline_lets_old_problems_be(pile: Path) -> None:
    done = unwet("--update-baseline")
    assert done.exit_code == 0
    assert done.stderr == ".unwet-baseline.json: 2 problems in 2 files (before: 0)\n"
    assert [unwet(*words).exit_code for words in ((), ("a.sql",), ("b.sql",))] == [0, 0, 0]
    write(pile, {"d.sql": AGAIN})
    assert unwet("d.sql").exit_code == 1
    assert unwet("a.sql", "b.sql", "c.sql").exit_code == 0


def test_one_entry_is_told_as_one(pile: Path) -> None:
    unwet("--update-baseline")
    write(pile, {"b.sql": "select 1 as one\n"})
    said = (
        ".unwet-baseline.json: 1 entry that nobody needs any more; --update-baseline takes it out"
    )
    assert unwet("b.sql").stderr == f"{said}\n"


@pytest.mark.parametrize(("words", "ci"), [(("--ci",), ""), ((), "true")])
def test_in_ci_a_baseline_shrinks(pile: Path, words: tuple[str, ...], ci: str) -> None:
    unwet("--update-baseline")
    write(pile, {"b.sql": "select 1 as one\n", "d.sql": "select from (\n"})
    calm = unwet("a.sql", "b.sql", "c.sql")
    assert calm.exit_code == 0
    assert "2 entries that nobody needs any more; --update-baseline" in calm.stderr
    strict = unwet("a.sql", "b.sql", "c.sql", "--format", "concise", *words, ci=ci)
    assert strict.exit_code == 1
    assert strict.stdout.count("BASELINE_STALE") == 2
    assert unwet("--update-baseline", *words, ci=ci).exit_code == 0
    assert json.loads(Path(".unwet-baseline.json").read_text())["problems"] == {}
    assert unwet("--format", "concise", *words, ci=ci).stdout.startswith("d.sql:1:13: PARSE")


def test_a_baseline_that_is_none_is_wrong_use(pile: Path) -> None:
    write(pile, {".unwet-baseline.json": "<<<<<<< HEAD\n"})
    done = unwet("b.sql")
    assert done.exit_code == 2
    assert "is not valid JSON" in done.stderr and "--update-baseline" in done.stderr


def test_the_configuration_names_pile_and_baseline(pile: Path) -> None:
    settings = 'dialect = "postgres"\npaths = ["sql"]\nbaseline = "conf/known.json"\n'
    write(pile, {"sql/a.sql": QUERY, "sql/b.sql": AGAIN, "conf/x": "", "unwet.toml": settings})
    assert unwet("a.sql").exit_code == 0
    assert unwet("sql/a.sql").exit_code == 1
    assert unwet("--update-baseline").exit_code == 0
    assert list(json.loads(Path("conf/known.json").read_text())["problems"]) == [
        "../sql/a.sql",
        "../sql/b.sql",
    ]
    assert unwet("sql/a.sql").exit_code == 0
    write(pile, {"unwet.toml": 'paths = "sql"\n'})
    assert unwet("sql/a.sql").exit_code == 2


def test_when_nothing_changed_nothing_heavy_is_imported(pile: Path) -> None:
    unwet("b.sql")
    program = (
        "import sys\nfrom unwet.cli import main\n"
        "try:\n    main(['check', 'b.sql', '--format', 'concise'])\n"
        "finally:\n    print(*sorted({m.partition('.')[0] for m in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=pile)
    told, *_, modules = done.stdout.splitlines()
    assert "DUP_EXACT" in told
    assert {"sqlglot", "networkx", "duckdb", "rich", "yaml", "jinja2"} & {*modules.split()} == set()
