"""Read a dbt project back without dbt: every model as plain SQL, evaluated in a sandbox.

Understood: models/**/*.sql with macros/**/*.sql, `ref`, `source` (located through the YAML files
beside the models), `var` (defaults from dbt_project.yml), `config`, `this`, `target`, `return`,
seeds (by name). Not understood, and said so per model: packages, `run_query`, `env_var`, hooks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from unwet.lineage.errors import PathNotFound
from unwet.rewrite.prove.dbt_names import TARGET, Target, This
from unwet.rewrite.prove.dbt_settings import (
    PLACING,
    SIDE_EFFECTS,
    Settings,
    is_enforced,
    model_settings,
    overridden,
    runs_besides,
)
from unwet.rewrite.prove.hooks import OnStart, calls_of, is_harmless, on_start, writes
from unwet.rewrite.prove.macro_files import load_macros, returned
from unwet.rewrite.prove.project_files import is_inside, mapping, mappings, text_of, yaml_of
from unwet.rewrite.prove.rendered import (
    BadProject,
    Relation,
    RenderedModel,
    RenderedProject,
    RenderFailure,
    Seed,
    failure_of,
    ordered,
    plain,
)
from unwet.rewrite.prove.sandbox import (
    CHARACTERS,
    STEPS,
    Budget,
    Sandbox,
    TemplateFailure,
    guarded,
)

CONFIG = "dbt_project.yml"
_DESCRIBING = {  # settings for folders in which YAML files may describe models
    "model-paths": "models",
    "seed-paths": "seeds",
    "snapshot-paths": "snapshots",
    "analysis-paths": "analyses",
    "macro-paths": "macros",
}
_CALLED = {"model-paths": "source-paths", "seed-paths": "data-paths"}  # until dbt 1.0
_SNAPSHOT = re.compile(r"(?:\{%-?\s*snapshot\s+|\balias\s*=\s*['\"])(\w+)")
_HOOKS = (*SIDE_EFFECTS, *(name.replace("_", "-") for name in SIDE_EFFECTS))


def render_project(
    root: Path, vars: Mapping[str, str] | None = None, relation: Relation = plain
) -> RenderedProject:
    """Render every model below `root`. Raises PathNotFound and BadProject.

    `relation(kind, name)` says what stands in the SQL: kind `ref` with a model or seed name, kind
    `source` with the located `schema.table` (or `database.schema.table`), kind `this`.
    """
    project = _Project(root, vars or {}, relation)
    models = [
        model
        for path in project.files("model-paths", "models", ".sql")
        if (model := project.render(path))
    ]
    failures = project.failures
    models_ = ordered(models, failures)
    failures.extend(project.shadowed(models_))
    told = project.configures_seeds() if project.seeds else False
    seeds = tuple(Seed(path.stem, str(path), told) for path in project.seeds.values())
    target = str(project.settings.get("target-path") or "target")
    return RenderedProject(
        project.name,
        models_,
        seeds,
        tuple(failures),
        project.vars,
        target,
        macros=frozenset(project.macros),
        described=tuple(project.described()),
        doubt=project.doubt(),
        functions=project.on_start.functions,
        notes=tuple(project.notes()),
    )


@dataclass(frozen=True, slots=True)
class Around:
    """What a project says around its models, without rendering them. ``doubt``: why no model need
    have the rows of its query; ``unfollowed``: the same of one, by its name, beside what its own
    file says; ``located``: the tables of sources that are declared; ``made``: models and seeds."""

    doubt: str
    unfollowed: Mapping[str, str]
    located: Mapping[tuple[str, str], str]
    made: frozenset[str]
    vars: Mapping[str, Any]


def around(root: Path) -> Around:
    """Raises PathNotFound and BadProject."""
    project = _Project(root, {}, plain)
    paths = project.files("model-paths", "models", ".sql")
    unfollowed = {path.stem.lower(): why for path in paths if (why := project.unfollowed(path))}
    located = {key: "" if key in project.elsewhere else at for key, at in project.located.items()}
    made = frozenset(name.lower() for name in (*project.known, *project.seeds))
    doubt = project.doubt_of_settings()
    if project.on_start.functions:
        doubt = doubt or "on-run-start makes functions"
    return Around(doubt, unfollowed, located, made, project.vars)


class _Project:
    """A dbt project being read; collects failures, shares one budget."""

    def __init__(self, root: Path, vars: Mapping[str, str], relation: Relation) -> None:
        if not root.is_dir():
            raise PathNotFound(str(root), "give the folder of a dbt project")
        self.root = root.resolve()
        self.failures: list[RenderFailure] = []
        self.relation = relation
        self.settings = self._settings(root)
        # what a large project needs is in proportion to its models, and no endless loop
        times = 1 + len(self.files("model-paths", "models", ".sql")) // 500
        self.environment = Sandbox(Budget(times * STEPS, times * CHARACTERS))
        self.name = str(self.settings.get("name") or root.name)
        self.vars = {**self._defaults(), **vars}
        self.macros: dict[str, Callable[..., Any]] = {}
        self.current = _Model(self, "")  # whose ref() is called, also from inside a macro
        self.functions = self._functions()
        self._load_macros()
        self.seeds = {path.stem: path for path in self.files("seed-paths", "seeds", ".csv")}
        self.aliases: set[str] = set()  # of models, in lower case
        self.elsewhere: set[tuple[str, str]] = set()  # sources whose rows are not in their tables
        self.known = {p.stem for p in self.files("model-paths", "models", ".sql")} | {*self.seeds}
        self.marked: dict[tuple[str, str], str] = {}  # names of sources, with quotes
        self.located, self.properties = self._properties()
        self.hooks: list[object] = []  # of models
        self.targeted: set[tuple[str, str]] = set()  # models, and what they ask of the target

    def files(self, setting: str, default: str, *suffixes: str) -> list[Path]:
        """Files below the folders of a setting; never outside the project."""
        folders = (
            self.settings.get(setting) or self.settings.get(_CALLED.get(setting, "")) or [default]
        )
        found = {
            path
            for folder in (folders if isinstance(folders, list) else [folders])
            for suffix in suffixes
            for path in (self.root / str(folder)).rglob(f"*{suffix}")
            if not path.is_dir() and is_inside(path, self.root)
        }
        return sorted(found)

    def render(self, path: Path) -> RenderedModel | None:
        """One model, or None when it is disabled or failed."""
        self.current = model = _Model(self, path.stem)
        try:
            sql = guarded(lambda: self._template(path).render())
        except TemplateFailure as failure:
            self.fail(path, failure)
            return None
        settings = self._settings_of(path)
        try:
            if not settings.is_enabled(self._expanded):
                return None
            self.hooks += settings.hooks()
            self.aliases |= {str(a).lower() for a in [settings.value("alias")] if a}
            if unfollowed := settings.unfollowed() or self._versions(path):
                raise TemplateFailure(unfollowed)
        except TemplateFailure as failure:
            self.fail(path, failure)
            return None
        return RenderedModel(
            name=path.stem,
            path=str(path),
            sql=sql.strip(),
            refs=tuple(dict.fromkeys(model.refs)),
            sources=tuple(dict.fromkeys(model.sources)),
            materialized=settings.materialized(),
        )

    def described(self) -> list[Path]:
        """The YAML files; what they say of models counts below all of these folders."""
        return sorted(
            path
            for setting, default in _DESCRIBING.items()
            for path in self.files(setting, default, ".yml", ".yaml")
        )

    def doubt(self) -> str:
        """Why no model need have the rows of its query; empty where nothing speaks for that."""
        found = overridden(self.macros, map(_text, self.files("macro-paths", "macros", ".sql")))
        if not all(map(is_harmless, self.hooks)):
            found = found or "a hook of a model may change rows"
        for path in self._writing():
            found = found or f"{path.name} may run statements that change rows"
        return found or self.doubt_of_settings()

    def doubt_of_settings(self) -> str:
        """The same by what stands neither in models nor in macros."""
        found = self.on_start.doubt or runs_besides(self.settings)
        for path in self.described():
            found = found or _runs_besides(path)
        snapshots = self.files("snapshot-paths", "snapshots", ".sql")
        hooked = (p for p in snapshots if any(word in _text(p) for word in _HOOKS))
        for path in hooked:
            found = found or f"{path.name} may run statements that change rows"
        return found

    @cached_property
    def on_start(self) -> OnStart:
        """What it runs before its models."""
        names = {**self.macros, **self.functions}

        def expanded(text: str) -> str:
            return guarded(lambda: self.environment.from_string(text, globals=names).render())

        return on_start(self.settings.get("on-run-start"), expanded, "on-run-start")

    def unfollowed(self, path: Path) -> str:
        """Why the rows of a model need not be those of its query, by what stands around it."""
        settings = self._settings_of(path)
        try:
            if not settings.is_enabled(self._expanded):
                return "it is disabled"
        except TemplateFailure as failure:
            return failure.message
        if is_enforced(settings.value("contract")):
            return "its contract casts its columns to the types that it names"
        return settings.unfollowed() or self._versions(path)

    def _writing(self) -> Sequence[Path]:
        """Files that could not be rendered, as they run statements, and what these may change: both
        may stand in macros that they call, or in a variable."""
        failed = sorted({Path(each.path) for each in self.failures})
        macros = {path: _text(path) for path in self.files("macro-paths", "macros", ".sql")}
        texts = {path: _text(path) for path in failed}
        for path, called in calls_of(texts, macros).items():
            if writes("\n".join((*called, *map(str, self.vars.values())))):
                return [path]
        return []

    def notes(self) -> Iterator[str]:
        """What is taken for granted of packages, whose files are not read."""
        for name in ("packages.yml", "dependencies.yml"):
            if (self.root / name).is_file() and _yaml(self.root / name).get("packages"):
                yield f"the packages of {name} are taken to run nothing that changes rows"
        for model, word in sorted(self.targeted):
            yield f"{model} asks for target.{word}, which is taken to be {TARGET[word]}"

    def shadowed(self, models: Iterable[RenderedModel]) -> Iterator[RenderFailure]:
        """Models whose name is a seed's, too, and those that read a source over which a model may
        be written: under its name by a macro that places models, or under an alias."""
        models = list(models)
        placed = bool(PLACING & {name.rpartition("__")[2] for name in self.macros})
        made = {*self.aliases, *(self.known if placed else ()), *self._snapshots()}
        for model in models:
            over = [s for s in model.sources if s.rpartition(".")[2].lower() in made]
            if model.name in self.seeds:
                reason = "a seed has its name, too"
            elif over:
                reason = f"a model may be written over {over[0]}, which it reads"
            else:
                continue
            yield RenderFailure(model.name, model.path, 0, reason)

    def _snapshots(self) -> set[str]:
        """What snapshots may be called in the schemas that they name."""
        files = map(_text, self.files("snapshot-paths", "snapshots", ".sql"))
        found = {name for text in files for name in _SNAPSHOT.findall(text)}
        for path in self.described():
            for each in mappings(_yaml(path).get("snapshots")):
                found.add(str(mapping(each.get("config")).get("alias") or each.get("name")))
        return {name.lower() for name in found}

    def configures_seeds(self) -> bool:
        """Does any YAML file of the project set types or delimiters of seeds?"""
        beside = self.files("seed-paths", "seeds", ".yml", ".yaml")
        described = self.files("model-paths", "models", ".yml", ".yaml")
        texts = [_text(path) for path in (*beside, *described)]
        texts.append(str(self.settings.get("seeds") or ""))
        return any(word in text for text in texts for word in ("column_types", "delimiter"))

    def fail(self, path: Path, failure: TemplateFailure) -> None:
        self.failures.append(failure_of(path.stem, path, failure))

    def var(self, name: str, default: object = None) -> object:
        """`var('x')`, `var('x', default)`: a given value wins over the project's over `default`."""
        if name in self.vars:
            return self.vars[name]
        if default is None:
            raise TemplateFailure(f"no value for var {name}; give --param {name}=VALUE")
        return default

    def _template(self, path: Path) -> Any:
        names = {**self.macros, **self.functions}
        return self.environment.from_string(text_of(path), globals=names)

    def _functions(self) -> dict[str, Any]:
        """The names that templates see; macros share them with whichever model calls."""
        return {
            "ref": lambda *names, **_: self.current.ref(*names),
            "source": lambda source, table: self.current.source(source, table),
            "var": self.var,
            "config": lambda *given, **settings: self.current.configure(*given, **settings),
            "this": This(lambda: self.relation("this", self.current.name)),
            "target": Target(lambda word: self.targeted.add((self.current.name, word))),
            "execute": True,
            "is_incremental": lambda: False,
            "log": lambda *_, **__: "",
            "return": returned,
        }

    def _settings(self, root: Path) -> dict[str, Any]:
        path = root / CONFIG
        if not path.is_file():
            raise BadProject(f"no {CONFIG} in {root}", "give the folder of a dbt project")
        try:
            settings = yaml_of(path)
        except TemplateFailure as failure:
            raise BadProject(f"{path}: {failure.message}") from failure
        return settings

    def _defaults(self) -> dict[str, Any]:
        """`vars:` of the project; what stands below the project's own name wins."""
        given = mapping(self.settings.get("vars"))
        own = mapping(given.get(str(self.settings.get("name"))))
        return {**{k: v for k, v in given.items() if not isinstance(v, dict)}, **own}

    def _load_macros(self) -> None:
        paths = self.files("macro-paths", "macros", ".sql")
        self.macros |= load_macros(self.environment, paths, self.functions, self.fail)

    def _properties(self) -> tuple[dict[tuple[str, str], str], dict[str, dict[str, Any]]]:
        """Where each source table is, and the config of each model, from the YAML files."""
        located: dict[tuple[str, str], str] = {}
        properties: dict[str, dict[str, Any]] = {}
        for path in self.described():
            try:
                content = yaml_of(path)
                located |= dict(self._tables(content))
            except TemplateFailure as failure:
                self.fail(path, failure)
                continue
            for model in mappings(content.get("models")):
                said = properties.setdefault(str(model.get("name")), {})
                said |= mapping(model.get("config"))
                said |= {"versions": model["versions"]} if "versions" in model else {}
        return located, properties

    def _tables(self, content: dict[str, Any]) -> Iterator[tuple[tuple[str, str], str]]:
        for source in mappings(content.get("sources")):
            name = str(source.get("name"))
            place = [source.get("database"), source.get("schema", name)]
            for table in mappings(source.get("tables")):
                if _is_elsewhere(source) or _is_elsewhere(table):
                    self.elsewhere.add((name, str(table.get("name"))))
                last = table.get("identifier", table.get("name"))
                key = name, str(table.get("name"))
                parts = [self._expanded(str(part or "")) for part in (*place, last)]
                quoting = [_quoting(each) for each in (self.settings, source, table)]
                self._mark(key, parts, {**quoting[0], **quoting[1], **quoting[2]})
                yield key, ".".join(part for part in parts if part)

    def _mark(self, key: tuple[str, str], parts: Sequence[str], quoting: Mapping[str, Any]) -> None:
        """Notes a name with what the project says of quotes: "x" has them, `x` has none."""
        signs = {True: '"', False: "`", None: ""}
        shown = []
        for what, part in zip(("database", "schema", "identifier"), parts, strict=True):
            sign = "" if part == part.lower() else signs[quoting.get(what)]
            shown += [f"{sign}{part}{sign}"] if part else []
        self.marked[key] = ".".join(shown)

    def _expanded(self, value: str) -> str:
        """A YAML value may be a template itself: `schema: "{{ var('cdm') }}"`."""
        if "{{" not in value:
            return value
        functions = {"var": self.var, "target": TARGET}
        return guarded(lambda: self.environment.from_string(value, globals=functions).render())

    def _settings_of(self, path: Path) -> Settings:
        """Those of the model that was rendered last."""
        folders = (
            self.settings.get("model-paths") or self.settings.get("source-paths") or ["models"]
        )
        roots = [self.root / str(f) for f in (folders if isinstance(folders, list) else [folders])]
        inside = [path.relative_to(root).parent.parts for root in roots if root in path.parents]
        parts = (self.name, *min(inside, key=len, default=()), path.stem)
        described = self.properties.get(path.stem, {})
        return model_settings(self.settings.get("models"), parts, described, self.current.config)

    def _versions(self, path: Path) -> str:
        several = self.properties.get(path.stem, {}).get("versions")
        return "which of its versions is meant is not known" if several else ""


def _quoting(described: Mapping[str, Any]) -> dict[str, Any]:
    """What a project, a source or a table says of quotes; Jinja in it is not followed."""
    return {name: value for name, value in mapping(described.get("quoting")).items()
            if isinstance(value, bool)}  # fmt: skip


def _is_elsewhere(described: Mapping[str, Any]) -> bool:
    """Whether a source is read from files or by a plugin (dbt-duckdb's "external_location")."""
    config = mapping(described.get("config"))
    said = {**config, **mapping(config.get("meta")), **mapping(described.get("meta"))}
    return "external_location" in said or "plugin" in said


def _text(path: Path) -> str:
    """The text of a file; nothing where it cannot be read, which is told elsewhere."""
    try:
        return text_of(path)
    except TemplateFailure:
        return ""


def _runs_besides(path: Path) -> str:
    """What a YAML file says that may change the rows of any model: it may be anything where the
    file cannot be read."""
    try:
        return runs_besides(yaml_of(path))
    except TemplateFailure as failure:
        return f"what {path.name} says is not known: {failure.message}"


def _yaml(path: Path) -> dict[str, Any]:
    """The same of a YAML file."""
    try:
        return yaml_of(path)
    except TemplateFailure:
        return {}


class _Model:
    """What one model is found to use while it is rendered."""

    def __init__(self, project: _Project, name: str) -> None:
        self._project = project
        self.name = name
        self.refs: list[str] = []
        self.sources: list[str] = []
        self.config: dict[str, object] = {}

    def ref(self, *names: object) -> str:
        name = str(names[-1]) if names else ""
        if name not in self._project.known:
            raise TemplateFailure(f"ref to {name}, which is no model or seed of this project")
        self.refs.append(name)
        return self._project.relation("ref", name)

    def source(self, source: str, table: str) -> str:
        located = self._project.located.get((source, table))
        if located is None:
            raise TemplateFailure(f"source {source}.{table} is not declared in any YAML file")
        if (source, table) in self._project.elsewhere:
            raise TemplateFailure(f"source {source}.{table} is read from somewhere else")
        self.sources.append(located)
        return self._project.relation("source", self._project.marked[source, table])

    def configure(self, *given: Mapping[str, object], **settings: object) -> str:
        for each in (*given, settings):
            self.config |= each
        return ""
