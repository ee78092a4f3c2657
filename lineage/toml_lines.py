"""Where a TOML text says what: `tomllib` reads values and forgets their lines."""

import re


def no_toml(path: object, error: ValueError) -> str:
    """What is wrong with a file that is no TOML, or not UTF-8: `path:line:column: message` where
    the parser tells the place, which tomllib does in words only before Python 3.14."""
    said = re.fullmatch(r"(.*) \(at line (\d+), column (\d+)\)", str(error), re.DOTALL)
    return f"{path}:{said[2]}:{said[3]}: {said[1]}" if said else f"{path}: {error}"


def lines_of(text: str, kind: str) -> list[tuple[int, dict[str, int]]]:
    """Where the tables `[kind]` or `[[kind]]` of a TOML text begin, and the lines of their keys.

    The first line is 1. The kind "" is what stands above all tables; tables below one (`[kind.x]`)
    are keys of it. What is written in one line (`kind = {x = 1}`) has no table.
    """
    inside = not kind
    found: list[tuple[int, dict[str, int]]] = [(1, {})] if inside else []
    within = f"{kind}." if kind else ""
    for number, line in enumerate(text.splitlines(), 1):
        if head := re.match(r"\s*\[\[?\s*([\w.-]+)", line):
            name = head[1]
            inside = name == kind
            if inside:
                found.append((number, {}))
            elif name.startswith(within):
                inside, found = bool(kind), found or [(number, {})]
                found[-1][1].setdefault(name.removeprefix(within).partition(".")[0], number)
        elif inside and (key := re.match(r"\s*[\"']?([\w-]+)[\"']?\s*[.=]", line)):
            found[-1][1].setdefault(key[1], number)
    return found
