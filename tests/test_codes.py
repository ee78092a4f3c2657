"""Every code that a finding may carry is explained, and the examples are true: each is executed
through the engine, yields its code, and does not any more when it is fixed.
"""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from unwet import cli
from unwet.lineage.codes import Block, Explanation, Part, explain, explanations, families
from unwet.lineage.codes.forms import as_list, as_markdown, as_text
from unwet.lineage.pile import load
from unwet.rewrite.check.asked import Ask
from unwet.rewrite.check.baseline import NAME, read_baseline, stale
from unwet.rewrite.check.run import check
from unwet.rewrite.drift import drift
from unwet.rewrite.script import end_state
from unwet.tests.codes_in_source import NotFollowed, codes_in

ROOT = Path(__file__).resolve().parents[1]
SOURCES = [ROOT / "lineage", ROOT / "rewrite"]


# --- which codes there are -------------------------------------------------------------------


def test_every_code_of_the_source_is_explained_and_no_other() -> None:
    found = codes_in(SOURCES)
    assert {code: place for code, place in found.items() if code not in explanations()} == {}
    assert set(explanations()) <= set(found), "explained, but no finding carries it"


def test_what_looks_like_a_code_anywhere_is_one() -> None:
    """A second look, by another way: strings of the families that have a common beginning."""
    strings = {
        node.value
        for folder in SOURCES
        for path in folder.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    alike = {text for text in strings if re.fullmatch(r"(?:DRIFT|DUP)_[A-Z_]+", text)}
    assert len(alike) >= 8
    assert alike <= set(explanations())


@pytest.mark.parametrize(
    ("source", "codes"),
    [
        ("Finding('A', 'm', at)", {"A"}),
        ("Finding(code='A', message='m')", {"A"}),
        ("Finding('A' if x else 'B', 'm')", {"A", "B"}),
        ("def say(self, code): Finding(code, 'm')\nx.say('A'); y.say('B')", {"A", "B"}),
        ("def kind(): return 'A'\nFinding(kind(), 'm')", {"A"}),
        ("def f():\n    code = 'A'\n    Finding(code, 'm')", {"A"}),
        ("WORDS = {1: 'A', 2: 'B'}\nFinding(WORDS[x], 'm')", {"A", "B"}),
        ("replace(found, code='A')", {"A"}),
    ],
)
def test_codes_are_found_however_they_get_there(
    tmp_path: Path, source: str, codes: set[str]
) -> None:
    head = "class Finding:\n    code: str\n    message: str\n"
    (tmp_path / "a.py").write_text(head + source)
    assert set(codes_in([tmp_path])) == codes


def test_a_code_that_cannot_be_followed_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("class Finding:\n    code: str\nFinding(x + 'A')")
    with pytest.raises(NotFollowed, match=r"a\.py:3: x \+ 'A'"):
        codes_in([tmp_path])


# --- the examples ----------------------------------------------------------------------------


def blocks(parts: tuple[Part, ...]) -> list[Block]:
    return [part for part in parts if isinstance(part, Block)]


CHECKED = {"DUP_EXACT", "DUP_PARAMETRIC", "IGNORE_UNUSED", "BASELINE_STALE"}  # by unwet check only


def codes_of(
    code: str, found: list[Block], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> set[str]:
    """The codes of everything that unwet has to say about some code blocks; for a code of `unwet
    check`, of what that says."""
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    params: dict[str, str] = {}
    dialect = ""
    for number, block in enumerate(found):
        about = dict(block.about)
        dialect = about.get("dialect", dialect)
        name, _, value = about.get("param", "").partition("=")
        params |= {name: value} if name else {}
        if block.language == "sh":
            path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
            env = {**os.environ, "PATH": path}
            subprocess.run(["sh", "-euc", block.text], check=True, cwd=folder, env=env)
        else:
            (folder / about.get("file", f"{number}.sql")).write_text(block.text, "utf-8")
    if code in CHECKED:
        ask = Ask(dialect=dialect or "postgres", params=params)
        problems = check(ask)
        known = read_baseline(Path(NAME))
        past = stale(problems.problems, known, problems.changed, problems.pile)
        return {each.code for each in (*problems.problems, *past)}
    files = sorted(str(each) for each in folder.iterdir())
    pile = load(files, dialect or "postgres", params=params)
    state = end_state(pile.scripts, pile.resolved, pile.catalog)
    contradictions = drift(pile)
    told = [*pile.findings, *pile.graph.unresolved, *state.findings, *contradictions.notes]
    return {each.code for each in told} | {each.code for each in contradictions.findings}


def repaired(one: Explanation) -> list[Block]:
    """The SQL of the fix; where that says so, instead of the last statement of the example."""
    example, fixed = blocks(one.example), blocks(one.fix)
    if dict(fixed[0].about).get("instead") != "last":
        return fixed
    rest = example[0].text.rpartition(";\n")[0]
    assert rest, "there must be statements before the last"
    return [Block("sql", f"{rest};\n{fixed[0].text}", example[0].about)]


@pytest.mark.parametrize("code", explanations())
def test_the_example_yields_its_code_and_the_fix_does_not(
    code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = explanations()[code]
    before = codes_of(code, blocks(one.example), tmp_path / "before" / "pile", monkeypatch)
    after = codes_of(code, repaired(one), tmp_path / "after" / "pile", monkeypatch)
    assert code in before
    assert before == {code}, "an example shows one thing"
    assert after == set()


# --- the text --------------------------------------------------------------------------------


def test_the_text_is_whole() -> None:
    assert len(explanations()) == sum(len(family.explanations) for family in families())
    for one in explanations().values():
        assert one.summary.endswith(".") and len(one.summary) <= 90, one.code
        assert blocks(one.example) and blocks(one.fix), one.code
        for _, parts in one.sections:
            for part in parts:
                if isinstance(part, Block):
                    assert max(map(len, part.text.splitlines())) <= 74, part.text
                else:
                    assert part[-1] in ".:", part


def test_a_word_stands_for_all_codes_that_begin_with_it() -> None:
    assert [one.code for one in explain("drift_join")] == ["DRIFT_JOIN"]
    assert {one.code for one in explain("DRIFT")} == {
        code for code in explanations() if code.startswith("DRIFT_")
    }


def run(*words: str, **env: str) -> tuple[int, str, str]:
    done = CliRunner(env={"COLUMNS": "80", **env}).invoke(cli.main, ["explain", *words])
    return done.exit_code, done.stdout, done.stderr


def test_the_command_explains_a_code_in_any_case() -> None:
    code, out, _ = run("drift_join")
    assert code == 0
    assert out.startswith("DRIFT_JOIN: Another kind of join than in the other copies\n\nWhat it ")
    headings = [line for line in out.splitlines() if line and not line.startswith(" ")][1:]
    assert headings == ["What it does", "Why is this bad?", "Example", "Fix"]
    assert "\033" not in out


def test_the_command_alone_lists_all_codes() -> None:
    code, out, _ = run()
    assert code == 0
    listed = re.findall(r"^  ([A-Z_]+)  ", out, re.M)
    assert listed == list(explanations())
    assert max(map(len, out.splitlines())) <= 80


def test_an_unknown_code_is_wrong_use() -> None:
    near = "error: unknown code: DRIFT_JION\nhelp: did you mean DRIFT_JOIN?\n"
    assert run("DRIFT_JION") == (2, "", near)
    assert run("NOPE")[2] == "error: unknown code: NOPE\nhelp: `unwet explain` lists all codes\n"
    assert run("%")[2] == "error: unknown code: %\nhelp: `unwet explain` lists all codes\n"
    assert run("PARSE", "%")[0] == 2


def test_json_and_markdown_carry_the_same_text() -> None:
    _, out, _ = run("--format", "json", "PARSE", "IGNORE", "parse")
    parse, ignore = json.loads(out)
    assert (parse["code"], ignore["code"]) == ("PARSE", "IGNORE")
    assert set(parse) == {"code", "summary", "what", "why", "example", "fix"}
    _, page, _ = run("--format", "markdown", "PARSE")
    assert page.startswith("# PARSE\n\nA statement that is not valid SQL in the dialect.\n\n## Wh")
    assert parse["example"] in page and parse["fix"] in page
    assert len(json.loads(run("--format", "json")[1])) == len(explanations())


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    text = as_text(list(explanations().values()), width) + as_list(families(), width)
    assert max(map(len, text.splitlines())) <= min(width, 88)


def test_only_a_terminal_gets_bold_letters() -> None:
    one = explain("PARSE")
    assert "\033[1mWhat it does\033[0m" in as_text(one, colour=True)
    assert "\033" not in as_text(one) + as_markdown(one)
