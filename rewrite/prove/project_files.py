"""The files of a project as texts and as YAML; what cannot be read is a failure of that file."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import yaml

from unwet.rewrite.prove.sandbox import TemplateFailure

BIGGEST_FILE = 5_000_000
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same in C, where it was built in


def below(root: Path, folder: str, *suffixes: str) -> list[Path]:
    """The files below a folder of the project, sorted; none outside the project."""
    home = root.resolve()
    found = {
        path
        for suffix in suffixes
        for path in (home / folder).rglob(f"*{suffix}")
        if not path.is_dir() and is_inside(path, home)
    }
    return sorted(found)


def is_inside(path: Path, home: Path) -> bool:
    """Whether it lies below a folder, links followed; one to itself does."""
    try:
        return path.resolve().is_relative_to(home)
    except (OSError, RuntimeError):  # "Symlink loop", until Python 3.12
        return True


def text_of(path: Path) -> str:
    """The text of a file. Raises TemplateFailure."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise TemplateFailure("cannot be read: it is a pipe, socket or device")
        if status.st_size > BIGGEST_FILE:
            raise TemplateFailure(f"file is larger than {BIGGEST_FILE} bytes")
        return path.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise TemplateFailure(f"cannot be read: {reason}") from error


def yaml_of(path: Path) -> dict[str, Any]:
    """What a YAML file says; nothing where that is no mapping. Raises TemplateFailure."""
    try:
        return mapping(yaml.load(text_of(path), Loader=_LOADER))
    except (yaml.YAMLError, RecursionError) as error:
        raise TemplateFailure(f"not valid YAML: {str(error).splitlines()[0]}") from error


def mapping(value: object) -> dict[str, Any]:
    """The value where it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def mappings(value: object) -> list[dict[str, Any]]:
    """The mappings in a list."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
