"""The Jinja macros of a project: all see all, in any order of files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from jinja2 import nodes

from unwet.rewrite.prove.project_files import text_of
from unwet.rewrite.prove.sandbox import Returned, Sandbox, TemplateFailure, guarded

Macros = dict[str, Callable[..., Any]]


def load_macros(
    environment: Sandbox,
    paths: Iterable[Path],
    functions: Mapping[str, Any],
    failed: Callable[[Path, TemplateFailure], None],
) -> Macros:
    """Every macro by its name; each name is bound when it is called. `failed` hears of files that
    cannot be loaded."""
    macros: Macros = {}
    bodies: Macros = {}
    files = list(paths)
    for path in files:
        for name in _names(environment, path):
            macros[name] = _late(bodies, name)
    for path in files:
        try:
            module = _loaded(environment, path, macros, functions)
        except TemplateFailure as failure:
            failed(path, failure)
            continue
        bodies |= {name: getattr(module, name) for name in _names(environment, path)}
    return macros


def returned(value: object = None) -> None:
    """What templates know as `return`: macros give back values, not only text."""
    raise Returned(value)


def _loaded(environment: Sandbox, path: Path, macros: Macros, functions: Mapping[str, Any]) -> Any:
    names = {**macros, **functions}
    return guarded(lambda: environment.from_string(text_of(path), globals=names).module)


def _names(environment: Sandbox, path: Path) -> list[str]:
    try:
        tree = guarded(lambda: environment.parse(text_of(path)))
    except TemplateFailure:
        return []  # reported when the file is loaded
    return [node.name for node in tree.find_all(nodes.Macro)]


def returning(macro: Callable[..., Any]) -> Callable[..., Any]:
    """The macro, which gives back what it returns."""

    def called(*args: object, **kwargs: object) -> object:
        try:
            return macro(*args, **kwargs)
        except Returned as found:
            return found.value

    return called


def _late(bodies: Mapping[str, Callable[..., Any]], name: str) -> Callable[..., Any]:
    def macro(*args: object, **kwargs: object) -> object:
        if name not in bodies:
            raise TemplateFailure(f"macro {name} could not be loaded")
        return bodies[name](*args, **kwargs)

    return returning(macro)
