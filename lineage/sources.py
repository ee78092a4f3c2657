"""Inputs become sources: folders, globs, files, standard input and query logs."""

import codecs
import csv
import io
import json
import os
import stat
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from unwet.lineage.errors import EmptyInput, PathNotFound, UsageError
from unwet.lineage.findings import Finding, whole

SUFFIXES = (".sql", ".hql", ".ddl", ".sql.jinja", ".sql.j2")
LOGS = (".csv", ".jsonl")
_SKIPPED = {"node_modules", "__pycache__", "site-packages"}
_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins like the one of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Source:
    """One text with SQL in it."""

    path: str
    text: str
    dialect: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read, in the order of the paths, and what was odd about it."""

    sources: tuple[Source, ...]
    findings: tuple[Finding, ...]


Item = Source | Finding


def read_sources(
    inputs: str | Path | Source | Iterable[str | Path | Source], dialect: str | None = None
) -> Reading:
    """Read all inputs; a folder stands for the SQL files below it, `-` for standard input.

    Raises PathNotFound for a path or glob without a match, and EmptyInput when folders hold no
    SQL at all. An unreadable, binary or empty file is a finding.
    """
    given = [inputs] if isinstance(inputs, str | Path | Source) else list(inputs)
    items = [item for one in given for item in _read_input(one, dialect)]
    if not items and given:
        raise EmptyInput((str(one) for one in given), SUFFIXES)
    sources = tuple(item for item in items if isinstance(item, Source))
    return Reading(sources, tuple(item for item in items if isinstance(item, Finding)))


def files_of(inputs: Iterable[str]) -> list[str]:
    """All files that are read for these paths and globs, in order; none of them is opened.

    Raises PathNotFound, EmptyInput, and UsageError for standard input.
    """
    given = list(inputs)
    if "-" in given:
        raise UsageError("standard input has no files", "give a folder, a file or a glob")
    files = [path for one in given for path in expand(one)]
    if not files and given:
        raise EmptyInput(given, SUFFIXES)
    return files


def decode(data: bytes, path: str) -> tuple[str | None, Finding | None]:
    """The text of a file, and a finding when it is not plain UTF-8; no text when it is binary."""
    for bom, encoding in _BOMS:
        if data.startswith(bom):
            return _with_bom(data.removeprefix(bom), encoding, path)
    if guess := _utf16_without_bom(data):
        return data.decode(guess, "replace"), _encoding(path, f"read as {guess} (no BOM)")
    if b"\0" in data:
        return None, Finding("BINARY", "skipped: it holds NUL bytes", whole(path))
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError as error:
        at = f"byte {error.start} is not UTF-8"
    try:
        return data.decode("cp1252"), _encoding(path, f"read as cp1252: {at}")
    except UnicodeDecodeError:
        return data.decode("latin-1"), _encoding(path, f"read as latin-1: {at}")


# --- inputs ----------------------------------------------------------------------------------


def _read_input(one: str | Path | Source, dialect: str | None) -> Iterator[Item]:
    if isinstance(one, Source):
        yield one if one.dialect is not None else Source(one.path, one.text, dialect)
    elif str(one) == "-":
        if sys.stdin is None:
            raise UsageError("standard input is closed", "pipe SQL into it, or give a path")
        yield from _from_bytes(sys.stdin.buffer.read(), "<stdin>", dialect)
    else:
        for path in expand(str(one)):
            yield from _read_file(path, dialect, named=path == str(one))


def expand(given: str) -> list[str]:
    """The files a path or glob stands for, sorted; a file that is named is taken as it is.

    Raises PathNotFound.
    """
    if os.path.isdir(given):
        links: list[str] = []
        files = list(_walk(given, set(), links))
        return sorted([*files, *_not_among(files, links)])
    if os.path.lexists(given):
        return [given]
    anchor = Path(given).anchor
    pattern = given.removeprefix(anchor)
    matches = sorted(str(hit) for hit in Path(anchor).glob(pattern)) if _is_glob(given) else []
    if not matches:
        raise PathNotFound(given)
    return [path for hit in matches for path in (expand(hit) if os.path.isdir(hit) else [hit])]


def _not_among(files: list[str], links: list[str]) -> Iterator[str]:
    """The links to files that are not there already: a link is no copy of its file."""
    known = {os.path.realpath(path) for path in files} if links else set[str]()
    for link in sorted(links):
        real = os.path.realpath(link)
        if real not in known:
            known.add(real)
            yield link


def _is_glob(given: str) -> bool:
    return any(sign in given for sign in "*?[")


# A project that a run left inside the pile is no part of the pile.
_WRITTEN_BY_UNWET = os.path.join(".unwet", "manifest.json")
DBT_PROJECT = "dbt_project.yml"
_WRITTEN_BY_DBT = {"target", "dbt_packages", "dbt_modules"}  # beside that


def _walk(folder: str, seen: set[tuple[int, int]], links: list[str]) -> Iterator[str]:
    """SQL files below a folder; follows links, but enters each real folder once. Files that are
    links go into ``links``.

    A folder that cannot be entered is there itself: reading it says why.
    """
    try:
        status = os.stat(folder)
        entries = sorted(os.scandir(folder), key=lambda e: e.name)
    except OSError:
        yield folder
        return
    real = status.st_dev, status.st_ino
    if real in seen:
        return
    seen.add(real)
    written = _WRITTEN_BY_DBT if any(e.name == DBT_PROJECT for e in entries) else frozenset[str]()
    for entry in entries:
        if entry.name.startswith(".") or entry.name in _SKIPPED or entry.name in written:
            continue
        if _is_folder(entry):
            if not os.path.isfile(os.path.join(entry.path, _WRITTEN_BY_UNWET)):
                yield from _walk(entry.path, seen, links)
        elif entry.name.lower().endswith(SUFFIXES):
            if entry.is_symlink():
                links.append(entry.path)
            else:
                yield entry.path


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _read_file(path: str, dialect: str | None, named: bool) -> Iterator[Item]:
    """`named`: it was asked for, and may be a pipe; one that lies in a folder is not waited for."""
    try:
        mode = os.stat(path).st_mode
        if not named and not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
            yield Finding("UNREADABLE", "cannot read: it is a pipe, socket or device", whole(path))
            return
        data = Path(path).read_bytes()
    except OSError as error:
        yield Finding("UNREADABLE", f"cannot read: {error.strerror or error}", whole(path))
        return
    yield from _from_bytes(data, path, dialect)


def _from_bytes(data: bytes, path: str, dialect: str | None) -> Iterator[Item]:
    text, finding = decode(data, path)
    if finding is not None:
        yield finding
    if text is None:
        return
    if not text.strip():
        yield Finding("EMPTY", "file is empty", whole(path))
    if path.lower().endswith(LOGS):
        yield from _log_rows(path, text, dialect)
    else:
        yield Source(path, text, dialect)


# --- encodings -------------------------------------------------------------------------------


def _with_bom(data: bytes, encoding: str, path: str) -> tuple[str | None, Finding | None]:
    notice = None if encoding == "utf-8" else _encoding(path, f"read as {encoding}")
    try:
        return data.decode(encoding), notice
    except UnicodeDecodeError as error:
        text = data.decode(encoding, "replace")
        return text, _encoding(path, f"broken {encoding} at byte {error.start}: replaced")


def _utf16_without_bom(data: bytes) -> str:
    """SQL in UTF-16 is nearly half NUL bytes, all of them at even or all at odd places."""
    head = data[:4096]
    if len(head) < 8 or len(data) % 2:
        return ""
    half = len(head) // 2
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > 0.7 * half and even < 0.05 * half:
        return "utf-16-le"
    if even > 0.7 * half and odd < 0.05 * half:
        return "utf-16-be"
    return ""


def _encoding(path: str, message: str) -> Finding:
    return Finding("ENCODING", message, whole(path), help="save the file as UTF-8")


# --- query logs ------------------------------------------------------------------------------


def _log_rows(path: str, text: str, dialect: str | None) -> Iterator[Item]:
    """One source per logged query, named `log.csv#3` after its row."""
    rows = _csv_queries(text) if path.lower().endswith(".csv") else _jsonl_queries(text)
    found = False
    for number, query in rows:
        found = True
        if query is None:
            yield Finding("LOG", f"row {number} holds no query", whole(f"{path}#{number}"))
        else:
            yield Source(f"{path}#{number}", query, dialect)
    if not found and text.strip():
        yield Finding("LOG", "no column query_text or query", whole(path))


def _csv_queries(text: str) -> Iterator[tuple[int, str | None]]:
    limit = csv.field_size_limit(1 << 30)
    try:
        reader = csv.DictReader(io.StringIO(text))
        names = [name for name in reader.fieldnames or () if name.strip().lower() in _QUERY]
        for number, row in enumerate(reader if names else (), start=1):
            yield number, row[names[0]] or None
    finally:
        csv.field_size_limit(limit)


_QUERY = ("query_text", "query")


def _jsonl_queries(text: str) -> Iterator[tuple[int, str | None]]:
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            row = None
        query = row.get("query") if isinstance(row, dict) else None
        yield number, query if isinstance(query, str) else None
