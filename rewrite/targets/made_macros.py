"""Macros that a dbt project gets when its templates are written: for what these say alike.

macro_file(name, body, params) -> the text of its file
comment_of(paths, done) -> what is said of it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from unwet.rewrite.targets.shared_lists import TEXT

# the head of a macro's file: its name, and its parameters
HEAD: Final = re.compile(rf"\A\{{% macro (\w+)\(((?:{TEXT}|[^'\"%])*)\) %\}}\n")
TAG: Final = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
_SHOWN: Final = 3  # files in a comment


@dataclass(frozen=True, slots=True)
class MadeMacro:
    """A macro, what it is for, and its file."""

    name: str
    comment: str
    text: str
    params: tuple[str, ...] = ()


def macro_file(name: str, body: str, params: Sequence[str] = ()) -> str:
    """A file that holds one macro."""
    return f"{{% macro {name}({', '.join(params)}) %}}\n{body}\n{{% endmacro %}}\n"


def comment_of(paths: Sequence[str], done: str) -> str:
    """What is said of a macro that these files have in common, after what they do with it."""
    shown = [*map(stem, paths[: _SHOWN if len(paths) > _SHOWN + 1 else -1])]
    last = f"{len(paths) - _SHOWN} more" if len(paths) > _SHOWN + 1 else stem(paths[-1])
    return f"What {', '.join(shown)} and {last} {done}."


def stem(path: str) -> str:
    """The name of the model or macro of a file."""
    return path.rpartition("/")[2].removesuffix(".sql")


def words_in_tags(texts: Iterable[str]) -> set[str]:
    """What tags of Jinja name: a macro of such a name could not be called beside it."""
    tags = (tag for text in texts for tag in TAG.findall(text))
    return {word for tag in tags for word in re.findall(r"\w+", tag)}
