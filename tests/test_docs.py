"""The pages show what unwet really prints."""

import fcntl
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet.cli import main as cli
from unwet.docs import walk

ROOT = Path(__file__).resolve().parents[1]
LINK = re.compile(r"\]\((?!https?:|#)([^)#]+)\)")
FILE = re.compile(r"`((?:lineage|rewrite|fixtures|docs|bench|tests)/[\w./-]*)`")


@pytest.mark.parametrize("page", walk.PAGES)
def test_the_output_in_a_page_is_up_to_date(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    with (ROOT / "docs/walk.py").open() as own:
        fcntl.flock(own, fcntl.LOCK_EX)  # two at once would go on with each other's runs on data
        now = walk.refreshed(text, walk.SLOW)
    assert now == text, "run: python docs/walk.py --write"


@pytest.mark.parametrize("page", walk.PAGES)
def test_what_a_page_points_to_is_there(page: str) -> None:
    text = (ROOT / page).read_text("utf-8")
    prose = re.sub(r"(?ms)^```.*?^```$", "", walk.BLOCK.sub("", text))
    for link in LINK.findall(prose):
        assert ((ROOT / page).parent / link).exists(), link
    for name in FILE.findall(prose):
        assert (ROOT / name).exists(), name


def test_every_block_is_shown_somewhere() -> None:
    shown = {found[1] for page in walk.PAGES for found in walk.BLOCK.finditer(
        (ROOT / page).read_text("utf-8"))}  # fmt: skip
    assert shown == set(walk.BLOCKS)


def test_a_stale_block_is_made_anew_and_prose_stays() -> None:
    stale = "before\n<!-- begin scan -->\nold\n<!-- end scan -->\nafter\n"
    new = walk.refreshed(stale)
    assert new.startswith("before\n<!-- begin scan -->\n```console\n$ unwet scan pile")
    assert new.endswith("<!-- end scan -->\nafter\n")
    assert walk.refreshed(stale, frozenset({"scan"})) == stale
    with pytest.raises(KeyError):
        walk.refreshed("<!-- begin nonsense -->\n<!-- end nonsense -->")


def test_a_changed_join_is_seen_in_the_page() -> None:
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    wrong = next(found[0] for found in walk.BLOCK.finditer(page) if found[1] == "wrong")
    assert "failed  reporting.revenue_de (2 rows before, 1 after)" in wrong
    assert "- 2, Bo, 0" in wrong


PICTURES = ("--dialect", "postgres", "--table", "reporting.revenue_de", "--upstream")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--check", "docs/pictures.md"),
        ("fixtures/walk/pile", *PICTURES, "--kinds", "all", "--check", "docs/revenue_de.svg"),
    ],
)
def test_the_lineage_in_a_page_is_up_to_date(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(cli, ["lineage", *arguments])
    assert done.exit_code == 0, done.output
