"""Data tests as SQLMesh knows them: audits of its own, and one of ours for foreign keys."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final, assert_never

from sqlglot import exp

from unwet.rewrite.data_tests.values import Accepted, DataTest, NotNull, Related, Unique
from unwet.rewrite.targets.placing import identifier

RELATED: Final = "audits/related.sql"
RELATED_SQL: Final = """\
AUDIT (
  name related
);

-- values that stand in no row of the other relation
SELECT
  t.@column
FROM @this_model AS t
WHERE
  t.@column IS NOT NULL
  AND NOT EXISTS(
    SELECT
      1
    FROM @relation AS o
    WHERE
      o.@field = t.@column
  );
"""
Name = Callable[[str], str]  # of a relation from outside: what SQL calls it


def audits(tests: Iterable[DataTest], dialect: str, name: Name) -> Iterator[str]:
    """Each test as an entry of `audits (...)`; what is only assumed does not stop a run."""
    for test in tests:
        kind, arguments = _audit(test, dialect, name)
        if not test.certain:
            arguments["blocking"] = "FALSE"
        said = ", ".join(f"{key} := {value}" for key, value in arguments.items())
        yield f"{kind}({said})"


def external_audits(tests: Iterable[DataTest], dialect: str, name: Name) -> list[dict[str, object]]:
    """The same, as external_models.yaml has them."""
    found: list[dict[str, object]] = []
    for test in tests:
        kind, arguments = _audit(test, dialect, name)
        entry: dict[str, object] = {"name": kind, **arguments}
        found.append(entry if test.certain else {**entry, "blocking": "false"})
    return found


def grain(tests: Iterable[DataTest], dialect: str) -> str:
    """The key that the query guarantees; empty where there is none."""
    for test in tests:
        if test.certain and isinstance(test.check, Unique):
            return _columns(test.check.columns, dialect)
    return ""


def common(tests: Iterable[tuple[DataTest, ...]]) -> tuple[DataTest, ...]:
    """The tests that all models of a family have."""
    first, *others = list(tests)
    sure = [{(each.check, each.certain) for each in other} for other in others]
    return tuple(t for t in first if all((t.check, t.certain) in each for each in sure))


def needs_related(tests: Iterable[Iterable[DataTest]]) -> bool:
    """Whether a foreign key is tested."""
    return any(isinstance(test.check, Related) for some in tests for test in some)


def _audit(test: DataTest, dialect: str, name: Name) -> tuple[str, dict[str, str]]:
    match test.check:
        case Unique(columns=(column,)):
            return "unique_values", {"columns": _columns((column,), dialect)}
        case Unique(columns=columns):
            return "unique_combination_of_columns", {"columns": _columns(columns, dialect)}
        case NotNull(column=column):
            return "not_null", {"columns": _columns((column,), dialect)}
        case Accepted(column=column, values=values):
            texts = ", ".join(exp.Literal.string(v).sql(dialect or None) for v in values)
            listed = f"({texts},)" if len(values) == 1 else f"({texts})"
            return "accepted_values", {"column": identifier(column, dialect), "is_in": listed}
        case Related(column=column, relation=relation, field=field):
            return "related", {
                "column": identifier(column, dialect),
                "relation": name(relation),
                "field": identifier(field, dialect),
            }
        case _:
            assert_never(test.check)


def _columns(names: Iterable[str], dialect: str) -> str:
    return f"({', '.join(identifier(each, dialect) for each in names)})"


def named(outside: Mapping[str, str]) -> Name:
    """From legacy names to those in the project; what it does not read keeps its name."""
    return lambda relation: outside.get(relation, relation)
