"""A template in all its branches, in the sandbox that projects are read back with.

in_branches(text, macros) -> Rendering per way in which what is not known may turn out
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, wraps
from operator import itemgetter
from typing import Any, Final

from jinja2 import meta, nodes
from jinja2.runtime import Context

from unwet.rewrite.prove.macro_files import returned, returning
from unwet.rewrite.prove.sandbox import Budget, Sandbox, TemplateFailure, guarded
from unwet.rewrite.templated.lexed import laid_out_in_tags
from unwet.rewrite.templated.unknown import (
    RESERVED,
    WORD,
    Decide,
    Unknown,
    digest,
    is_unknown,
    said,
)

MOST_BRANCHES: Final = 64
DBT: Final = frozenset({"ref", "source", "var", "env_var", "is_incremental", "this", "target",
                        "execute", "model", "return", "log", "exceptions"})  # fmt: skip
"""What dbt itself says to templates, the same to each macro that a model calls."""
_QUIET: Final = re.compile(r"(?:ref|source|var|env_var|is_incremental|log|print)\(")
_RUNNING: Final = re.compile(r"\b(?:run_query|statement|run_hooks|adapter|api)\b")
_HOOKS: Final = frozenset({"pre_hook", "post_hook"})
_STRUCTURAL: Final = frozenset({"count", "first", "last", "length", "list"})  # not of the elements


@dataclass(frozen=True, slots=True)
class Rendering:
    """The text in one branch: ``decided`` is how each thing that was asked turned out; ``config``
    what the model was configured with; ``outside``: names that it speaks of and nobody explains;
    ``called``: what it calls, as it is written; ``ran``: those of them that count although nothing
    of them is said: statements that it may run, and calls whose value nobody asks for."""

    decided: Mapping[str, bool]
    text: str
    config: tuple[str, ...]
    outside: frozenset[str]
    called: frozenset[str] = frozenset()
    ran: tuple[str, ...] = ()

    def meets(self, other: Rendering) -> bool:
        """Whether both can be at the same time."""
        shared = self.decided.keys() & other.decided.keys()
        return all(self.decided[key] == other.decided[key] for key in shared)


def in_branches(text: str, macros: Iterable[str] = ()) -> tuple[Rendering, ...]:
    """Renders a template once for each way in which what it does not know may turn out: whatever
    is neither said in it nor in the texts of ``macros`` is a function of its arguments.

    Raises TemplateFailure, with the line, for what cannot be followed.
    """
    macros = tuple(macros)
    for each in (text, *macros):
        if RESERVED in each:
            raise TemplateFailure(f"a word that begins with {RESERVED}")
    found: list[Rendering] = []
    waiting: list[dict[str, bool]] = [{}]
    budget = Budget()
    while waiting:
        if len(found) == MOST_BRANCHES:
            raise TemplateFailure(f"more than {MOST_BRANCHES} branches")
        given = waiting.pop()
        one = _Reading(budget, given).rendering(text, macros)
        found.append(one)
        keys = [*one.decided]
        for at in range(len(given), len(keys)):
            before = {key: one.decided[key] for key in keys[:at]}
            waiting.append({**before, keys[at]: not one.decided[keys[at]]})
    return tuple(found)


class _Reading:
    """One branch: decisions that are given are followed, others turn out false."""

    def __init__(self, budget: Budget, given: Mapping[str, bool]) -> None:
        self._asked = _Asked(given)
        self._config: list[tuple[str, str]] = []
        self._outside: set[str] = set()
        self._environment = _Symbolic(budget, self._asked)

    def rendering(self, text: str, macros: Iterable[str]) -> Rendering:
        names: dict[str, object] = {"config": self._configure, "return": returned}
        bodies: dict[str, Callable[..., object]] = {}
        texts = {each: macro_names(each) for each in macros}
        for name in (name for found in texts.values() for name in found):
            names[name] = _late(bodies, name)  # each macro may call all others
        for each, found in texts.items():
            module = self._module(each, names)
            bodies |= {name: getattr(module, name) for name in found}
        made = guarded(lambda: self._template(text, names).render())
        asked, config = self._asked, tuple(self._configured())
        return Rendering(
            asked.decided,
            str(made),
            config,
            frozenset(self._outside),
            frozenset(asked.calls),
            tuple(asked.ran(config)),
        )

    def _module(self, text: str, names: Mapping[str, object]) -> object:
        return guarded(lambda: self._template(text, names).module)

    def _template(self, text: str, names: Mapping[str, object]) -> Any:
        free = _undeclared(text) - names.keys()
        self._outside |= free - DBT
        unknown = {name: Unknown(name, self._asked) for name in free}
        return self._environment.from_string(text, globals={**unknown, **names})

    def _configure(self, *given: object, **settings: object) -> str:
        self._config += (("", said(each)) for each in given)
        self._config += ((key, said(_of_hooks(key, each))) for key, each in settings.items())
        return ""

    def _configured(self) -> Iterator[str]:
        """In what order settings are said does not count, unless one is said twice."""
        found = self._config
        if all(key for key, _ in found):
            found = sorted(found, key=itemgetter(0))
        yield from (f"{key}={value}" if key else value for key, value in found)


class _Asked:
    """What was decided so far, and what was called and printed on the way."""

    def __init__(self, given: Mapping[str, bool]) -> None:
        self._given = given
        self.decided: dict[str, bool] = {}
        self.calls: list[str] = []
        self._printed: list[str] = []

    def __call__(self, key: str) -> bool:
        if key not in self.decided:
            self.decided[key] = self._given.get(key, False)
        return self.decided[key]

    def printed(self, key: str) -> None:
        self._printed.append(key)

    def called(self, key: str) -> None:
        self.calls.append(key)

    def ran(self, config: Iterable[str]) -> Iterator[str]:
        """Statements, whatever became of them, and then each call that left no trace."""
        yield from sorted({key for key in self.calls if _RUNNING.search(key)})
        heard = "\n".join((*self._printed, *self.decided, *config))
        quiet = (key for key in self.calls if not _QUIET.match(key) and key not in heard)
        yield from (key for key in quiet if not any(key in e for e in self.calls if e != key))


def _of_hooks(key: str, value: object) -> object:
    """Hooks are templates: blanks within their tags say nothing."""
    match value:
        case str() if key in _HOOKS and not is_unknown(value):
            return laid_out_in_tags(value)
        case list() if key in _HOOKS:
            return [_of_hooks(key, each) for each in value]
        case _:
            return value


def _late(bodies: Mapping[str, Callable[..., object]], name: str) -> Callable[..., object]:
    return returning(lambda *args, **kwargs: bodies[name](*args, **kwargs))


@lru_cache(maxsize=4096)
def _undeclared(text: str) -> frozenset[str]:
    tree = guarded(lambda: Sandbox(Budget()).parse(text))
    return frozenset(meta.find_undeclared_variables(tree))


@lru_cache(maxsize=4096)
def macro_names(text: str) -> tuple[str, ...]:
    """The macros that a text defines at its top. Raises TemplateFailure for what is no template."""
    tree = guarded(lambda: Sandbox(Budget()).parse(text))
    return tuple(node.name for node in tree.body if isinstance(node, nodes.Macro))


def bound_names(text: str) -> tuple[str, ...]:
    """The names that a template gives values to, in sets, loops and parameters. Raises
    TemplateFailure for what is no template."""
    tree = guarded(lambda: Sandbox(Budget()).parse(text))
    found = (each.name for each in tree.find_all(nodes.Name) if each.ctx in ("store", "param"))
    return tuple(dict.fromkeys(found))


class _Symbolic(Sandbox):
    """The sandbox, with operators, filters and tests that know what is not known."""

    def __init__(self, budget: Budget, decide: Decide) -> None:
        self._decide = decide
        super().__init__(budget)
        apart = {"unwet_turns", "unwet_glue", "join"}
        filters, tests = dict[str, Any](self.filters), dict[str, Any](self.tests)
        self.filters = {
            name: each if name in apart else self._symbolic(name, each)
            for name, each in filters.items()
        }
        self.tests = {name: self._symbolic(f"is {name}", each) for name, each in tests.items()}

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        return self._open(super().call(context, obj, *args, **kwargs))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if not (isinstance(left, Unknown) or isinstance(right, Unknown)):
            return super().call_binop(context, operator, left, right)
        self.budget.step()
        if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
            return self._glue([left, right])
        return Unknown(f"({said(left)} {operator} {said(right)})", self._decide)

    def _symbolic(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(function)
        def symbolic(*args: Any, **kwargs: Any) -> Any:
            whole = name in _STRUCTURAL and not isinstance(args[0], Unknown)
            values = [*args, *kwargs.values()]
            if whole or not any(map(is_unknown, values)):
                return self._open(function(*args, **kwargs))
            told = [each for each in args if not isinstance(each, Context | Sandbox)]
            given = [*map(said, told), *(f"{k}={said(v)}" for k, v in kwargs.items())]
            return Unknown(f"{name}({', '.join(given)})", self._decide)

        return symbolic

    def _join(self, items: Any, separator: str = "", attribute: str = "") -> Any:
        if isinstance(items, Unknown) or isinstance(separator, Unknown) or attribute:
            return self._symbolic("join", super()._join)(items, separator, attribute)
        return super()._join(items, separator, attribute)

    def _joined(self, separator: str, parts: list[str]) -> Any:
        return self._open(super()._joined(separator, parts))

    def _replace(self, text: Any, old: Any, new: Any, count: int = -1) -> Any:
        if any(isinstance(each, Unknown) for each in (text, old, new, count)):
            return Unknown(f"replace({said(text)}, {said(old)}, {said(new)})", self._decide)
        return super()._replace(text, old, new, count)

    def _concat(self, parts: Iterable[str]) -> Any:
        return self._open(super()._concat(parts))

    def _open(self, value: Any) -> Any:
        """A text with something unknown in it is not known itself: nothing may be asked of it."""
        if isinstance(value, str) and WORD.search(value):
            return Unknown(f"a text, {digest(value)}", self._decide, value)
        return value


def assumption(renderings: Iterable[Rendering]) -> tuple[str, ...]:
    """What is taken for granted where what these speak of is said by another macro."""
    names = sorted({name for each in renderings for name in each.outside})
    said = "what it says depends on its arguments and on the model alone, not on who calls it"
    return tuple(f"{name} is not among what is rewritten: {said}" for name in names)
