"""What a pile produces: the states of its relations, and the reports that are left of them."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Final

from sqlglot import exp

from unwet.lineage.findings import Finding, Span
from unwet.lineage.names import marked_within
from unwet.lineage.resolve import Resolved
from unwet.lineage.templating import TOKEN
from unwet.rewrite.algebra import Plan

# `p__a__pp__b__p_2004`: all placeholders before a name but the last
_FIRST_OF_SEVERAL: Final = re.compile(r"^(?:p__\w+?__p)+(?=p__\w+?__p)", re.IGNORECASE)
_SAYS_NOTHING: Final = 3  # files of one name, so that it is no name
_BETWEEN: Final = re.compile(r"_*[^a-z0-9_][^a-z0-9]*")  # signs and blanks between words
# "Introduction to materialized views" (BigQuery) and "Working with Materialized Views" (Snowflake):
# what has changed since is read from the tables under them
_ALWAYS_FRESH: Final = frozenset({"bigquery", "snowflake"})
LONGEST: Final = 60  # bytes of 63 that PostgreSQL keeps; a number may come behind the name


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """One state of a relation of the pile.

    ``parts`` are the statements that put its rows there, in order; ``reads`` the definitions of
    other pile relations they read, ``early`` the relations they read that nobody had made yet.
    ``plan`` is None when the rows cannot be told statically, ``doubt`` says why; ``problem`` says
    why not even a model can be written for it. ``filled`` are columns that fill themselves when
    an INSERT leaves them out (defaults, identities). ``assumed`` is what is taken for
    granted: of the time before the scripts run, and of what text that is not followed does.
    ``made``: the types of the columns of a table that a query makes, as far as they are certain.
    ``as_inserted``: nobody declares its columns, which have the types of what is inserted. ``of``
    is the relation that this is one script's own state of, where several write it in turn;
    ``relation`` is then a name of its own. ``was``: the relation that this is an earlier state of,
    which a later statement of its script has changed; it is then read as a temporary table.
    ``at``: the place of text that is no statement for anybody, which has no parts to stand at.
    """

    relation: str
    path: str
    parts: tuple[Resolved, ...]
    reads: tuple[Definition, ...]
    plan: Plan | None
    columns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    made: tuple[str, ...] = ()
    temp: bool = False
    doubt: str = ""
    problem: str = ""
    filled: frozenset[str] = frozenset()
    early: frozenset[str] = field(default=frozenset())
    assumed: frozenset[str] = field(default=frozenset())
    as_inserted: bool = False
    of: str = ""
    was: str = ""
    at: Span | None = None

    @property
    def statements(self) -> tuple[Resolved, ...]:
        """All that made its rows: those behind its earlier states, then its parts."""
        own = {self.relation, self.was} - {""}
        earlier = (each for read in self.reads if read.was in own for each in read.statements)
        return (*earlier, *self.parts)

    @property
    def is_view(self) -> bool:
        """Whether it is read anew each time."""
        return any(part.kind == "view" and not is_stored(part) for part in self.parts)


def is_stored(part: Resolved) -> bool:
    """Whether a statement makes a view that holds the rows it had when it was made or refreshed."""
    tree = part.statement.tree
    if part.kind != "view" or tree.find(exp.MaterializedProperty) is None:
        return False
    fresh = part.statement.dialect in _ALWAYS_FRESH
    return not fresh or "max_staleness" in part.statement.text.lower()


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """One thing the pile produces; ``name`` is unique in the pile and fit for a file name."""

    name: str
    relation: str
    span: Span
    definition: Definition


@dataclass(frozen=True, slots=True)
class EndState:
    """All reports, sorted by name, and what was noticed on the way.

    ``unfollowed``: the scripts that may write, in a way nobody followed, what a report is or reads.
    """

    reports: tuple[Report, ...]
    findings: tuple[Finding, ...] = ()
    unfollowed: frozenset[str] = field(default=frozenset())

    def called(self, names: Mapping[str, str]) -> EndState:
        """The same with other names for some reports."""
        reports = (replace(each, name=names.get(each.name, each.name)) for each in self.reports)
        return replace(self, reports=tuple(sorted(reports, key=lambda each: each.name)))


def named(definitions: Iterable[Definition]) -> tuple[Report, ...]:
    """A report per definition, each with a name of its own that does not depend on their order. Of
    scripts that are called alike the first keeps the name, and what the folders of the others have
    of their own stands behind it: `adoption`, `adoption_2022`, `adoption_2022_shops`. Text that is
    no statement becomes no model, and takes no name from one that does."""
    every = tuple(definitions)
    stems = _told_by_folders(every, _stems(every))
    first: dict[str, Definition] = {}
    taken = {_short(stem) for stem in stems.values()}
    reports = []
    for definition in sorted(every, key=lambda each: (stems[each], not each.parts, *_place(each))):
        stem = stems[definition]
        name = _short(stem)
        if stem in first:
            own = own_folders(definition.path, first[stem].path)
            name = _free(_short(f"{stem}_{own}") if own else name, taken)
        first.setdefault(stem, definition)
        taken.add(name)
        span = definition.at or _span(definition)
        reports.append(Report(name, definition.relation, span, definition))
    return tuple(sorted(reports, key=lambda r: r.name))


def _place(definition: Definition) -> tuple[str, int, int, str]:
    span = _span(definition)
    return definition.path, span.line, span.column, definition.relation


def _told_by_folders(
    definitions: Sequence[Definition], stems: Mapping[Definition, str]
) -> dict[Definition, str]:
    """The stems, but where most scripts of bare queries are called alike (``query.sql``): there the
    folder tells what they are, and the one above it whose, if others have such a folder, too."""
    bare = [each for each in definitions if not each.relation]
    files = Counter(stems[each] for each in {each.path: each for each in bare}.values())
    said, many = files.most_common(1)[0] if files else ("", 0)
    if many < _SAYS_NOTHING or 2 * many < files.total():
        return {**stems}
    folders = {each: _folders(each.path) for each in bare if stems[each] == said}
    known = Counter(words[-1] for words in set(folders.values()) if words)
    called = {
        each: _clean("_".join(words[: -3 if known[words[-1]] > 1 else -2 : -1]))
        for each, words in folders.items()
        if words
    }
    return {**stems, **called}


def own_folders(path: str, other: str) -> str:
    """The folders of a path that another one has not in their place, as words for a name."""
    own, others = _folders(path), _folders(other)
    told = [word for word, there in zip_longest(own, others) if word and word != there]
    return _BETWEEN.sub("_", "_".join(told).lower()).strip("_")


def _folders(path: str) -> tuple[str, ...]:
    return tuple(path.replace("\\", "/").split("/")[:-1])


def _stems(definitions: Sequence[Definition]) -> dict[Definition, str]:
    """What each is called. Of placeholders before a name (``@schema@dot@prefix_2004``) the last one
    is enough, where that is said of nothing else."""
    whole = {each: _raw(each) for each in definitions}
    short = {each: _clean(_FIRST_OF_SEVERAL.sub("", raw)) for each, raw in whole.items()}
    meant: dict[str, set[str]] = defaultdict(set)
    for each, raw in whole.items():
        meant[short[each]].add(raw.lower())
    stems = {each: short[each] if len(meant[short[each]]) == 1 else _clean(raw)
             for each, raw in whole.items()}  # fmt: skip
    return {**stems, **_told_by_schemas(stems)}


def _told_by_schemas(stems: Mapping[Definition, str]) -> dict[Definition, str]:
    """Those whose relations of several schemas are called alike: `orders_shop`, `orders_crm`."""
    schemas: dict[str, set[str]] = defaultdict(set)
    for each, stem in stems.items():
        schemas[stem] |= {_schema(each)} if each.relation else set()
    return {each: f"{stem}_{_clean(schema.rpartition('.')[2])}" for each, stem in stems.items()
            if (schema := _schema(each)) and len(schemas[stem]) > 1}  # fmt: skip


def _schema(definition: Definition) -> str:
    """With its database, where that is said."""
    return (definition.of or definition.relation).rpartition(".")[0].lower()


def _raw(definition: Definition) -> str:
    *folders, file = definition.path.replace("\\", "/").split("/")
    own = definition.of.split(".")[-1]
    if not own:
        return _without_ending(definition.relation.split(".")[-1] or file)
    script = _without_ending(file)
    if folders and script.lower() == own.lower():  # its folder tells it from others, if anything
        script = folders[-1]
    return f"{own}_{script}"


def _without_ending(raw: str) -> str:
    for ending in (".jinja", ".j2", ".sql", ".hql", ".ddl"):
        if raw.lower().endswith(ending):  # Windows knows it as .SQL
            raw = raw[: -len(ending)]
    return raw


def _clean(raw: str) -> str:
    raw = TOKEN.sub(r"\1", raw)
    clean = _BETWEEN.sub("_", raw.lower()).strip("_")
    return clean if clean and not clean[0].isdigit() else f"report_{clean}".rstrip("_")


def spoken_in(legacy: Definition, target: str) -> str:
    """The dialect of a definition: that of its first statement."""
    return next((part.statement.dialect for part in legacy.parts), target)


def _short(stem: str) -> str:
    """A long name cut, and told from others that begin alike by a digest of all of it."""
    if len(stem.encode()) <= LONGEST:
        return stem
    return marked_within(stem, LONGEST, mark_bytes=3)


def _free(stem: str, taken: set[str]) -> str:
    name, n = stem, 1
    while name in taken:
        n += 1
        name = f"{stem}_{n}"
    return name


def _span(definition: Definition) -> Span:
    if definition.parts:
        return definition.statements[0].statement.span
    return Span(definition.path, 1, 1, 1, 1)
