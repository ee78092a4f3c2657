"""Where a TOML text says what: `tomllib` reads values and forgets their lines."""

import re


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
