"""The page of it all: what stands on it, that nothing breaks out of it, and where it leads to."""

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet import cli
from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite import refactor, verify
from unwet.rewrite.checked import Checked
from unwet.rewrite.overview.content import Overview, shares
from unwet.rewrite.overview.gather import overview
from unwet.rewrite.overview.links import Links
from unwet.rewrite.overview.page import page

HOME = Path(__file__).parents[2] / "fixtures" / "walk"
EVIL = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


class Seen(HTMLParser):
    """The elements of a page, with their attributes; and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self) -> list[str]:
        return [str(found["href"]) for tag, found in self.elements if tag == "a"]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Overview:
    """The small pile and the project that came of it."""
    folder = tmp_path_factory.mktemp("overview") / "project"
    pile = load(HOME / "pile", "postgres")
    data, values = str(HOME / "data"), {"least": "50"}
    refactor.refactor(pile, refactor.Request(folder, "shop", "duckdb", data, values=values))
    return overview(pile, (), verify.Request(folder, "", data, values))


def test_kept_reports_are_said_to_have_no_model_or_one_of_which_nothing_is_shown() -> None:
    def kept(model: str) -> Checked:
        return Checked("a", "a", "a.sql", 1, model, "kept")

    none, some = "no model: the old script stays", "a model that nothing is shown of"
    told = [[share.meaning for share in shares(reports)] for reports in (
        [kept("")], [kept("a")], [kept("a"), kept("")],
    )]  # fmt: skip
    assert told == [[none], [some], [f"{none}, or {some}"]]


def test_everything_is_on_it(found: Overview) -> None:
    seen = Seen(page(found, Links()))
    for word in ("Contradictions", "Copies", "Reports", "Kept as they were", "Assumptions"):
        assert word in seen.text
    assert found.rewriting is not None
    for report in found.rewriting.reports:
        assert (report.relation or report.name) in seen.text
        assert report.verdict in seen.text
    for text in found.rewriting.assumptions:
        assert text in seen.text
    for family in found.copies.families:
        assert f"family-{family.id}" in [attributes.get("id") for _, attributes in seen.elements]
        for hole in family.holes:
            assert all(value in seen.text for value in hole.values)


@pytest.mark.parametrize("target", ["dbt", "sqlmesh", "views"])
def test_sizes_are_those_of_the_refactoring(tmp_path: Path, target: str) -> None:
    pile = load(HOME / "pile", "postgres")
    request = refactor.Request(tmp_path / "p", "shop", "duckdb", target=target)
    made = refactor.refactor(pile, request)
    found = overview(pile, (), verify.Request(tmp_path / "p"))
    assert found.rewriting is not None
    assert found.rewriting.before == made.before.lines
    assert found.rewriting.after == made.after.lines
    built = tmp_path / "p" / "target" / "compiled.sql"
    built.parent.mkdir()
    built.write_text("select 1\n" * 100)  # what dbt makes of it is not what a maintainer reads
    again = overview(pile, (), verify.Request(tmp_path / "p"))
    assert again.rewriting is not None
    assert again.rewriting.after == made.after.lines


def test_without_a_project_there_are_no_verdicts() -> None:
    found = overview(load(HOME / "pile", "postgres"))
    seen = Seen(page(found, Links()))
    assert found.rewriting is None
    assert "reporting.revenue_de" in seen.text
    assert "Kept as they were" not in seen.text
    assert not any("verdict" in str(attributes.get("class")) for _, attributes in seen.elements)


def test_nothing_breaks_out_of_it() -> None:
    sql = f"""create table "{EVIL}" as select a from t where b = '{EVIL}' and c > 1 and d > 2;
    create table two as select a from t where b = 'x' and c > 1 and d > 2;
    select '{EVIL}' from from"""
    pile = load([Source(f"{EVIL}.sql", sql, "postgres"), Source("javascript:alert(1).sql", sql)])
    text = page(overview(pile), Links())
    seen = Seen(text)
    assert [tag for tag, _ in seen.elements].count("script") == 1
    assert not [tag for tag, _ in seen.elements if tag in ("img", "iframe", "object")]
    assert not [name for _, found in seen.elements for name in found if name.startswith("on")]
    assert EVIL in seen.text
    assert all(link.startswith(("./", "#")) for link in seen.links())


def test_only_its_own_style_and_script_may_act(found: Overview) -> None:
    text = page(found, Links())
    policy = next(
        str(attributes["content"])
        for tag, attributes in Seen(text).elements
        if tag == "meta" and "http-equiv" in attributes
    )
    assert policy.startswith("default-src 'none';")
    for element, source in (("style", "style-src"), ("script", "script-src")):
        (body,) = re.findall(rf"(?s)<{element}>(.*?)</{element}>", text)
        hashed = b64encode(sha256(body.encode()).digest()).decode()
        assert f"{source} 'sha256-{hashed}'" in policy
    assert not re.search(r"(?:src|href)=\"(?:https?:)?//", text)
    assert " style=" not in text  # which the policy would not let through


@pytest.mark.parametrize(
    ("links", "path", "address"),
    [
        (Links(), "pile/a.sql", "./pile/a.sql"),
        (Links(base="../../"), "pile/a b#1?.sql", "../../pile/a%20b%231%3F.sql"),
        (Links(), "/home/x/a.sql", "/home/x/a.sql"),
        (Links("https://x.org/{path}#L{line}"), "pile/a.sql", "https://x.org/pile/a.sql#L7"),
        (Links("vscode://file{abspath}:{line}", root="/home/me"), "a.sql",
         "vscode://file/home/me/a.sql:7"),
        (Links("vscode://file{abspath}:{line}", root="/home/me"), "/b.sql",
         "vscode://file/b.sql:7"),
        (Links("vscode://file{abspath}", root="C:/me"), "a.sql", "vscode://file/C:/me/a.sql"),
        (Links(), "javascript:alert(1)", "./javascript%3Aalert%281%29"),
        (Links(), "{line}", "./%7Bline%7D"),
    ],
)  # fmt: skip
def test_where_a_place_leads_to(links: Links, path: str, address: str) -> None:
    assert links.to(path, 7) == address


def test_the_command(tmp_path: Path) -> None:
    out = tmp_path / "pages" / "report.html"
    out.parent.mkdir()
    args = ["report", str(HOME / "pile"), "--dialect", "postgres", "--lineage", "lineage.html"]
    done = CliRunner().invoke(cli.main, [*args, "--out", str(out), "--title", "Ours"])
    assert done.exit_code == 0, done.output
    seen = Seen(out.read_text("utf-8"))
    assert "Ours" in seen.text
    assert "lineage.html" in seen.links()
    assert CliRunner().invoke(cli.main, [*args, "-q"]).stdout.startswith("<!doctype html>")


@pytest.mark.parametrize("path", [".", "./", "../pile"])
def test_the_heading_is_the_name_of_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    (tmp_path / "pile").mkdir()
    (tmp_path / "pile" / "a.sql").write_text("select 1 as x")
    monkeypatch.chdir(tmp_path / "pile")
    page = CliRunner().invoke(cli.main, ["report", path, "-q"]).stdout
    heading = "../pile" if path == "../pile" else "pile"
    assert f"<title>{heading}</title>" in page


def test_wrong_use_of_the_command(tmp_path: Path) -> None:
    def told(*words: str) -> str:
        done = CliRunner().invoke(cli.main, ["report", str(HOME / "pile"), *words])
        assert done.exit_code == 2
        return done.stderr

    assert "--data and --to-dialect need --project" in told("--data", "x.duckdb")
    assert "no such file or folder" in told("--project", str(tmp_path / "none"))
