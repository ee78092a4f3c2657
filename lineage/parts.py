"""The inventory of a pile in parts: each made by itself, anywhere, and put together later on.

`part` is a pure function of the files of one shard and the settings; `merged` needs no files.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from importlib.metadata import version

from unwet.lineage.errors import BadPart, UsageError
from unwet.lineage.facts import Facts, facts_of
from unwet.lineage.findings import Finding
from unwet.lineage.inventory import Inventory, combined
from unwet.lineage.plain import plain, read
from unwet.lineage.schema import Schema, read_schema
from unwet.lineage.sources import files_of, read_sources
from unwet.lineage.tables import Table

FORMAT = 1  # of the files; another one when their form changes


@dataclass(frozen=True, slots=True)
class Settings:
    """How the files are read and understood; the same for all parts of a pile."""

    dialect: str = ""
    default_schema: str = ""
    params: tuple[tuple[str, str], ...] = ()
    schema: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Share:
    """One file of a pile: its place in the order of the pile, what its sources say (a query log
    has many), and what was odd about reading it."""

    number: int
    facts: tuple[Facts, ...]
    findings: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Part:
    """Shard `shard` of `of`; `pile` stands for the list of all files."""

    version: str
    settings: Settings
    pile: str
    shard: int
    of: int
    shares: tuple[Share, ...]


def settings(
    dialect: str = "",
    default_schema: str = "",
    params: Mapping[str, str] | None = None,
    schema: Schema | None = None,
) -> Settings:
    """Settings as the command line has them. Raises BadSchema."""
    given = tuple(sorted((params or {}).items()))
    return Settings(dialect, default_schema.lower(), given, read_schema(schema, dialect))


def share(number: int, path: str, how: Settings) -> Share:
    """What one file says: a pure map over the files of a pile. Raises UnknownDialect."""
    reading = read_sources(path, how.dialect)
    params = dict(how.params)
    said = tuple(facts_of(each, how.dialect, params) for each in reading.sources)
    return Share(number, said, reading.findings)


def part(paths: Sequence[str], shard: int, of: int, how: Settings) -> Part:
    """One shard of a pile: every `of`-th of its files, from the `shard`-th (from 1) on.

    Raises UsageError for a shard that is none, and for standard input.
    """
    if not 1 <= shard <= of:
        raise UsageError(f"there is no shard {shard} of {of}", "give 1/4, 2/4, 3/4 and 4/4")
    files = files_of(paths)
    chosen = range(shard - 1, len(files), of)
    shares = tuple(share(number, files[number], how) for number in chosen)
    return Part(version("unwet"), how, digest(files), shard, of, shares)


def digest(files: Iterable[str]) -> str:
    """Stands for a list of files."""
    return blake2b("\0".join(files).encode(errors="surrogateescape"), digest_size=16).hexdigest()


def merged(parts: Sequence[Part]) -> Inventory:
    """The inventory of the whole pile: that of one run.

    Raises BadPart for parts that do not belong together, and when one is missing or there twice.
    """
    check(parts)
    shares = sorted((each for one in parts for each in one.shares), key=lambda each: each.number)
    how = parts[0].settings
    return gathered(shares, how)


def gathered(shares: Sequence[Share], how: Settings) -> Inventory:
    """The inventory of a pile from what its files say, in their order."""
    return combined(
        [each for one in shares for each in one.facts],
        (each for one in shares for each in one.findings),
        how.schema,
        how.dialect,
        how.default_schema,
    )


def check(parts: Sequence[Part]) -> None:
    """Raises BadPart when these are not all parts of one pile, each once."""
    if not parts:
        raise BadPart("there is nothing to merge", "give all parts of a pile")
    first = parts[0]
    for each in parts[1:]:
        name = f"shard {each.shard}/{each.of}"
        if each.version != first.version:
            raise BadPart(f"{name} was made by unwet {each.version}, another by {first.version}")
        if each.settings != first.settings:
            raise BadPart(f"{name} was made with other settings: {_other(each, first)}")
        if (each.pile, each.of) != (first.pile, first.of):
            raise BadPart(f"{name} is a part of another pile", "or files came or went meanwhile")
    seen = [each.shard for each in parts]
    for shard in range(1, first.of + 1):
        name = f"shard {shard}/{first.of}"
        if shard not in seen:
            raise BadPart(f"{name} is missing", f"give all {first.of} parts, each once")
        if seen.count(shard) > 1:
            raise BadPart(f"{name} is there twice", "give each part once")


def _other(one: Part, other: Part) -> str:
    names = ("dialect", "default_schema", "params", "schema")
    return ", ".join(n for n in names if getattr(one.settings, n) != getattr(other.settings, n))


# --- files -----------------------------------------------------------------------------------


def as_text(one: Part) -> str:
    """A part as a file has it."""
    data = {"unwet part": FORMAT, "part": plain(Part, one)}
    return json.dumps(data, separators=(",", ":")) + "\n"


def from_text(text: str, path: str = "") -> Part:
    """The part that a file has. Raises BadPart."""
    try:
        data = json.loads(text)
        found = data["unwet part"]
        if found != FORMAT:
            raise BadPart(f"{path}: format {found} of parts is not known", f"this one: {FORMAT}")
        return read(Part, data["part"])
    except (ValueError, KeyError, TypeError) as error:
        help = "make parts with: unwet scan --shard 1/4 -o FILE"
        raise BadPart(f"{path}: this is no part of a scan: {error}", help) from error
