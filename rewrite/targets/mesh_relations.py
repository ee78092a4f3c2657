"""Names of relations that a template puts together: a table of any name in a schema, a model whose
name has a parameter in it. SQLMesh has no `ref` and no `source` that know what these are called.

    source('cdm', table)  ->  'cdm.' ~ table
    source(origin ~ '_stable', 'pings')  ->  origin ~ '_stable.pings'
    ref('daily_' ~ country)  ->  'marts.daily_' ~ country

Where tables are called otherwise than each other, a macro of the project's has their names.

table_of(schema, said, places), model_of(said, places) -> the expression that prints the name
in_schema(schema, said, places): the same where the schema is an expression, too
with_source_names(files, places) -> the files, with that macro where they call it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from sqlglot import exp

from unwet.rewrite.targets.jinja_values import quoted
from unwet.rewrite.targets.placing import Places

_BEGINS: Final = re.compile(r"'(\w*)'")
_QUOTES: Final = '`"['
_ENDS: Final = re.compile(r".*~ '(\w+)'", re.DOTALL)
_CALLED: Final = re.compile(r"\bsource\((?:'(\w+)', )?")
_HEAD: Final = "{# What each table is called in SQL. #}\n{% macro source(schema, table) %}"


def table_of(schema: str, said: str, where: Places) -> str:
    """For ``source(schema, said)``, where ``said`` is an expression."""
    names = _tables(schema, where)
    return _put_together(names, said, where.dialect) or f"source('{schema}', {said})"


def in_schema(schema: str, said: str, where: Places) -> str:
    """For ``source(schema, said)``, where ``schema`` is an expression, and ``said`` another one or
    a text."""
    table = _BEGINS.fullmatch(said)
    known = {(name, each): sql for name in _schemas(where) if _may_be(name, schema)
             for each, sql in _tables(name, where).items()
             if table is None or each == table[1]}  # fmt: skip
    around = [{*_around_both(*names, sql, where.dialect)} for names, sql in known.items()]
    same = set.intersection(*around) if around else set()
    if same:
        before, between, after = min(same, key=lambda each: len("".join(each)))
        return _joined([f"'{before}'", schema, f"'{between}'", said, f"'{after}'"])
    if table is None:
        return f"source({schema}, {said})"
    return f"{{{', '.join(_items({name: sql for (name, _), sql in known.items()}))}}}[{schema}]"


def model_of(said: str, where: Places) -> str:
    """For ``ref(said)``, where ``said`` is an expression, which may begin with a text."""
    hit = _BEGINS.match(said)
    first = hit[1] if hit is not None else ""
    names = {name: where.model(name) for name in where.layers if name.startswith(first)}
    return _put_together(names, said, where.dialect) or f"{{{', '.join(_items(names))}}}[{said}]"


def with_source_names(files: Mapping[str, str], where: Places) -> dict[str, str]:
    """The files, and ``source`` as a macro where one of them calls it."""
    called = {schema for text in files.values() for schema in _CALLED.findall(text)}
    if not called:
        return dict(files)
    if "" in called:  # it is any
        called = {*_schemas(where)}
    lines = [_HEAD, "{{- {"]
    for schema in sorted(called):
        lines += [
            f"    '{schema}': {{",
            *(f"        {item}," for item in _items(_tables(schema, where))),
            "    },",
        ]
    lines += ["}[schema][table] -}}", "{% endmacro %}", ""]
    return {**files, "macros/source.sql": "\n".join(lines)}


def _schemas(where: Places) -> list[str]:
    """What `source` calls the schemas."""
    return sorted({each.source.lower() for each in where.outside.values()})


def _may_be(name: str, said: str) -> bool:
    """Whether an expression may print the name, by the texts that it begins and ends with."""
    first, last = _BEGINS.match(said), _ENDS.fullmatch(said)
    return name.startswith(first[1] if first else "") and name.endswith(last[1] if last else "")


def _tables(schema: str, where: Places) -> dict[str, str]:
    """What `source` calls the tables of a schema, and what each is as SQL."""
    before, after = f"src__{schema}__".lower(), "__src"
    return {token.removeprefix(before).removesuffix(after): where.source(outside)
            for token, outside in where.outside.items() if token.startswith(before)}  # fmt: skip


def _items(names: Mapping[str, str]) -> list[str]:
    return [f"{quoted(name)}: {quoted(sql)}" for name, sql in sorted(names.items())]


def _put_together(names: Mapping[str, str], said: str, dialect: str) -> str:
    """What is around all of the names alike and, between, which one it is; empty where they differ
    otherwise."""
    around = [{*_around(name, sql, dialect)} for name, sql in names.items()]
    same = set.intersection(*around) if around else set()
    if not same:
        return ""
    before, after = min(same, key=lambda each: len(each[0] + each[1]))
    end = f" ~ {quoted(after)}" if after else ""
    if _BEGINS.match(said):  # two texts are one
        return f"'{before}{said[1:]}{end}"
    return f"{quoted(before)} ~ {said}{end}"


def _around(name: str, sql: str, dialect: str) -> Iterator[tuple[str, str]]:
    """What is in front of the last part of a name and behind it, as it is and in quotes."""
    in_quotes = exp.to_identifier(name, quoted=True).sql(dialect or None)
    if in_quotes[1:-1] == name and sql.endswith(in_quotes):
        yield sql.removesuffix(in_quotes) + in_quotes[0], in_quotes[-1]
    elif sql.endswith(f".{name}") or sql == name:
        yield sql.removesuffix(name), ""
        if in_quotes[1:-1] == name:
            yield sql.removesuffix(name) + in_quotes[0], in_quotes[-1]


def _around_both(schema: str, table: str, sql: str, dialect: str) -> Iterator[tuple[str, str, str]]:
    """What is in front of the last two parts of a name, between and behind them."""
    for around, end in _around(table, sql, dialect):
        in_front = around.rstrip(_QUOTES)
        sign = around.removeprefix(in_front)
        for before, behind in _around(schema, in_front.removesuffix("."), dialect):
            yield before, f"{behind}.{sign}", end


def _joined(parts: Iterable[str]) -> str:
    """Texts and expressions one after the other; what is a text beside another one is one."""
    found: list[str] = []
    for part in parts:
        if part == "''":
            continue
        if found and found[-1].endswith("'") and part.startswith("'"):
            found[-1] = f"{found[-1][:-1]}{part[1:]}"
        else:
            found.append(part)
    return " ~ ".join(found)
