"""A dbt project as dbt itself has compiled it, where `target/` says so; else as its templates say.

`dbt compile`, `build` and `docs generate` leave a manifest.json with the SQL of each model, and the
name that each ref and source has there. Its SQL counts where it is of the text that the model, its
macros and dbt_project.yml have now, and where no other values of variables are asked for.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from unwet.rewrite.prove.dbt_settings import may_change_rows
from unwet.rewrite.prove.hooks import is_harmless
from unwet.rewrite.prove.render import render_project
from unwet.rewrite.prove.rendered import (
    Relation,
    RenderedModel,
    RenderedProject,
    RenderFailure,
    ordered,
    plain,
)

_BIGGEST = 500_000_000  # of a manifest, in bytes
_SETTINGS = "dbt_project.yml"
_PACKAGES = "dbt_packages"  # where `dbt deps` puts them
_NO_NAME = r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/"  # texts and comments: a name in them stays


def read_project(
    root: Path, vars: Mapping[str, str] | None = None, relation: Relation = plain
) -> RenderedProject:
    """As `render_project`, but with the SQL that dbt has made of the models, where it is known and
    not out of date; `compiled` and `notes` of the result say so. Raises PathNotFound, BadProject.
    """
    own = render_project(root, vars, relation)
    manifest = _manifest(root, own.target)
    if manifest is None:
        return own
    same = own if not vars else render_project(root, {}, relation)
    return _Compiled(root, manifest, own, same, relation).project()


@dataclass(frozen=True, slots=True)
class _Manifest:
    """`nodes`: models, seeds and the like; `written`: when, in seconds; `folder`: where it lies."""

    nodes: Mapping[str, dict[str, Any]]
    sources: Mapping[str, dict[str, Any]]
    macros: Mapping[str, dict[str, Any]]
    written: float
    folder: Path


def _manifest(root: Path, target: str) -> _Manifest | None:
    path = root / target / "manifest.json"
    if not path.resolve().is_relative_to(root.resolve()):
        return None
    try:
        status = path.stat()
        if status.st_size > _BIGGEST:
            return None
        data = json.loads(path.read_text(encoding="utf-8"))
        nodes, sources, macros = (_entries(data, k) for k in ("nodes", "sources", "macros"))
    except (OSError, ValueError, AttributeError):
        return None  # none there, or none that anybody could read: the templates say it
    return _Manifest(nodes, sources, macros, status.st_mtime, path.parent)


def _entries(data: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    found = data.get(kind)
    entries = found if isinstance(found, dict) else {}
    return {key: value for key, value in entries.items() if isinstance(value, dict)}


class _Compiled:
    """Puts compiled models in the place of rendered ones."""

    def __init__(
        self,
        root: Path,
        manifest: _Manifest,
        own: RenderedProject,
        same: RenderedProject,
        relation: Relation,
    ) -> None:
        self._root, self._manifest, self._own, self._relation = root, manifest, own, relation
        self._rendered = {model.name: model for model in own.models}
        self._defaults = {model.name: model for model in same.models}
        self._names = dict(self._named())
        self._times = Counter(
            str(node.get("name"))
            for node in manifest.nodes.values()
            if node.get("resource_type") == "model"
        )
        longest = sorted(self._names, key=lambda name: (-len(name), name))
        words = "|".join(re.escape(name) for name in longest) or r"(?!)"
        self._pattern = re.compile(rf"(?s){_NO_NAME}|(?<![\w.\"`])(?:{words})(?![\w.\"`])")

    def project(self) -> RenderedProject:
        """Models as they were compiled, the others as they were rendered."""
        made: dict[str, RenderedModel] = {}
        stale: list[str] = []
        refused: dict[str, RenderFailure] = {}
        for _, node in sorted(self._manifest.nodes.items()):
            name, code = str(node.get("name")), self._code(node)
            if node.get("resource_type") != "model" or code is None or not self._is_there(node):
                continue
            if not self._is_meant(name) or self._times[name] > 1:
                continue  # versions of a model: which one is meant, only dbt knows
            if self._is_stale(node):
                stale.append(name)
            elif may_change_rows(node.get("config") or {}):
                reason = "what dbt knows of it keeps rows, or runs more than its query"
                refused[name] = RenderFailure(name, self._shown(name, node), 0, reason)
            else:
                made[name] = self._model(name, node, code)
        models = {**self._rendered, **made}
        known = {each.name for each in self._own.failures}
        failures = [f for f in self._own.failures if f.name not in made]
        failures += [f for f in refused.values() if f.name not in known]
        failures += self._overwritten(made.values())
        return replace(
            self._own,
            models=ordered(list(models.values()), failures),
            failures=tuple(failures),
            compiled=frozenset(made),
            notes=tuple(_notes(self._manifest.folder, stale)),
            doubt=self._own.doubt or self._operations(),
        )

    def _operations(self) -> str:
        """What a package runs besides its models; of its own the project says it."""
        for key, node in sorted(self._manifest.nodes.items()):
            if self._is_own(node):
                continue
            config = node.get("config") or {}
            hooks = [config.get(name) for name in ("pre-hook", "post-hook", "sql_header")]
            if node.get("resource_type") == "operation":
                hooks.append(node.get("raw_code"))
            if not is_harmless(hooks):
                return f"{key}, which is run with it, may change rows"
        return ""

    def _overwritten(self, made: Iterable[RenderedModel]) -> Iterator[RenderFailure]:
        """Models that read a source which is the table of a model, too."""
        tables = {str(n["relation_name"]) for n in self._manifest.nodes.values()
                  if n.get("relation_name")}  # fmt: skip
        over = {meant for name, (kind, meant) in self._sources() if name in tables}
        for model in made:
            for source in model.sources:
                if source in over:
                    reason = f"a model may be written over {source}, which it reads"
                    yield RenderFailure(model.name, model.path, 0, reason)

    def _code(self, node: dict[str, Any]) -> str | None:
        """The compiled SQL: in the manifest, or in the file that dbt wrote beside it."""
        code = node.get("compiled_code")
        if isinstance(code, str) and code.strip():
            return code
        inside = (str(node.get("package_name")), str(node.get("original_file_path")))
        path = self._manifest.folder.joinpath("compiled", *inside)
        text = _read(path) if path.resolve().is_relative_to(self._root.resolve()) else None
        if text is None or path.stat().st_mtime < self._last_edit(node):
            return None
        return text

    def _last_edit(self, node: dict[str, Any]) -> float:
        """When a model, or what dbt puts into its SQL, was written last."""
        read = [node, *self._inlined(node)]
        read += [macro for each in (*read,) for macro in self._macros(each)]
        paths = {
            self._root / str(each.get("original_file_path")) for each in read if self._is_own(each)
        }
        settings = (self._root / _SETTINGS, *self._own.described)
        return max(_written(path) for path in (*paths, *settings))

    def _is_there(self, node: dict[str, Any]) -> bool:
        """Whether it has not been deleted since; files of packages may lie anywhere."""
        mine = node.get("package_name") == self._own.name
        return not mine or (self._root / str(node.get("original_file_path"))).is_file()

    def _is_meant(self, name: str) -> bool:
        """Whether the project's own values of variables are asked for, with which dbt compiled."""
        rendered, default = self._rendered.get(name), self._defaults.get(name)
        if rendered is None:
            return True  # what is not understood here, dbt has understood
        return default is not None and default.sql == rendered.sql

    # --- out of date

    @cached_property
    def _is_old(self) -> bool:
        """Whether anything that all models may depend on is newer: settings, sources and
        configurations in YAML files, a macro that may take the place of one of a package."""
        described = (self._root / _SETTINGS, *self._own.described)
        if any(_written(path) > self._manifest.written for path in described):
            return True
        macros = self._manifest.macros.items()
        known = {key.rpartition(".")[2] for key, macro in macros if self._is_own(macro)}
        return not self._own.macros <= known

    def _is_own(self, node: dict[str, Any]) -> bool:
        return node.get("package_name") == self._own.name

    def _is_stale(self, node: dict[str, Any]) -> bool:
        if self._is_old:
            return True
        return any(self._is_edited(each) for each in (node, *self._inlined(node)))

    def _is_edited(self, node: dict[str, Any]) -> bool:
        if any(self._is_changed(macro) for macro in self._macros(node)):
            return True
        if not self._is_own(node):
            return False  # of a package: installed, not edited
        now = _read(self._root / str(node.get("original_file_path")))
        return now is None or _plain(now) != _plain(str(node.get("raw_code", "")))

    def _inlined(self, node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The ephemeral models that dbt has written into the SQL of a model, as CTEs."""
        waiting, seen = [*_needed(node, "nodes")], set[str]()
        while waiting:
            key = waiting.pop()
            found = self._manifest.nodes.get(key)
            if key in seen or found is None or not _is_ephemeral(found):
                continue
            seen.add(key)
            waiting += _needed(found, "nodes")
            yield found

    def _macros(self, node: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The macros that a model calls, themselves or through others."""
        waiting, seen = [*_needed(node, "macros")], set[str]()
        while waiting:
            key = waiting.pop()
            macro = self._manifest.macros.get(key)
            if key not in seen and macro is not None:
                seen.add(key)
                waiting += _needed(macro, "macros")
                yield macro

    def _is_changed(self, macro: dict[str, Any]) -> bool:
        path = str(macro.get("original_file_path"))
        if not self._is_own(macro):  # dbt's own are not there
            now = _read(self._root / _PACKAGES / str(macro.get("package_name")) / path)
            return now is not None and _plain(str(macro.get("macro_sql", ""))) not in _plain(now)
        now = _read(self._root / path)
        return now is None or _plain(str(macro.get("macro_sql", ""))) not in _plain(now)

    # --- names

    def _named(self) -> Iterator[tuple[str, tuple[str, str]]]:
        """The names in compiled SQL, and what they stand for: (kind, name) as for a `Relation`."""
        for node in self._manifest.nodes.values():
            if name := node.get("relation_name"):
                yield str(name), ("ref", str(node.get("name")))
        yield from self._sources()

    def _sources(self) -> Iterator[tuple[str, tuple[str, str]]]:
        located = {source for model in self._own.models for source in model.sources}
        for source in self._manifest.sources.values():
            if name := source.get("relation_name"):
                short = f"{source.get('schema')}.{source.get('identifier')}"
                full = f"{source.get('database')}.{short}"
                yield str(name), ("source", full if full in located else short)

    def _model(self, name: str, node: dict[str, Any], code: str) -> RenderedModel:
        refs, sources = dict[str, None](), dict[str, None]()

        def named(hit: re.Match[str]) -> str:
            found = self._names.get(hit.group())
            if found is None:
                return hit.group()  # a text or a comment
            kind, meant = found
            (refs if kind == "ref" else sources)[meant] = None
            return self._relation(kind, meant)

        sql = self._pattern.sub(named, code).strip()
        config = node.get("config") or {}
        kind = str(config.get("materialized") or "view")
        where = self._shown(name, node)
        return RenderedModel(name, where, sql, tuple(refs), tuple(sources), kind)

    def _shown(self, name: str, node: dict[str, Any]) -> str:
        """The path of a model."""
        path = self._root / str(node.get("original_file_path"))
        return self._rendered[name].path if name in self._rendered else str(path.resolve())


def _needed(node: dict[str, Any], kind: str) -> list[str]:
    """What a node depends on: the keys of macros or nodes."""
    needs = node.get("depends_on") or {}
    return [str(key) for key in needs.get(kind) or ()]


def _is_ephemeral(node: dict[str, Any]) -> bool:
    return (node.get("config") or {}).get("materialized") == "ephemeral"


def _written(path: Path) -> float:
    """When a file was written, in seconds; one that is not there is newer than everything."""
    try:
        return path.stat().st_mtime
    except OSError:
        return float("inf")


def _notes(folder: Path, stale: list[str]) -> Iterator[str]:
    if stale:
        few = ", ".join(stale[:5]) + (f" and {len(stale) - 5} more" if len(stale) > 5 else "")
        yield (
            f"{folder / 'manifest.json'} is older than {few}: the templates were read instead; "
            "dbt compile brings it up to date"
        )


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _plain(text: str) -> str:
    return "\n".join(text.replace("\r\n", "\n").strip().split("\n"))
