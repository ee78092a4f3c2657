"""Configuration files: found, checked, and never silently misread."""

import re
from pathlib import Path

import pytest

from unwet.lineage.config import Config, Intended, Sharing, read_config
from unwet.lineage.errors import BadConfig, PathNotFound


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    assert read_config(None, tmp_path) == Config(home=str(tmp_path))


def test_unwet_toml_is_found(tmp_path: Path) -> None:
    (tmp_path / "unwet.toml").write_text(
        'dialect = "tsql"\nschema = "s.json"\n[params]\ncdm = "main"\nn = 3\n'
    )
    found = read_config(None, tmp_path)
    assert found.dialect == "tsql"
    assert found.schema == str(tmp_path / "s.json")
    assert found.params == {"cdm": "main", "n": "3"}


def test_what_is_intended(tmp_path: Path) -> None:
    text = '[[intended]]\npath = "a/*.sql"\nreason = "so agreed"\ncode = "DRIFT_JOIN"\n'
    (tmp_path / "unwet.toml").write_text(text)
    found = read_config(None, tmp_path).intended
    assert found == (Intended("a/*.sql", "so agreed", "DRIFT_JOIN", ""),)


def test_a_word_stands_for_all_codes_that_begin_with_it(tmp_path: Path) -> None:
    text = '[[intended]]\npath = "a/*.sql"\nreason = "so agreed"\ncode = "drift"\n'
    (tmp_path / "unwet.toml").write_text(text)
    [found] = read_config(None, tmp_path).intended
    assert found.fits("DRIFT_JOIN", "a/x.sql", "") and found.fits("DRIFT_LITERAL", "a/x.sql", "")


def test_pyproject_counts_only_with_its_table(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.other]\nx = 1\n")
    assert read_config(None, tmp_path) == Config(home=str(tmp_path))
    (tmp_path / "pyproject.toml").write_text('[tool.unwet]\ndialect = "mysql"\n')
    assert read_config(None, tmp_path).dialect == "mysql"


@pytest.mark.parametrize(
    ("text", "message", "help"),
    [
        ("dialekt = 'x'", "unknown setting: dialekt", "did you mean dialect?"),
        ("zzz = 1", "unknown setting: zzz", "known settings"),
        ("dialect = 3", "dialect must be a text", ""),
        ("params = 3", "params must be a table", ""),
        ("dialect = 'x'\ny = ]\n", "unwet.toml:2:5: ", "TOML"),
        ("intended = 3", "needs a path and a reason", ""),
        ("[[intended]]\npath = 'a'", "needs a path and a reason", ""),
        ("[[intended]]\npath = 'a'\nreason = ' '", "reason in [[intended]] must be", ""),
        ("[[intended]]\npath = 'a'\nreason = 'b'\nline = 3", "unknown setting in", "expression"),
        (
            "[[intended]]\npath = 'a'\nreason = 'b'\ncode = 'DRIFTY'",
            "unwet.toml:4: code in [[intended]] is no code of a contradiction: DRIFTY",
            "known: DRIFT",
        ),
        (
            "[[intended]]\npath = 'a'\nreason = 'b'\ncode = 'PARSE'",
            "unwet.toml:4: code in [[intended]] is no code of a contradiction: PARSE",
            "DRIFT_JOIN",
        ),
        ("sharing = 3", "sharing must be a table", "write [sharing]"),
        ("[sharing]\nmax_params = 3", "unknown setting in [sharing]: max_params", "max_parameters"),
        (
            "[sharing]\nmin_uses = 1",
            "min_uses in [sharing] must be a number, 2 or more",
            "min_uses = 2",
        ),
        ("[sharing]\nmin_lines = true", "min_lines in [sharing] must be a number", "min_lines = 5"),
        ("[sharing]\nmax_parameters = '5'", "max_parameters in [sharing] must be a number", "= 5"),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, message: str, help: str) -> None:
    (tmp_path / "unwet.toml").write_text(text)
    with pytest.raises(BadConfig) as caught:
        read_config(None, tmp_path)
    assert message in caught.value.message
    assert help in caught.value.help


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("# a comment\n\ndialect = 3", 3),
        ("drift = true\n[params]\nx = [1]", 2),
        ("[sharing]\nmin_uses = 2\nmin_lines = 0", 3),
        ("[[intended]]\npath = 'a'\nreason = 'b'\n[[intended]]\npath = 'c'", 4),
        ("[[intended]]\npath = 'a'\nreason = 'b'\n[[intended]]\npath = 'c'\nreason = 1", 6),
        ("dialect = 'x'\nintended = [{path = 'a'}]", 2),
    ],
)
def test_mistakes_are_told_with_their_line(tmp_path: Path, text: str, line: int) -> None:
    (tmp_path / "unwet.toml").write_text(text)
    with pytest.raises(BadConfig, match=rf"unwet\.toml:{line}: "):
        read_config(None, tmp_path)
    inside = re.sub(r"(?m)^(\[+)", r"\1tool.unwet.", text)
    (tmp_path / "pyproject.toml").write_text(f"[tool.unwet]\n{inside}")
    (tmp_path / "unwet.toml").unlink()
    with pytest.raises(BadConfig, match=rf"pyproject\.toml:{line + 1}: "):
        read_config(None, tmp_path)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(PathNotFound):
        read_config(str(tmp_path / "no.toml"), tmp_path)


def test_what_a_check_is_about_counts_from_the_file(tmp_path: Path) -> None:
    (tmp_path / "unwet.toml").write_text('paths = ["models", "sql"]\nbaseline = "known.json"\n')
    found = read_config(None, tmp_path)
    assert found.paths == (str(tmp_path / "models"), str(tmp_path / "sql"))
    assert (found.baseline, found.home) == (str(tmp_path / "known.json"), str(tmp_path))


def test_what_pays_has_defaults(tmp_path: Path) -> None:
    (tmp_path / "unwet.toml").write_text("[sharing]\nmax_parameters = 2\n")
    assert read_config(None, tmp_path).sharing == Sharing(max_parameters=2)
