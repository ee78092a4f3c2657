"""What DuckDB's complaints say of the tables that they are made on.

diagnose(message) -> what would help, or None. The words are those of DuckDB 1.4 to 2.0.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from unwet.rewrite.prove.synthetic.types import Kind


@dataclass(frozen=True, slots=True)
class MissingColumn:
    """A column that some table should have; `table`: the name it has in the query, or empty."""

    name: str
    table: str = ""


@dataclass(frozen=True, slots=True)
class MissingFunction:
    """A function that there is none of, in lower case."""

    name: str


@dataclass(frozen=True, slots=True)
class WrongType:
    """One of the columns called so, of one of the `types` (as DuckDB writes them), should be
    `wanted`; None: of the other one of the types."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    wanted: Kind | None


@dataclass(frozen=True, slots=True)
class MissingField:
    """The stub of a function, or the columns called so, should be a struct with a field `name`."""

    name: str
    function: str
    columns: tuple[str, ...]


Trouble = MissingColumn | MissingFunction | MissingField | WrongType

_COLUMN: Final = (
    re.compile(r'Referenced column "(?P<name>[^"]+)" not found'),
    re.compile(r'Column "(?P<name>[^"]+)" in \w+ list not found'),
    re.compile(
        r'(?:Table|Values list) "(?P<table>[^"]+)" does not have a column named "(?P<name>[^"]+)"'
    ),
    re.compile(r'Referenced update column (?P<name>\S+) not found'),
)  # fmt: skip
_FUNCTION: Final = re.compile(
    r'(?:Scalar|Aggregate) Function with name "?(?P<name>[^"\s]+?)"? does'
)
_CALL: Final = re.compile(r"(?:types '|call \")(?P<name>[^(']+)\((?P<types>.*?)\)['\"]\.")
_MIXED: Final = re.compile(
    r"(?:Cannot (?:compare|mix) values of type|Cannot concatenate types) (?P<one>.+?) and "
    r"(?:type )?(?P<other>.+?)(?: in | - |$)"
)
_UNNEST: Final = re.compile(
    r"UNNEST\(\) can only be applied to .* not (?P<type>.+)|UNNEST requires a single list or array"
)
_FIELD: Final = re.compile(
    r"Cannot extract field '(?P<name>\w+)' from expression \"(?P<from>.*)\" because it is not a"
)
_STUB: Final = re.compile(r"hash\(CAST\('(?P<name>[\w.]+)' AS VARCHAR\)")  # see stubs.py
_CONVERSION: Final = re.compile(r"Could not convert string '.*' to (?P<type>\w+)")
_WORD: Final = re.compile(r'"([^"]+)"|([A-Za-z_]\w*)')

_WANTED: Final[tuple[tuple[str, Kind], ...]] = (
    (r"date_|datepart|strftime|age|last_day|year|month|day|hour|minute|second|epoch", "timestamp"),
    (r"sum|avg|round|abs|floor|ceil|sqrt|ln|log|stddev|var_|quantile|median|[*/%]", "double"),
    (r"lower|upper|trim|substr|regexp|replace|like|~~|contains|prefix|suffix|concat|split|left",
     "text"),
    (r"array_|list_|len$|unnest", "array"),
)  # fmt: skip


def diagnose(message: str) -> Trouble | None:
    """`message`: the engine's whole message, with the excerpt that it underlines."""
    first = message.partition("\n")[0]
    for pattern in _COLUMN:
        if found := pattern.search(first):
            return MissingColumn(
                found["name"].lower(), (found.groupdict().get("table") or "").lower()
            )
    if found := _FUNCTION.search(first):
        return MissingFunction(found["name"].lower())
    if found := _CALL.search(first):
        types = _split(found["types"])
        return WrongType(_underlined(message), types, _wanted(found["name"], types))
    if found := _MIXED.search(first):
        return _mixed(found["one"], found["other"], message)
    if found := _UNNEST.search(first):
        types = (found["type"].strip(),) if found["type"] else ()
        return WrongType(_underlined(message), types, "array")
    if found := _FIELD.search(first):
        stub = _STUB.search(found["from"])
        columns = () if stub else (found["from"].strip('"').rpartition(".")[2].lower(),)
        return MissingField(found["name"].lower(), stub["name"] if stub else "", columns)
    if _CONVERSION.search(first):
        return WrongType(_underlined(message), (), "text")
    return None


def _mixed(one: str, other: str, message: str) -> WrongType:
    """Of two structs it is the first field of one name that has other types."""
    fields = dict(_fields(one))
    for name, kind in _fields(other):
        if fields.get(name, kind) != kind:
            return _mixed_fields(name, fields[name], kind, message)
    return WrongType(_underlined(message), (one, other), None)


def _mixed_fields(name: str, one: str, other: str, message: str) -> WrongType:
    if one.startswith("STRUCT(") and other.startswith("STRUCT("):
        return _mixed(one, other, message)
    return WrongType((name,), (one, other), None)


def _fields(kind: str) -> list[tuple[str, str]]:
    """Names, in lower case, and types; none where it is no struct."""
    if not (kind.startswith("STRUCT(") and kind.endswith(")")):
        return []
    pairs = (each.rpartition(" ") if "(" not in each else each.partition(" ")
             for each in _split(kind[len("STRUCT(") : -1]))  # fmt: skip
    return [(name.strip('"').lower(), type_) for name, _, type_ in pairs]


def _wanted(function: str, types: tuple[str, ...]) -> Kind | None:
    """The type that a function takes; for + and - what the other side says."""
    if function in ("+", "-"):
        moments = any(each.startswith(("INTERVAL", "TIMESTAMP", "DATE")) for each in types)
        return "timestamp" if moments else "double"
    return next((kind for pattern, kind in _WANTED if re.match(pattern, function)), None)


def _split(types: str) -> tuple[str, ...]:
    """At commas that stand in no parentheses."""
    found, depth = [""], 0
    for sign in types:
        depth += (sign in "(<") - (sign in ")>")
        if sign == "," and depth == 0:
            found.append("")
        else:
            found[-1] += sign
    return tuple(each.strip() for each in found)


def _underlined(message: str) -> tuple[str, ...]:
    """The names in what the engine underlines; where that is one sign, those beside it first. Of
    BETWEEN it underlines only what stands behind: the name before it is one of them."""
    lines = message.split("\n")
    marks = [at for at, line in enumerate(lines) if line.strip() and not line.strip(" ^")]
    if not marks or marks[-1] == 0:
        return ()
    line, mark = lines[marks[-1] - 1], lines[marks[-1]]
    start, end = mark.index("^"), len(mark.rstrip())
    words = [(found.start(), (found[1] or found[2]).lower()) for found in _WORD.finditer(line)]
    if line[start:end].upper().startswith("BETWEEN"):
        before = [at for at, _ in words if at < start]
        start = before[-1] if before else start
    if end - start > 1:
        return tuple(dict.fromkeys(word for at, word in words if start <= at < end))
    near = sorted(words, key=lambda word: abs(word[0] - start))
    return tuple(dict.fromkeys(word for _, word in near[:6]))
