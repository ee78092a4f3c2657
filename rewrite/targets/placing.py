"""What the relations of a project are called where no `ref` or `source` stands for them: models in
two schemas of the project's own, sources as the pile calls them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Final

from sqlglot import exp

from unwet.lineage.names import (
    is_other_in_quotes,
    is_reserved,
    is_reserved_by,
    longest_name,
    name_size,
)
from unwet.lineage.trees import texts
from unwet.rewrite.compose import Draft, NotComposable, Outside
from unwet.rewrite.project import Project
from unwet.rewrite.staging import staging
from unwet.rewrite.targets.tokens import TOKEN, named

STAGING, INTERMEDIATE, MARTS = LAYERS = ("staging", "intermediate", "marts")
# a quoted token would be quoted twice
_QUOTED: Final = re.compile(r"([`\"\[])((ref|src)__\w+?__\3)[`\"\]]", re.IGNORECASE)
# Where an engine looks for a table without a schema.
DEFAULT_SCHEMAS: Final = {"postgres": "public", "redshift": "public", "tsql": "dbo",
                          "fabric": "dbo", "snowflake": "PUBLIC", "hive": "default",
                          "spark": "default", "databricks": "default",
                          "clickhouse": "default"}  # fmt: skip
MAIN: Final = ("", "duckdb", "sqlite")


@dataclass(frozen=True, slots=True)
class Places:
    """Where everything is. ``layers``: the schema of each model's layer by the model's name,
    ``outside``: sources by their tokens; ``schemas``: whether the dialect has any; ``default``: the
    one of sources that have none in the pile, where they need one."""

    dialect: str
    layers: Mapping[str, str]
    outside: Mapping[str, Outside]
    schemas: bool
    default: str = ""

    def model(self, name: str) -> str:
        """The model as SQL calls it."""
        parts = [self.layers[name], name] if self.schemas else [name]
        return ".".join(identifier(part, self.dialect) for part in parts)

    def relation(self, kind: str, name: str) -> str:
        """What the token of a model or source stands for, as SQL."""
        if kind == "ref":
            return self.model(name)
        return self.source(self.outside[f"src__{name}__src"])

    def source(self, outside: Outside) -> str:
        """The source as SQL calls it."""
        return source_name(outside, self.dialect, self.default)

    def filled(self, text: str) -> str:
        """SQL with names in place of the tokens of relations."""

        def put(hit: re.Match[str]) -> str:
            kind = hit["kind"].lower()
            known = kind in ("ref", "src")
            return self.relation(kind, hit["name"].lower()) if known else hit.group()

        return TOKEN.sub(put, _QUOTED.sub(r"\2", text))


def places(project: Project, schemas: bool = True, default: str = "") -> Places:
    """Where the models of a project go: layers that are schemas of sources already get another
    name."""
    everything = (*project.drafts, *project.intermediates)
    outside = {each.token.lower(): each for draft in everything for each in draft.outside}
    taken = {each.schema.rpartition(".")[2].lower() for each in outside.values()}
    free = {name: _free(name, project.name, taken) for name in LAYERS}
    layers = {name: free[layer] for name, layer in layer_of(project).items()}
    return Places(project.dialect, layers, outside, schemas, default)


def unplaced(project: Project) -> tuple[Outside, ...]:
    """The sources that the pile names without a schema, unless it also has a schema of the name
    under which the project has these."""
    outside = project.outside()
    bare = tuple(each for each in outside if "." not in each.relation)
    taken = {each.schema.lower() for each in outside if "." in each.relation}
    return () if taken & {each.schema.lower() for each in bare} else bare


def home(project: Project) -> str:
    """Where the engine looks for these; nothing where that is for the user's settings to say, or
    where the pile reads a table of that schema that is called as one of these."""
    known = DEFAULT_SCHEMAS.get(project.dialect, "main" if project.dialect in MAIN else "")
    there = {each.relation.lower() for each in project.outside()}
    both = any(f"{known}.{each.relation}".lower() in there for each in unplaced(project))
    return "" if both else known


def readers_of(project: Project) -> dict[str, list[str]]:
    """By model: those that read it directly."""
    found: dict[str, list[str]] = {}
    for draft in (*project.drafts, *project.intermediates):
        for ref in draft.refs:
            found.setdefault(ref, []).append(draft.name)
    return found


def layer_of(project: Project) -> dict[str, str]:
    """Marts, intermediate or staging, by the name of a model."""
    first = staging(project)
    found = {draft.name: MARTS for draft in project.drafts}
    found |= {each.name: STAGING if each.name in first else INTERMEDIATE
              for each in project.intermediates}  # fmt: skip
    return found


def check_names(draft: Draft, dialect: str) -> None:
    """Raises NotComposable where the engine cannot have a relation of the draft's name."""
    (size, what), longest = name_size(draft.name, dialect), longest_name(dialect)
    if longest and size > longest:
        raise NotComposable(f"its name has {size} {what}, more than the {longest} of {dialect}")


def variables(tree: exp.Expr, outside: Iterable[Outside] = ()) -> frozenset[str]:
    """The placeholders of the pile that are left in a tree or in the names of its sources."""
    words = [*texts(tree), *(f"{each.schema}.{each.table}" for each in outside)]
    return named(" ".join(words), "p")


def references(tree: exp.Expr) -> frozenset[str]:
    """The models that a tree reads."""
    return named(" ".join(texts(tree)), "ref")


def source_name(outside: Outside, dialect: str, default: str = "") -> str:
    """The source as the pile calls it; where it has no schema there, in the ``default`` one."""
    schema = outside.schema if "." in outside.relation else default
    parts = [*(schema.split(".") if schema else ()), outside.table]
    return ".".join(identifier(part, dialect) for part in parts)


@lru_cache(maxsize=4096)
def identifier(name: str, dialect: str) -> str:
    """A name as SQL, quoted where it would not be read as that name otherwise."""
    quoted = needs_quotes(name, dialect)
    return exp.to_identifier(name, quoted=quoted).sql(dialect=dialect or None)


def needs_quotes(name: str, dialect: str) -> bool:
    """Whether it is no plain name, or one that SQL has, or another one without quotes. (What only
    one engine reserves, most printers know.)"""
    bare = re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII) and not is_reserved(name)
    return not bare or is_reserved_by(name, dialect) or is_other_in_quotes(name, dialect)


def in_order(reads: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """All names, each after those that it reads, otherwise by name; those that read each other in
    a circle by name."""
    left = {name: sorted(each for each in reads[name] if each in reads) for name in sorted(reads)}
    while True:
        try:
            return tuple(TopologicalSorter(left).static_order())
        except CycleError as error:
            ring = set(error.args[1])
            left |= {name: [r for r in left[name] if r not in ring] for name in sorted(ring)}


def _free(name: str, project: str, taken: Iterable[str]) -> str:
    return f"{project}_{name}" if name in taken else name
