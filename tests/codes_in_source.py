"""Which codes findings can carry, read off the source: every value that may arrive in the field
`code` of a class that has one. What cannot be followed to constants is an error, so that no code
comes in by a way that nobody looks at.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

Parsed = tuple[Path, ast.Module]
Function = ast.FunctionDef


@dataclass
class Makers:
    """What is called with a code: the place of that argument, by the name that is called and, of
    private functions, the module that they are in."""

    places: dict[tuple[str, Path | None], int] = field(default_factory=dict)
    functions: dict[str, list[Function]] = field(default_factory=lambda: defaultdict(list))
    tables: dict[str, ast.Dict] = field(default_factory=dict)


class NotFollowed(AssertionError):
    """A code whose origin this does not understand."""


def codes_in(folders: Iterable[Path]) -> dict[str, str]:
    """Every code, with one place that makes it."""
    modules = [
        (path, ast.parse(path.read_text("utf-8")))
        for folder in folders
        for path in sorted(folder.rglob("*.py"))
    ]
    makers = _makers(modules)
    found: dict[str, str] = {}
    todo = list(_calls(modules, dict(makers.places)))
    while todo:
        path, inside, value = todo.pop()
        known = set(makers.places)
        for code in _values(value, inside, makers, path):
            found.setdefault(code, f"{path.name}:{value.lineno}")
        new = {name: at for name, at in makers.places.items() if name not in known}
        todo += _calls(modules, new)
    return found


def _makers(modules: Iterable[Parsed]) -> Makers:
    """Classes with a field `code`, and all functions of modules by name."""
    makers = Makers()
    for _, tree in modules:
        for top in tree.body:
            if isinstance(top, ast.FunctionDef):
                makers.functions[top.name].append(top)
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef):
                fields = [
                    f"{each.target.id}: {ast.unparse(each.annotation)}"
                    for each in node.body
                    if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)
                ]
                if "code: str" in fields and node.name not in _OTHER_CODES:
                    makers.places[node.name, None] = fields.index("code: str")
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Dict):
                for target in node.targets:
                    if isinstance(target, ast.Name):
                        makers.tables[target.id] = node.value
    return makers


# what `code` means something else in: a pattern of the configuration, the text about a code
_OTHER_CODES = {"Intended", "Explanation"}


def _calls(
    modules: Iterable[Parsed], places: dict[tuple[str, Path | None], int]
) -> Iterator[tuple[Path, Function | None, ast.expr]]:
    """The argument that is a code in every call of such names, and replace(..., code=...)."""
    for path, tree in modules if places else ():
        for inside, call in _calls_with_function(tree, None):
            name = _name(call.func)
            keyword = next((k.value for k in call.keywords if k.arg == "code"), None)
            at = places.get((name, None), places.get((name, path), -1))
            if keyword is not None and (at >= 0 or name == "replace"):
                yield path, inside, keyword
            elif 0 <= at < len(call.args):
                yield path, inside, call.args[at]


def _calls_with_function(
    node: ast.AST, inside: Function | None
) -> Iterator[tuple[Function | None, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield inside, child
        within = child if isinstance(child, ast.FunctionDef) else inside
        yield from _calls_with_function(child, within)


def _values(value: ast.expr, inside: Function | None, makers: Makers, path: Path) -> Iterator[str]:
    """The constants that an expression may be; a parameter makes its function a maker."""
    match value:
        case ast.Constant(value=str(code)):
            yield code
        case ast.IfExp(body=one, orelse=other):
            yield from _values(one, inside, makers, path)
            yield from _values(other, inside, makers, path)
        case ast.Attribute(attr="code"):
            pass  # copied from a value that has been made elsewhere
        case ast.Subscript(value=ast.Name(id=name)) if name in makers.tables:
            for each in makers.tables[name].values:
                yield from _values(each, inside, makers, path)
        case ast.Call(func=ast.Name(id=name)) if name in makers.functions:
            for function in makers.functions[name]:
                for returned in _returned(function):
                    yield from _values(returned, function, makers, path)
        case ast.Name(id=name) if inside is not None:
            yield from _named(name, inside, makers, path, value.lineno)
        case _:
            raise NotFollowed(f"{path.name}:{value.lineno}: {ast.unparse(value)}")


def _named(name: str, inside: Function, makers: Makers, path: Path, line: int) -> Iterator[str]:
    """A parameter, or what is assigned to a name in the function."""
    parameters = [each.arg for each in inside.args.args if each.arg not in ("self", "cls")]
    assigned = [
        node.value
        for node in ast.walk(inside)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name) and target.id == name
    ]
    if name in parameters:
        private = path if inside.name.startswith("_") else None
        makers.places[inside.name, private] = parameters.index(name)
    elif assigned:
        for each in assigned:
            yield from _values(each, inside, makers, path)
    else:
        raise NotFollowed(f"{path.name}:{line}: {name}")


def _returned(function: Function) -> list[ast.expr]:
    return [
        node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and node.value is not None
    ]


def _name(func: ast.expr) -> str:
    match func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""
