"""Failures: unwet cannot do what was asked. What it merely noticed in the SQL is a `Finding`.

UnwetError
├── UsageError              the request itself is wrong
│   ├── PathNotFound        an input that is not there
│   ├── EmptyInput          inputs without a single SQL file
│   ├── UnknownDialect      with the nearest known name
│   ├── BadSchema           a schema file that cannot be understood
│   ├── BadConfig           the same for unwet.toml
│   ├── BadDecision         the same for a decisions file
│   └── BadPart             parts of a scan that do not make one pile
├── OutputError
│   ├── OutputNotEmpty      a folder with other people's files in it
│   ├── OutputEdited        files of an earlier run that somebody edited since
│   └── OutputReadOnly      a place that cannot be written
├── RenderError             a tree that its dialect has no words for
├── EngineError             the database said no
└── WorkerError             a process that shares the work failed: a fault of unwet
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class UnwetError(Exception):
    """Base of all failures; `help` says what to do about it, when that is known."""

    def __init__(self, message: str, help: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = help

    def __reduce__(self) -> tuple[object, ...]:
        """So that processes can tell each other: what a failure is made of is not in its args."""
        return _again, (type(self), self.args, self.__dict__)


def _again(
    kind: type[UnwetError], args: tuple[object, ...], state: dict[str, object]
) -> UnwetError:
    error = kind.__new__(kind, *args)
    error.args = args
    error.__dict__.update(state)
    return error


_LOGIN = re.compile(r"(?<=://)[^/@\s]+(?=@)")
_SECRET = re.compile(r"((?:password|passwd|pwd|pass|token|secret|key)\s*=\s*)[^\s;&]+", re.I)


def without_secrets(given: str) -> str:
    """A path as it was given; of what is a connection string rather, no passwords and tokens."""
    return _SECRET.sub(r"\1***", _LOGIN.sub("***", given))


class UsageError(UnwetError):
    """The request cannot be carried out as it was made."""


class PathNotFound(UsageError):
    """An input path, or a pattern, that matches nothing."""

    def __init__(self, path: str, help: str = "give a folder, a file, a glob or -") -> None:
        super().__init__(f"no such file or folder: {without_secrets(path)}", help)
        self.path = path


class EmptyInput(UsageError):
    """Inputs that exist but hold no SQL files."""

    def __init__(self, paths: Iterable[str], suffixes: Iterable[str]) -> None:
        super().__init__(
            f"no SQL files in {', '.join(paths)}", f"looked for *{', *'.join(suffixes)}"
        )


class UnknownDialect(UsageError):
    """A dialect name that the parser does not know."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        names = sorted(known)
        near = get_close_matches(name.lower(), names, n=1)
        hint = f"did you mean {near[0]}?" if near else f"known dialects: {', '.join(names)}"
        super().__init__(f"unknown dialect: {name}", hint)
        self.name = name


class BadSchema(UsageError):
    """A schema file that is not there or not in a known form."""


class BadConfig(UsageError):
    """A configuration file with unknown keys or wrong values."""


class BadDecision(UsageError):
    """A decisions file with unknown keys or wrong values; the message begins with path:line."""


class BadPart(UsageError):
    """A file that is no part of a scan, or parts that do not belong together."""


class OutputError(UnwetError):
    """The result has nowhere to go."""


class OutputNotEmpty(OutputError):
    """The output folder holds files already."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"output folder is not empty: {path}", "choose another folder, or add --force"
        )


class OutputEdited(OutputError):
    """Files of the output folder were edited by hand, and would be overwritten."""

    def __init__(self, path: str, files: Sequence[str]) -> None:
        shown = ", ".join(files[:5]) + (f" and {len(files) - 5} more" if len(files) > 5 else "")
        super().__init__(
            f"edited by hand since unwet wrote {path}: {shown}",
            "unwet verify says what the edits mean; move these files away, or delete them to have"
            " them written anew",
        )


class OutputReadOnly(OutputError):
    """The output folder cannot be written."""

    def __init__(self, path: str, reason: str = "", help: str = "") -> None:
        super().__init__(f"cannot write to {path}" + (f": {reason}" if reason else ""), help)


class RenderError(UnwetError):
    """A tree that cannot be written in its dialect without losing something."""


class EngineError(UnwetError):
    """A database refused a statement."""


class WorkerError(UnwetError):
    """A process that shares the work raised an exception, or is gone; `trace`: its traceback."""

    def __init__(self, path: str, message: str, trace: str = "") -> None:
        where = f"{path}: " if path else ""
        super().__init__(f"{where}{message}", "try --jobs 1")
        self.path = path
        if trace:
            self.add_note(trace.rstrip())
