"""`--param`: names that nothing asks for, and values that a project was made with."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from unwet import cli, verify

PILE = {
    "a.sql": "create view v as select a from s.t where x >= {{ least }};\n",
    "b.sql": "select a, least from v where d = '${day}' and e = @when and f = %(one)s;\n",
}


def run(*args: str | Path) -> Result:
    return CliRunner().invoke(cli.main, [str(arg) for arg in args])


@pytest.fixture
def pile(tmp_path: Path) -> Path:
    folder = tmp_path / "pile"
    folder.mkdir()
    for name, text in PILE.items():
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("command", ["scan", "lineage", "dups"])
@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "wh",
            "--param wh: is put in as the beginning of @when; if that is not meant, write "
            "--param when=VALUE",
        ),
        ("leest", "--param leest: nothing that was read has a place for it; did you mean least?"),
        ("d", "--param d: nothing that was read has a place for it"),
        ("least", ""),
        ("day", ""),
        ("when", ""),
        ("one", ""),
    ],
)
def test_a_name_that_no_placeholder_has_is_said(
    pile: Path, command: str, name: str, told: str
) -> None:
    done = run(command, pile, "--dialect", "bigquery", "--param", f"{name}=1")
    assert done.exit_code == (1 if (name, command) == ("wh", "scan") else 0)  # 1en is no value
    said = [line for line in done.stderr.splitlines() if line.startswith("--param")]
    assert said == ([told] if told else [])
    assert not run(command, pile, "--param", f"{name}=1", "-q").stderr


@pytest.mark.parametrize(
    ("given", "told", "help"),
    [
        (["least = 5"], "--param 'least = 5': a name has no blanks", "write --param least=5"),
        (["=50"], "--param =50 has no name", "write --param NAME=VALUE"),
        ([" =50"], "--param ' =50' has no name", "write --param NAME=VALUE"),
        (["="], "--param = has no name", "write --param NAME=VALUE"),
        ([""], "--param '' has no name", "write --param NAME=VALUE"),
        (["least"], "--param least has no value", "write --param NAME=VALUE"),
        (
            ["least=5", "least=6"],
            "--param least is given twice: 5 and 6",
            "a placeholder has one value in a run",
        ),
    ],
)
def test_what_is_no_value_for_a_name_is_an_error(
    pile: Path, given: list[str], told: str, help: str
) -> None:
    done = run("scan", pile, *(f"--param={each}" for each in given))
    assert done.exit_code == 2
    assert done.stderr.splitlines()[:2] == [f"error: {told}", f"help: {help}"]


def test_a_value_may_have_blanks_and_be_said_again(pile: Path) -> None:
    assert run("scan", pile, "--param", "day= a = b ", "--param", "day= a = b ").exit_code == 0


def test_names_of_the_configuration_serve_others_too(
    pile: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pile / "unwet.toml").write_text('[params]\nleest = "1"\n')
    monkeypatch.chdir(pile)
    assert "leest" not in run("scan").stderr


def test_verify_takes_the_values_that_the_project_was_made_with(pile: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("refactor", pile, "--out", out, "--param", "least=50", "--param", "none=1")
    done = run("verify", pile, out)
    assert done.stdout.startswith("proved  b\nproved  v\n")
    made = "least=50, as the project was made; --param least=VALUE for another value"
    assert done.stderr.splitlines() == [made]
    assert [each.verdict for each in verify(pile, out).reports] == ["proved", "proved"]
    other = run("verify", pile, out, "--param", "least=60", "--param", "leest=50")
    assert "failed  v" in other.stdout
    assert other.stderr.splitlines()[:2] == [
        "--param least=60: the project was made with 50",
        "--param leest: nothing that was read has a place for it; did you mean least?",
    ]


def test_a_variable_of_the_project_is_a_name_too(pile: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("refactor", pile, "--out", out, "--param", "least=50")
    model = out / "models" / "marts" / "v.sql"
    model.write_text(model.read_text().replace("50", "{{ var('lowest') }}"))
    done = run("verify", pile, out, "--param", "lowest=50", "--param", "least=50")
    assert done.stdout.startswith("proved  b\nproved  v\n")
    assert not done.stderr


def test_who_swaps_pile_and_project_is_told_so(pile: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    run("refactor", pile, "--out", out)
    done = run("verify", out, pile)
    assert done.exit_code == 2
    assert done.stderr == (
        f"error: no project in {pile}\nhelp: {out} is one: the pile comes first, then the project\n"
    )
    assert "it has none of these files" in run("verify", pile, pile).stderr
