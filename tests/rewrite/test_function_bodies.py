"""What a function says is said at its calls, and returns the same rows."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
import sqlglot
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from unwet.lineage.pile import Pile, load
from unwet.lineage.sources import Source
from unwet.rewrite.own_functions import with_own_functions, worth_making
from unwet.rewrite.refactor import Request, refactor
from unwet.tests.rewrite.small_pile import verdicts

FILE = Path(__file__).parents[2] / "fixtures" / "rewrite" / "function_bodies" / "cases.sql"


@dataclass(frozen=True)
class Case:
    title: str
    script: str
    after: str  # empty where it stays


def cases() -> list[Case]:
    found = []
    for text in re.split(r"^-- # ", FILE.read_text("utf-8"), flags=re.MULTILINE)[1:]:
        title, _, rest = text.partition("\n")
        *script, after = (part.strip() for part in rest.replace("-- stays", "-- stays;").split(";")
                          if part.strip())  # fmt: skip
        found.append(Case(title, ";\n".join(script), "" if after == "-- stays" else after))
    return found


CASES = cases()


def pile(*scripts: str, dialect: str = "bigquery") -> Pile:
    sources = [Source(f"{'abcdef'[at]}.sql", text) for at, text in enumerate(scripts)]
    return load(sources, dialect)


def said(script: str, dialect: str = "bigquery") -> exp.Expr:
    """The query of a script, where the project makes no functions."""
    found, _ = with_own_functions(pile(script, dialect=dialect), made=frozenset())
    return found.scripts[0].statements[-1].tree


def database() -> duckdb.DuckDBPyConnection:
    made = duckdb.connect(config={"threads": 1})
    made.execute("CREATE TABLE t (i BIGINT, n DECIMAL(20, 4), d DOUBLE, s VARCHAR)")
    for row in (
        "(1, 0.5, 0.1, 'a')", "(1, 0.5, 0.1, 'a')", "(NULL, NULL, NULL, NULL)", "(0, 0, 0, '')",
        "(3, 10.3333, 1e300, 'Ab')", "(-2, -1.1, -0.3, 'bB')", "(9007199254740993, 3, 7, 'abba')",
        "(7, NULL, 0.2, 'A')",
    ):  # fmt: skip
        made.execute(f"INSERT INTO t VALUES {row}")
    return made


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    return database()


def in_duckdb(tree: exp.Expr) -> str:
    """As DuckDB says what BigQuery means: a constant with a point is a DOUBLE."""
    tree = tree.copy()
    for each in tree.find_all(exp.Literal):
        if not each.is_string and not each.is_int:
            each.replace(exp.Var(this=f"{each.name}e0"))
    text = tree.sql("duckdb")
    return re.sub(r"functions\.", "", text, flags=re.IGNORECASE)


def rows(engine: duckdb.DuckDBPyConnection, sql: str) -> Counter[tuple[object, ...]] | str:
    try:
        found = engine.execute(sql).fetchall()
    except (duckdb.OutOfRangeException, duckdb.ConversionException) as error:
        return type(error).__name__
    return Counter(tuple(map(repr, row)) for row in found)


def as_macros(engine: duckdb.DuckDBPyConnection, script: str) -> str:
    """The functions are macros of the engine, whose arguments become what parameters are; the
    query."""
    *functions, query = sqlglot.parse(script, read="bigquery")
    for each in functions:
        assert isinstance(each, exp.Create)
        kinds = [c.args["kind"].sql("duckdb").replace("VARIANT", "") for c in each.this.expressions]
        names = [c.name for c in each.this.expressions]
        head = ", ".join(f"{n} {k}".strip() for n, k in zip(names, kinds, strict=True))
        body = in_duckdb(each.expression)
        wanted = each.find(exp.ReturnsProperty)
        body = body if wanted is None else f"CAST({body} AS {wanted.this.sql('duckdb')})"
        engine.execute(f"CREATE OR REPLACE TEMP MACRO {each.this.this.name}({head}) AS {body}")
    assert query is not None
    return in_duckdb(query)


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_calls_say_what_the_function_says(case: Case, engine: duckdb.DuckDBPyConnection) -> None:
    found = said(case.script)
    if case.after:
        assert found.sql("bigquery") == sqlglot.parse_one(case.after, read="bigquery").sql(
            "bigquery"
        )
        before = as_macros(engine, case.script)
        assert rows(engine, before) == rows(engine, in_duckdb(found))
    else:
        assert "functions.f(" in found.sql("bigquery")


# --- the law --------------------------------------------------------------------------------------

KINDS = {"INT64": "t.i", "FLOAT64": "t.d", "STRING": "t.s"}
# of a parameter that is FLOAT64 the argument may be any number
GIVEN = {
    "INT64": ("t.i", "t.i", "t.i", "2", "t.i + 1"),
    "FLOAT64": ("t.i", "t.i", "t.n", "t.n", "t.d", "0.1", "3", "t.n - 1", "CAST(t.n AS FLOAT64)"),
    "STRING": ("t.s", "t.s", "'a'", "t.s || 'b'"),
}


@dataclass(frozen=True)
class Made:
    name: str
    kinds: tuple[str, ...]
    kind: str


@st.composite
def numbers(draw: st.DrawFn, made: list[Made], names: dict[str, str], depth: int = 3) -> str:
    """Of a body; FLOAT64 or INT64."""
    own = [name for name, kind in names.items() if kind != "STRING"]
    calls = [each for each in made if each.kind in ("INT64", "FLOAT64")]
    ways = ["constant", *["name"] * 3 * bool(own)]
    ways += (["sum", "quotient", "choice"] + ["call"] * 2 * bool(calls)) if depth else []
    match draw(st.sampled_from(ways)):
        case "name":
            return draw(st.sampled_from(own))
        case "sum":
            sides = [draw(numbers(made, names, depth - 1)) for _ in range(2)]
            return draw(
                st.sampled_from(["{} + {}", "{} - ({})", "({}) * {}", "-({}) - {}"])
            ).format(*sides)
        case "quotient":
            sides = [draw(numbers(made, names, depth - 1)) for _ in range(2)]
            return f"SAFE_DIVIDE({sides[0]}, {sides[1]})"
        case "choice":
            sides = [draw(numbers(made, names, depth - 1)) for _ in range(2)]
            return f"IF({draw(checks(made, names, depth - 1))}, {sides[0]}, {sides[1]})"
        case "call":
            return draw(calling(draw(st.sampled_from(calls)), made, names, depth - 1))
        case _:
            return draw(st.sampled_from(["2", "0.5", "1.25"]))


@st.composite
def calling(draw: st.DrawFn, of: Made, made: list[Made], names: dict[str, str], depth: int) -> str:
    """A call within a body."""
    args: list[str] = []
    for kind in of.kinds:
        own = [name for name, each in names.items() if each == kind]
        if own and draw(st.sampled_from([True, False])):
            args.append(draw(st.sampled_from(own)))
        elif kind == "FLOAT64":
            args.append(draw(numbers(made, names, depth)))
        else:
            args.append("3" if kind == "INT64" else "'a'")
    return f"{of.name}({', '.join(args)})"


@st.composite
def checks(draw: st.DrawFn, made: list[Made], names: dict[str, str], depth: int = 2) -> str:
    calls = [each for each in made if each.kind == "BOOL"]
    texts = [name for name, kind in names.items() if kind == "STRING"]
    ways = ["compare", "constant", *["like"] * bool(texts)]
    ways += (["and", "not"] + ["call"] * bool(calls)) if depth > 0 else []
    match draw(st.sampled_from(ways)):
        case "compare":
            sides = [draw(numbers(made, names, max(depth - 1, 0))) for _ in range(2)]
            return draw(st.sampled_from(["{} > {}", "{} = {}"])).format(*sides)
        case "like":
            return f"LOWER({draw(st.sampled_from(texts))}) = 'a'"
        case "and":
            sides = [draw(checks(made, names, depth - 1)) for _ in range(2)]
            return draw(st.sampled_from(["({}) AND {}", "{} OR {}"])).format(*sides)
        case "not":
            return f"NOT {draw(checks(made, names, depth - 1))}"
        case "call":
            return draw(calling(draw(st.sampled_from(calls)), made, names, depth - 1))
        case _:
            return draw(st.sampled_from(["FALSE", "TRUE"]))


@st.composite
def scripts(draw: st.DrawFn) -> str:
    made: list[Made] = []
    lines = []
    for at in range(draw(st.integers(1, 3))):
        kinds = tuple(draw(st.lists(st.sampled_from([*KINDS]), min_size=1, max_size=3)))
        names = {f"p{n}": kind for n, kind in enumerate(kinds)}
        kind = draw(st.sampled_from(["BOOL", "FLOAT64"]))
        body = draw(checks(made, names) if kind == "BOOL" else numbers(made, names))
        head = ", ".join(f"{name} {each}" for name, each in names.items())
        lines.append(f"CREATE TEMP FUNCTION f{at}({head}) RETURNS {kind} AS ({body});")
        made.append(Made(f"f{at}", kinds, kind))
    items = []
    for at in range(2):
        of = draw(st.sampled_from(made))
        args = [draw(st.sampled_from(GIVEN[kind])) for kind in of.kinds]
        call = f"{of.name}({', '.join(args)})"
        around = ["{}", "{} IS NULL"]
        around += ["NOT {}", "{} AND t.i > 0"] if of.kind == "BOOL" else ["2 - {}", "{} * 3 > 1"]
        items.append(f"{draw(st.sampled_from(around)).format(call)} AS v{at}")
    return "\n".join([*lines, f"SELECT {', '.join(items)} FROM t"])


@given(script=scripts())
@settings(max_examples=120, deadline=None)
def test_the_law(engine: duckdb.DuckDBPyConnection, script: str) -> None:
    """Arguments become what parameters are, on both sides; see `as_macros`."""
    before = as_macros(engine, script)
    assert rows(engine, before) == rows(engine, in_duckdb(said(script)))


# --- which functions a project makes --------------------------------------------------------------

LITTLE = "CREATE TEMP FUNCTION good(x STRING) RETURNS BOOL AS (LOWER(x) = 'good');\n"
QUERY = "SELECT d.a, COUNT(*) AS n FROM s.t AS d WHERE good({}) GROUP BY d.a"


def test_what_always_says_the_same_is_no_function_of_a_project() -> None:
    same = pile(LITTLE + QUERY.format("d.a"), LITTLE + QUERY.format("d.a").replace("n", "m"))
    assert worth_making(same) == frozenset()
    assert worth_making(pile(LITTLE + QUERY.format("d.a"), LITTLE + QUERY.format("d.b"))) is None
    assert worth_making(pile(QUERY.format("d.a"))) is None


def test_what_is_longer_than_a_line_is_said_once() -> None:
    long = LITTLE.replace("LOWER(x)", f"REPLACE(LOWER(x), '{'w' * 80}', '')")
    assert worth_making(pile(long + QUERY.format("d.a"))) == frozenset()
    assert worth_making(pile(long + QUERY.format("d.a"), long + QUERY.format("d.a"))) is None


def test_what_a_function_of_the_project_calls_is_one() -> None:
    outer = "CREATE TEMP FUNCTION both(x STRING) AS (good(x) AND x > 'a');\n"
    script = LITTLE + outer + QUERY.format("d.a") + " HAVING both(d.a) AND both(MAX(d.b))"
    assert worth_making(pile(script)) is None


def test_a_text_with_a_collation_is_no_argument() -> None:
    script = LITTLE + QUERY.format("COLLATE(d.a, 'und:ci')")
    assert worth_making(pile(script)) is None
    assert "functions.good(" in said(script).sql("bigquery")


@pytest.mark.parametrize("target", ["dbt", "sqlmesh", "views"])
def test_a_project_says_what_functions_said(tmp_path: Path, target: str) -> None:
    scripts = [LITTLE + QUERY.format("d.a")] * 2
    asked = Request(out=tmp_path, generated=None, force=True, target=target)
    result = refactor(pile(*scripts), asked)
    assert {each.outcome for each in result.verdicts} == {"proved"}
    assert not any("functions" in text for text in result.files.values())
    assert any(re.search(r"lower\(\w*\.?a\) = 'good'", text.lower())
               for text in result.files.values())  # fmt: skip


def test_a_project_that_says_it_is_proved_beside_other_calls(tmp_path: Path) -> None:
    """Which functions there are is the project's choice; a pile that has grown makes another."""
    first, second = LITTLE + QUERY.format("d.a"), LITTLE + QUERY.format("d.b")
    refactor(pile(first), Request(out=tmp_path / "one", generated=None))
    refactor(pile(first, second), Request(out=tmp_path / "two", generated=None))
    assert verdicts(tmp_path / "one", pile(first, second))["a"].verdict == "proved"
    assert verdicts(tmp_path / "two", pile(first))["a"].verdict == "proved"
    assert verdicts(tmp_path / "two", pile(first, second))["b"].verdict == "proved"


def test_an_edited_body_proves_nothing(tmp_path: Path) -> None:
    script = LITTLE + QUERY.format("d.a")
    refactor(pile(script), Request(out=tmp_path, generated=None))
    path = tmp_path / "models" / "marts" / "a.sql"
    path.write_text(path.read_text("utf-8").replace("'good'", "'Good'"), "utf-8")
    assert verdicts(tmp_path, pile(script))["a"].verdict != "proved"


def test_macros_of_duckdb_say_the_same() -> None:
    script = "CREATE TEMP MACRO good(x) AS x > 3;\nSELECT NOT good(t.i + 1) AS v FROM t"
    assert said(script, "duckdb").sql("duckdb") == "SELECT NOT ((t.i + 1) > 3) AS v FROM t"
    for other in ("y > 3", "x > (SELECT MAX(i) FROM t)", "x > RANDOM()", "x > SUM(1)"):
        kept = said(script.replace("x > 3", other), "duckdb").sql("duckdb")
        assert "> 3" not in kept and "MAX" not in kept


def test_arguments_that_say_their_names_stay_with_the_call() -> None:
    script = "CREATE TEMP MACRO f(x, y) AS x - y; SELECT f(y := a, x := b) AS v FROM t"
    assert said(script, "duckdb").sql("duckdb").lower().count("f(y := a, x := b)") == 1
