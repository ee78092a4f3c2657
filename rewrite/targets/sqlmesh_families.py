"""Models that are calls of one macro as one file: a blueprint for each, with what its call says.

    blueprints (
      (model_name := cms_2021, table := pages_2021, category := 'CMS'),
      (model_name := cms_2022, table := pages_2022, category := 'CMS'),
    )

A blueprint holds SQL: what is none, such as a call of another macro, is said by models that have
files of their own.

Families(project, spoken, where).all() -> the families by macro
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, assert_never

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from unwet.rewrite.common_comments import aloud
from unwet.rewrite.library import HANDED_ON, HOLE, NAMES, Macro, MacroCall, parameters
from unwet.rewrite.project import Project
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.source_tables import table_name
from unwet.rewrite.targets.jinja import called, template
from unwet.rewrite.targets.jinja_values import usual
from unwet.rewrite.targets.macro_text import Spoken, macro_body
from unwet.rewrite.targets.placing import Places, needs_quotes
from unwet.rewrite.targets.sqlmesh_words import (
    as_variables,
    bound_variables,
    calls_of,
    spelled,
    value,
)
from unwet.rewrite.targets.tokens import TOKEN

_LEAST: Final = 2  # models
_TEXT: Final = re.compile(r"'[^'\\\\]*'")  # as Jinja has it
_WORDS: Final = re.compile(r"\w+")
_NEVER: Final = frozenset("@\\'\"{}\n")  # in a text that is one in a blueprint, too

Way = Literal["sql", "text", "names"]
# what makes of a blueprint's SQL what a macro is given: a text without its quotes, a list of names
_BACK: Final[Mapping[Way, str]] = {"sql": "", "text": "[1:-1]", "names": "[1:-1].split(', ')"}

Calls = Mapping[str, MacroCall]  # by the name of the model


@dataclass(frozen=True, slots=True)
class Family:
    """``rows``: what the blueprint of each model says, as SQL by parameter; ``query``: what stands
    behind the MODEL block; ``whole``: whether nothing else calls the macro, which then is gone."""

    macro: Macro
    rows: Mapping[str, Mapping[str, str]]
    query: str
    whole: bool


class Families:
    """Finds those of one project; ``spoken``: it, with the calls that Jinja has."""

    def __init__(self, project: Project, spoken: Spoken, where: Places) -> None:
        self._plain, self._spoken, self._where = project, spoken, where
        self._macros = {macro.name: macro for macro in spoken.project.library.macros}

    def all(self) -> Iterator[tuple[str, Family]]:
        """Each with the name of its macro."""
        calls = calls_of(self._spoken.project.library)
        alone = calls_of(self._plain.library, whole=True)
        for macro in self._plain.library.macros:
            if macro.kind == "query" and macro.name in calls:
                found = self._in_sql(macro, alone.get(macro.name, {}))
                found = found or self._in_jinja(calls[macro.name], macro.name in alone)
                if found is not None:
                    yield macro.name, found

    # --- variables of SQLMesh in SQL

    def _in_sql(self, macro: Macro, calls: Calls) -> Family | None:
        """Where all that the macro says is SQL, and so is all that its calls say."""
        if len(calls) < _LEAST or not self._is_one_layer(calls):
            return None
        if not all(map(self._is_plain_name, calls)):
            return None
        library, dialect = self._plain.library, self._where.dialect
        said = spelled(template(aloud(macro.tree), dialect, library.calls), self._where)
        text = as_variables(bound_variables(said, self._plain.bound) or said, macro.params)
        rows = {model: self._sql_row(macro, call) for model, call in calls.items()}
        if not text or not all(rows.values()):
            return None
        return Family(macro, {m: row for m, row in rows.items() if row is not None}, text, True)

    def _sql_row(self, macro: Macro, call: MacroCall) -> Mapping[str, str] | None:
        leaves = dict((*call.unsaid, *call.args))
        found = {n: said for n in macro.params if n in leaves
                 and (said := self._as_sql(leaves[n])) is not None}  # fmt: skip
        return found if len(found) == len(macro.params) else None

    # --- Jinja

    def _in_jinja(self, calls: Calls, whole: bool) -> Family | None:
        """Where macros are called in it; only those models whose calls say what SQL can be."""
        macro = self._macros[next(iter(calls.values())).macro]
        leaves = {model: dict((*call.unsaid, *call.args)) for model, call in calls.items()}
        said = {name for call in calls.values() for name, _ in call.args}
        ways = {name: self._way(macro, name, [of.get(name) for of in leaves.values()])
                for name in macro.params if name in said}  # fmt: skip
        rows = dict[str, dict[str, str]]()
        for model, of in leaves.items():
            row = {n: text for n, way in ways.items()
                   if (text := self._said(way, of.get(n), macro, n)) is not None}  # fmt: skip
            if len(row) == len(ways) and self._is_plain_name(model):
                rows[model] = row
        whole = whole and len(rows) == len(calls)
        if len(rows) < _LEAST or not self._is_one_layer(rows):
            return None
        usual_, open_ = self._usual(macro), set[str]()
        may = {n for n, way in ways.items() if self._may_be_open(macro, n, way, whole)}
        for model, row in rows.items():
            left = may & {name for name, _ in calls[model].unsaid}
            rows[model] = {n: sql for n, sql in row.items() if n not in left}
            open_ |= left
        blueprint = {n: _given(n, way, usual_[n] if n in open_ else "") for n, way in ways.items()}
        if whole:
            made = self._whole(macro, usual_ | blueprint)
        else:
            made = called(macro.name, [f"{name}={text}" for name, text in blueprint.items()])
        return Family(macro, rows, spelled(made, self._where), whole)

    def _usual(self, macro: Macro) -> dict[str, str]:
        library, dialect = self._spoken.project.library, self._where.dialect
        return {n: usual(text, dialect, library.calls) for n, text in macro.defaults.items()}

    def _may_be_open(self, macro: Macro, name: str, way: Way, whole: bool) -> bool:
        """Whether a blueprint may leave it out: what it is then can be said behind the block."""
        text = macro.defaults.get(name)
        if text is None or way == "names":
            return False
        return whole or not (HOLE.search(text) or HANDED_ON.search(text))

    def _way(self, macro: Macro, name: str, leaves: Sequence[Leaf | None]) -> Way:
        """How most of the calls can say it."""
        counts = {way: sum(self._said(way, leaf, macro, name) is not None for leaf in leaves)
                  for way in _BACK}  # fmt: skip
        return max(counts, key=counts.__getitem__)

    def _whole(self, macro: Macro, said: Mapping[str, str]) -> str:
        project = self._spoken.project
        heads = [f"{{% set {n} = {said[n]} %}}" for n in parameters(macro)]
        return "\n".join([*heads, macro_body(project, macro, self._spoken.of(macro.name))])

    def _said(self, way: Way, leaf: Leaf | None, macro: Macro, name: str) -> str | None:
        """What a blueprint says; None where it cannot say it so."""
        if leaf is None:
            return None
        if name in self._spoken.of(macro.name) and (table := table_name(leaf.text)):
            leaf = Leaf("condition", table)
        match way:
            case "names":
                names = _WORDS.findall(leaf.text) if NAMES.fullmatch(leaf.text) else []
                return f"({', '.join(names)})" if names else None
            case "text":
                return self._as_text(leaf)
            case "sql":
                return self._as_sql(leaf) if leaf.kind != "string" else None
            case _:
                assert_never(way)

    def _as_text(self, leaf: Leaf) -> str | None:
        """What has one sign around what is meant."""
        if leaf.kind == "string":
            return self._as_sql(leaf) if not _NEVER & {*leaf.text} - {"'"} else None
        text = None if TOKEN.search(leaf.text) else value(leaf, self._where)
        if text is None or not _NEVER & {*text}:
            return text if text is None else f"'{text}'"
        return f"({text})" if "@" not in text and self._is_same(f"({text})") else None

    def _as_sql(self, leaf: Leaf) -> str | None:
        said = value(leaf, self._where)
        return said if said and "@" not in said and self._is_same(said) else None

    def _is_same(self, text: str) -> bool:
        return _is_same(text, self._where.dialect)

    def _is_plain_name(self, model: str) -> bool:
        """Whether a blueprint can say it: no `case`. (`at`, which DuckDB reserves, it can.)"""
        dialect = self._where.dialect
        return not needs_quotes(model, dialect) and isinstance(_read(model, dialect), exp.Column)

    def _is_one_layer(self, models: Mapping[str, object]) -> bool:
        return len({self._where.layers[model] for model in models}) == 1


def _given(name: str, way: Way, usual_: str) -> str:
    """What a blueprint says, as Jinja has it; ``usual_``: what it is where that is nothing."""
    if not usual_:
        return f"blueprint_var('{name}'){_BACK[way]}"
    if way == "text":
        usual_ = f'"{usual_}"' if _TEXT.fullmatch(usual_) else f'"\'" ~ {usual_} ~ "\'"'
    return f"blueprint_var('{name}', {usual_}){_BACK[way]}"


@lru_cache(maxsize=1 << 12)
def _is_same(text: str, dialect: str) -> bool:
    """Whether a blueprint can say it, and SQLMesh prints what stands there."""
    said = _read(text, dialect)
    return said is not None and said.sql(dialect or None) == text


def _read(text: str, dialect: str) -> exp.Expr | None:
    """What a blueprint says, as SQLMesh reads it; None where it cannot."""
    try:
        tree = sqlglot.parse_one(f"SELECT (a := {text}, b := 1)", read=dialect or None)
    except SqlglotError:
        return None
    row = tree.expressions[0] if isinstance(tree, exp.Select) and tree.expressions else None
    if not isinstance(row, exp.Tuple) or len(row.expressions) != 2:
        return None
    said = row.expressions[0]
    return said.expression if isinstance(said, exp.PropertyEQ) else None
