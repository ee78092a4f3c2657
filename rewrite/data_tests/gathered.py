"""All tests of a project, from the plans of its models and from what is declared.

Of each model: its grain (the smallest key), the columns of that without NULLs and outputs that
have a default, and outputs with a closed list of texts. Of each source: what is declared, and what
the reports assume.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from unwet.lineage.tables import Catalog
from unwet.rewrite.algebra import Call, Expr, Project, Rel
from unwet.rewrite.data_tests.assumed import related, told_apart
from unwet.rewrite.data_tests.rows import Rows
from unwet.rewrite.data_tests.texts import Domains
from unwet.rewrite.data_tests.values import Accepted, DataTest, NotNull, Unique

MAX_GRAIN: Final = 5  # a key of more columns says "every row once", which nobody would look for


@dataclass(frozen=True, slots=True)
class Meant:
    """What a model means: the names of its columns, and their rows in normal form."""

    names: tuple[str, ...]
    rel: Rel


@dataclass(slots=True)
class _Known:
    """What is known of relations that are read: of models what was found before, of others what
    is declared, where `declared` counts."""

    catalog: Catalog
    declared: bool
    made: dict[str, tuple[tuple[str, ...], frozenset[frozenset[str]], frozenset[str]]] = field(
        default_factory=dict
    )

    def keys(self, relation: str) -> Iterable[frozenset[str]]:
        """Those of a model, else the declared ones."""
        if relation in self.made:
            return self.made[relation][1]
        table = self.catalog.get(relation) if self.declared else None
        return (frozenset(key) for key in table.keys) if table is not None else ()

    def filled(self, relation: str) -> frozenset[str]:
        """The columns without NULLs: of a model, else the declared ones."""
        if relation in self.made:
            return self.made[relation][2]
        table = self.catalog.get(relation) if self.declared else None
        return frozenset(c.name for c in table.columns if c.not_null) if table else frozenset()

    def kind(self, relation: str, column: str) -> str:
        """The declared type without its size; "any" for all where assumptions count."""
        if self.declared:
            return "any"
        return self.catalog.type_of(relation, column).partition("(")[0].lower()


def of_models(
    models: Mapping[str, Meant], relations: Mapping[str, str], catalog: Catalog
) -> dict[str, tuple[DataTest, ...]]:
    """Tests by model. `models` come in the order in which they read each other; `relations`: the
    name by which other plans call a model."""
    sure, likely = Rows(_Known(catalog, False)), Rows(_Known(catalog, True))
    domains = Domains()
    found: dict[str, tuple[DataTest, ...]] = {}
    for name, meant in models.items():
        lower = tuple(each.lower() for each in meant.names)
        if len(set(lower)) < len(lower) or "*" in lower:
            continue  # a name that means two columns, or a whole row, can be tested of neither
        for rows in (sure, likely):
            _note(rows, relations.get(name, name), lower, meant.rel)
        found[name] = tuple(_tests(meant, sure, likely, domains))
    return {name: tests for name, tests in found.items() if tests}


def _note(rows: Rows, relation: str, names: tuple[str, ...], rel: Rel) -> None:
    keys = frozenset(frozenset(names[i] for i in key) for key in rows.keys(rel))
    filled = frozenset(names[i] for i in rows.filled(rel))
    assert isinstance(rows.given, _Known)
    rows.given.made[relation] = names, keys, filled


def _tests(meant: Meant, sure: Rows, likely: Rows, domains: Domains) -> Iterator[DataTest]:
    grain, certain = _grain(meant, sure, likely)
    if grain:
        words = (
            "one row for each" if certain else "one row for each, as long as declared keys are keys"
        )
        yield DataTest(Unique(tuple(meant.names[i] for i in grain)), certain, words)
    wanted = {*grain, *_defaulted(meant.rel)}
    for at in sorted(wanted):
        holds = at in sure.filled(meant.rel)
        if holds or at in likely.filled(meant.rel):
            words = "never NULL" if holds else "follows from what is declared NOT NULL"
            yield DataTest(NotNull(meant.names[at]), holds, words)
    for at, name in enumerate(meant.names):
        texts = domains.texts(meant.rel, at)
        if texts is not None and len(texts) > 1:
            words = "its query gives no other texts"
            yield DataTest(Accepted(name, tuple(sorted(texts))), True, words)


def _grain(meant: Meant, sure: Rows, likely: Rows) -> tuple[tuple[int, ...], bool]:
    for rows in (sure, likely):
        keys = [k for k in rows.keys(meant.rel) if 0 < len(k) <= MAX_GRAIN]
        if keys and max(map(max, keys)) < len(meant.names):
            best = min(keys, key=lambda key: (len(key), sorted(key)))
            return tuple(sorted(best)), rows is sure
    return (), False


def _defaulted(rel: Rel) -> Iterator[int]:
    """Outputs that say what stands for NULL."""
    if isinstance(rel, Project):
        yield from (i for i, expr in enumerate(rel.exprs) if _has_default(expr))


def _has_default(expr: Expr) -> bool:
    return isinstance(expr, Call) and expr.op == "coalesce"


def of_sources(
    relations: Iterable[str], plans: Mapping[str, Rel], catalog: Catalog
) -> dict[str, tuple[DataTest, ...]]:
    """Tests by relation from outside; all of them are assumptions. `plans`: normal forms by
    report."""
    wanted = set(relations)
    rows = Rows(_Known(catalog, True))
    looked, texts = related(plans, rows), told_apart(plans)
    found = {
        relation: (
            *_declared(relation, catalog),
            *(t for t in looked.get(relation, ()) if _is_outside(t, wanted)),
            *texts.get(relation, ()),
        )
        for relation in sorted(wanted)
    }
    return {relation: tests for relation, tests in found.items() if tests}


def _is_outside(test: DataTest, wanted: set[str]) -> bool:
    return getattr(test.check, "relation", "") in wanted


def _declared(relation: str, catalog: Catalog) -> Iterator[DataTest]:
    table = catalog.get(relation)
    if table is None:
        return
    for key in table.keys:
        yield DataTest(Unique(key), False, "declared as a key")
    for column in table.columns:
        if column.not_null:
            yield DataTest(NotNull(column.name), False, "declared NOT NULL")
