"""The proof by reading back: hands that edit a project are told from hands that break it.

The small pile is refactored once; each test edits one file of a copy. Wrong edits must be
unproved. Right ones that look different must be proved. And whatever a generated edit does, a
model that is still proved must return the rows it returned before, on data.
"""

from __future__ import annotations

import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from unwet.lineage.pile import Pile
from unwet.tests.rewrite.laid_out import replaced
from unwet.tests.rewrite.small_pile import models, refactored, small_pile, verdicts
from unwet.tests.rewrite.small_world import WORLDS, Worlds, bag

SALES = "macros/sales.sql"
MODELS = "models/marts"


@pytest.fixture(scope="module")
def pile() -> Pile:
    return small_pile()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, pile: Pile) -> Path:
    out = tmp_path_factory.mktemp("small") / "project"
    refactored(out, pile)
    return out


@pytest.fixture
def edited(tmp_path: Path, project: Path) -> Path:
    return Path(shutil.copytree(project, tmp_path / "project"))


def edit(root: Path, file: str, before: str, after: str) -> None:
    path = root / file
    text = path.read_text()
    path.write_text(replaced(text, before, after))


def proved(root: Path, pile: Pile) -> set[str]:
    return {name for name, found in verdicts(root, pile).items() if found.verdict == "proved"}


ALL = {"all_sales", "changed", "ranked", "sales_1", "sales_2", "sales_3", "segments", "steps"}
BY_MACRO = {"sales_1", "sales_2", "sales_3"}


def test_what_refactor_writes_is_proved(project: Path, pile: Pile) -> None:
    assert proved(project, pile) == ALL


WRONG = [
    ("a changed literal in a macro", SALES, "u.k > 0", "u.k > 1", BY_MACRO),
    ("a changed literal in a call", f"{MODELS}/sales_2.sql", "sales(2)", "sales(3)", {"sales_2"}),
    ("a dropped predicate", SALES, " AND t.c <> 'b'", "", BY_MACRO),
    ("a predicate moved from ON to WHERE", SALES, " AND u.k > 0", "", BY_MACRO),
    ("LEFT became INNER", SALES, "LEFT JOIN", "JOIN", BY_MACRO),
    ("swapped columns", SALES, "t.a AS region,\n  u.d AS segment",
     "u.d AS segment,\n  t.a AS region", BY_MACRO),
    ("swapped names", SALES, "t.a AS region,\n  u.d AS segment", "t.a AS segment,\n  u.d AS region",
     BY_MACRO),
    ("a renamed column", SALES, "AS amount", "AS total", BY_MACRO),
    ("a column more", SALES, "COUNT(*) AS orders", "COUNT(*) AS orders, 1 AS one", BY_MACRO),
    ("a column less", SALES, "  COUNT(*) AS orders,\n", "", BY_MACRO),
    ("DISTINCT dropped from an aggregate", SALES, "COUNT(DISTINCT u.k)", "COUNT(u.k)", BY_MACRO),
    ("COUNT(*) became COUNT(x)", SALES, "COUNT(*) AS", "COUNT(u.k) AS", BY_MACRO),
    ("SUM became AVG", SALES, "SUM(", "AVG(", BY_MACRO),
    ("another key", SALES, "GROUP BY ALL", "GROUP BY t.a, u.d, u.k", BY_MACRO),
    ("<> became =", SALES, "<>", "=", BY_MACRO),
    (">= became >", SALES, ">=", ">", BY_MACRO),
    ("another source", SALES, "source('main', 'u')", "source('main', 't')", BY_MACRO),
    ("HAVING changed", SALES, "COUNT(*) > 0", "COUNT(*) > 1", BY_MACRO),
    ("a limit", SALES, "COUNT(*) > 0\n", "COUNT(*) > 0\nLIMIT 100\n", BY_MACRO),
    ("another ref", f"{MODELS}/all_sales.sql", "'sales_3'", "'sales_1'", {"all_sales"}),
    ("UNION ALL became UNION", f"{MODELS}/all_sales.sql", "UNION ALL", "UNION", {"all_sales"}),
    ("a branch less", f"{MODELS}/all_sales.sql", ", 'sales_3'", "", {"all_sales"}),
    ("DISTINCT dropped", f"{MODELS}/segments.sql", "SELECT DISTINCT", "SELECT", {"segments"}),
    ("OR became AND", f"{MODELS}/segments.sql", " OR ", " AND ", {"segments"}),
    ("NOT dropped", f"{MODELS}/segments.sql", "u.a IS NOT", "u.a IS", {"segments"}),
    ("NOT IN without its filter", f"{MODELS}/steps.sql", "WHERE\n      k IS NOT NULL\n", "",
     {"steps"}),
    ("NOT IN became NOT EXISTS", f"{MODELS}/steps.sql",
     "g.a NOT IN (\n    SELECT\n      k\n    FROM {{ source('main', 'v') }}\n    WHERE\n"
     "      k IS NOT NULL\n  )",
     "NOT EXISTS (SELECT 1 FROM {{ source('main', 'v') }} WHERE k = g.a)", {"steps"}),
    ("another word", f"{MODELS}/steps.sql", "'best'", "'Best'", {"steps"}),
    ("RANK became DENSE_RANK", f"{MODELS}/ranked.sql", "RANK()", "DENSE_RANK()", {"ranked"}),
    ("the other direction", f"{MODELS}/ranked.sql", "s DESC", "s", {"ranked"}),
    ("no partition", f"{MODELS}/ranked.sql", "PARTITION BY c ", "", {"ranked"}),
    ("EXISTS negated", f"{MODELS}/ranked.sql", "EXISTS(", "NOT EXISTS(", {"ranked"}),
    ("a correlation lost", f"{MODELS}/ranked.sql", "u.a = x.a", "u.a = u.a", {"ranked"}),
    ("not one statement", f"{MODELS}/ranked.sql", "WITH x", "SELECT 1;\nWITH x", {"ranked"}),
    ("a CTE twice", f"{MODELS}/ranked.sql", "WITH x", "WITH x AS (SELECT 1 AS a), x", {"ranked"}),
    ("no SQL", f"{MODELS}/ranked.sql", "PARTITION BY", "PARTITION PARTITION", {"ranked"}),
    ("Jinja that does not end", f"{MODELS}/ranked.sql", "}}", "}", {"ranked"}),
    ("a ref to nowhere", f"{MODELS}/all_sales.sql", "'sales_3'", "'x'", {"all_sales"}),
    ("a call that does not render", f"{MODELS}/sales_2.sql", "sales(2)", "sales(<>2)", {"sales_2"}),
    ("another identifier behind a source", "models/sources.yml", "- name: u\n",
     "- name: u\n    identifier: t\n", {*BY_MACRO, "segments", "ranked"}),
    ("another schema behind a source", "models/sources.yml", "schema: main", "schema: other",
     ALL - {"all_sales"}),
]  # fmt: skip


@pytest.mark.parametrize(("what", "file", "before", "after", "broken"), WRONG)
def test_wrong_edits_are_unproved(
    what: str, file: str, before: str, after: str, broken: set[str], edited: Path, pile: Pile
) -> None:
    edit(edited, file, before, after)
    readers = {"all_sales"} if broken & BY_MACRO else set()  # only as good as what it reads
    assert proved(edited, pile) == ALL - broken - readers, what


RIGHT = [
    ("an alias renamed", f"{MODELS}/steps.sql", "FROM good AS g\nJOIN best AS x\n  ON x.a = g.a",
     "FROM good AS g\nJOIN best AS bb\n  ON bb.a = g.a", ("x.b", "bb.b")),
    ("predicates in another order", SALES, "t.b >= {{ b_from }} AND t.c <> 'b'",
     "t.c <> 'b' AND t.b >= {{ b_from }}", ("", "")),
    ("a comparison turned round", SALES, "u.a = t.a", "t.a = u.a", ("", "")),
    ("a CTE became a subquery", f"{MODELS}/ranked.sql", "FROM x\nWHERE",
     "FROM (SELECT a, c, SUM(b) AS s FROM {{ source('main', 't') }} GROUP BY a, c) AS x\nWHERE",
     ("", "")),
    ("GROUP BY positions", SALES, "GROUP BY ALL", "GROUP BY 1, 2", ("", "")),
    ("GROUP BY expressions", SALES, "GROUP BY ALL", "GROUP BY t.a, u.d", ("", "")),
    ("NOT ... IS NULL", f"{MODELS}/segments.sql", "u.a IS NOT NULL", "NOT u.a IS NULL", ("", "")),
    ("inner joins in another order", f"{MODELS}/segments.sql",
     "FROM {{ source('main', 'u') }} AS u\nJOIN {{ source('main', 'v') }} AS v",
     "FROM {{ source('main', 'v') }} AS v\nJOIN {{ source('main', 'u') }} AS u", ("", "")),
    ("branches in another order", f"{MODELS}/all_sales.sql", "'sales_1', 'sales_2', 'sales_3'",
     "'sales_3', 'sales_1', 'sales_2'", ("", "")),
    ("a comment", SALES, "LEFT JOIN", "-- all customers\nLEFT JOIN", ("", "")),
    ("a macro of a macro", SALES, "{% macro sales(b_from) %}",
     "{% macro since(n) %}t.b >= {{ n }}{% endmacro %}\n{% macro sales(b_from) %}",
     ("t.b >= {{ b_from }}", "{{ since(b_from) }}")),
    ("DISTINCT became GROUP BY", f"{MODELS}/segments.sql", "SELECT DISTINCT", "SELECT",
     ("v.b < 2", "v.b < 2\nGROUP BY u.d, v.e")),
]  # fmt: skip


@pytest.mark.parametrize(("what", "file", "before", "after", "also"), RIGHT)
def test_right_edits_are_proved(
    what: str,
    file: str,
    before: str,
    after: str,
    also: tuple[str, str],
    edited: Path,
    pile: Pile,
) -> None:
    edit(edited, file, before, after)
    text = (edited / file).read_text()
    old, new = also
    text = re.sub(re.escape(old), lambda _: new, text) if old else text
    if old and old in text and text.count(new) < 1:
        text = text.replace(old, new)
    (edited / file).write_text(text)
    assert proved(edited, pile) == ALL, what


def test_a_model_moved_into_another_is_proved(edited: Path, pile: Pile) -> None:
    """A model of no report is read through."""
    (edited / MODELS / "base.sql").write_text("SELECT a, c, b AS x FROM {{ source('main', 't') }}")
    edit(
        edited,
        f"{MODELS}/ranked.sql",
        "SUM(b) AS s\n  FROM {{ source('main', 't') }}",
        "SUM(x) AS s FROM {{ ref('base') }}",
    )
    assert proved(edited, pile) == ALL
    edit(edited, f"{MODELS}/base.sql", "b AS x", "a AS x")
    assert proved(edited, pile) == ALL - {"ranked"}


def test_a_missing_model_is_not_proved(edited: Path, pile: Pile) -> None:
    (edited / MODELS / "ranked.sql").unlink()
    assert proved(edited, pile) == ALL - {"ranked"}


# --- generated edits ----------------------------------------------------------------------------

SWAPS = [
    (r"\bLEFT JOIN\b", "JOIN"), (r"\bJOIN\b", "LEFT JOIN"), (r"\bUNION ALL\b", "UNION"),
    (r"\bDISTINCT\b ", ""), (r"\bAND\b", "OR"), (r"\bOR\b", "AND"), (r"\bNOT\b ", ""),
    (r"(?<![<>])=(?!=)", "<>"), (r">=", ">"), (r"<>", "="), (r"> ", ">= "), (r"< ", "<= "),
    (r"\bSUM\b", "MAX"), (r"\bMAX\b", "MIN"), (r"\bCOUNT\(\*\)", "COUNT(DISTINCT 1)"),
    (r"\b(\d)\b", r"1\1"), (r"\bt\.a\b", "t.b"), (r"\bu\.a\b", "u.k"), (r"\bt\.b\b", "t.a"),
    (r"\bx\.a\b", "x.b"), (r"\bg\.b\b", "g.a"), (r"\bb\b", "a"), (r"\ba\b", "b"), (r" DESC\b", ""),
    (r"'sales_1'", "'sales_2'"), (r"'main', 't'", "'main', 'u'"), (r"\bk\b", "b"),
    (r"WHERE\s", "WHERE TRUE OR "), (r"WHERE\s", "WHERE NULL IS NULL AND "), (r"'b'", "'a'"),
    (r"\bRANK\(\)", "COUNT(*)"), (r"\bHAVING\s", "HAVING TRUE OR "), (r"\bEXISTS\b", "NOT EXISTS"),
    (r"\bGROUP BY ALL\b", "GROUP BY t.c, 1, 2"), (r"u\.d\b", "COALESCE(u.d, 'x')"),
    (r"\bCASE\b", "CASE WHEN FALSE THEN 'z'"),
]  # fmt: skip


def mutants(root: Path) -> Iterator[tuple[str, str, str]]:
    """(file, its text, its text with one word changed)."""
    for path in sorted([*root.glob("macros/*.sql"), *root.glob(f"{MODELS}/*.sql")]):
        text = path.read_text()
        start = max(text.find("%}") + 2, 0) if path.parent.name == "macros" else 0
        for pattern, replacement in SWAPS:
            for hit in re.finditer(pattern, text[start:], re.IGNORECASE):
                changed = hit.expand(replacement)
                at, end = start + hit.start(), start + hit.end()
                yield str(path.relative_to(root)), text, text[:at] + changed + text[end:]


def chosen(found: list[tuple[str, str, str]], seed: int, n: int) -> list[tuple[str, str, str]]:
    return random.Random(seed).sample(found, min(n, len(found)))


@pytest.fixture(scope="module")
def worlds() -> Worlds:
    return Worlds()


def rows_of(sql: dict[str, str], worlds: Worlds, name: str) -> list[object]:
    """The bags a model returns in all worlds; models it reads are read through."""
    text = sql[name]
    for other in (o for o in sql if re.search(rf"from {o}\b", text)):
        text = re.sub(rf"from {other}\b", f"from ({sql[other]}\n) as {other}", text)
    places = [re.sub(r"\bmain\.", f"w{world}.", text) for world in range(WORLDS)]
    return [bag(worlds.rows(place, world)[1]) for world, place in enumerate(places)]


def test_what_is_still_proved_returns_the_same_rows(
    edited: Path, pile: Pile, worlds: Worlds
) -> None:
    before = {name: rows_of(models(edited), worlds, name) for name in ALL}
    caught = 0
    for file, text, mutant in chosen(list(mutants(edited)), 11, 30):
        (edited / file).write_text(mutant)
        kept, sql = proved(edited, pile), models(edited)
        caught += kept != ALL
        for name in sorted(kept):
            try:
                after = rows_of(sql, worlds, name)
            except duckdb.Error as error:
                pytest.fail(f"proved, but it does not run: {error}\n{mutant}")
            assert after == before[name], f"{name} is proved, with other rows:\n{mutant}"
        (edited / file).write_text(text)
    assert caught > 20
