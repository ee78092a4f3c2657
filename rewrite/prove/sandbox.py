"""Jinja that cannot do anything but make text: for templates that we did not write.

The sandbox of jinja2 keeps templates away from Python's insides. On top of it: attributes and
filters by list, and a budget for steps (loop turns, calls) and for characters, so that neither an
endless loop nor a growing string ends in more than an error. No file, no environment variable, no
clock and no random number can be reached.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from types import CodeType
from typing import Any, Final, TypeVar, cast

from jinja2 import StrictUndefined, TemplateError, TemplateSyntaxError, Undefined, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.runtime import Context, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from unwet.lineage.errors import UnwetError

STEPS = 300_000  # loop turns and calls in one project
CHARACTERS = 20_000_000  # text made in one project, also what is thrown away again
BIGGEST = 2_000_000  # one string, list or number (in digits)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FILTERS = _words(
    "abs capitalize count d default dictsort first float groupby int items last length list lower "
    "map max min reject rejectattr reverse round select selectattr sort string sum title trim "
    "unique upper"
)
_GLOBALS = frozenset({"dict", "namespace"})
_METHODS: dict[type, frozenset[str]] = {
    str: _words(
        "upper lower title capitalize strip lstrip rstrip split rsplit splitlines startswith "
        "endswith replace join find isdigit isalpha isnumeric"
    ),
    dict: frozenset({"items", "keys", "values", "get"}),
    list: frozenset({"index", "count"}),
    tuple: frozenset({"index", "count"}),
}

Result = TypeVar("Result")


_SCOPES: Final = ("_loop_vars", "_block_vars")  # what Jinja hands on with a call inside of a loop


class TemplateFailure(UnwetError):
    """A template that cannot be rendered; `line` (from 1; 0 when unknown) is in that template."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class Unparsed(TemplateFailure):
    """A text that is no template, or no SQL: nobody can run it."""


class Returned(TemplateFailure):
    """`return(value)` on its way out of a macro: macros give back values, not only text."""

    def __init__(self, value: object) -> None:
        super().__init__("return() outside of a macro")
        self.value = value


class Budget:
    """What rendering may still use up; shared by all templates of a project."""

    def __init__(self, steps: int = STEPS, characters: int = CHARACTERS) -> None:
        self._steps = steps
        self._characters = characters

    def step(self, count: int = 1) -> None:
        self._steps -= count
        if self._steps < 0:
            raise TemplateFailure("the template runs too long (an endless loop?)")

    def fits(self, count: int) -> None:
        if count > BIGGEST:
            raise TemplateFailure("the template makes a value that is too big")

    def size(self, count: int) -> None:
        self.fits(count)
        self._characters -= count
        if self._characters < 0:
            raise TemplateFailure("the template makes too much text")


_compiled: dict[str, CodeType] = {}  # template text to code
_MOST_COMPILED = 4096


class Sandbox(ImmutableSandboxedEnvironment):
    """The environment; `budget` is what all its templates share."""

    intercepted_binops = frozenset({"+", "*", "**", "%", "//", "/", "-"})

    def __init__(self, budget: Budget) -> None:
        super().__init__(undefined=StrictUndefined, extensions=["jinja2.ext.do", _ForeignBlocks])
        self.budget = budget
        self.filters = {k: self._paid(v) for k, v in self.filters.items() if k in _FILTERS}
        self.filters |= {_TURNS: self._turns, _GLUE: self._glue, "replace": self._replace}
        self.filters |= {"indent": _indent, "join": self._join}
        self.filters |= dict.fromkeys(("default", "d"), _known(self.filters["default"]))
        self.tests |= {name: _known(self.tests[name]) for name in ("defined", "undefined")}
        self.globals = {k: v for k, v in self.globals.items() if k in _GLOBALS}
        self.globals["range"] = self._range
        self.concat = self._concat  # type: ignore[method-assign]

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        """Loops and `~` go through the budget: both are plain Python in compiled templates."""
        template = super()._parse(source, name, filename)
        for loop in template.find_all(nodes.For):
            if loop.recursive:
                raise TemplateFailure("recursive loops are not available", loop.lineno)
            loop.iter = _through(_TURNS, cast(nodes.Expr, loop.iter))
        _replace_concats(template)
        return template

    def compile(self, source: Any, *args: Any, **settings: Any) -> Any:
        """All environments are alike, so a text that one has compiled is compiled for all."""
        if not isinstance(source, str) or args or settings:
            return super().compile(source, *args, **settings)
        code = _compiled.get(source)
        if code is None:
            if len(_compiled) > _MOST_COMPILED:
                _compiled.clear()
            code = _compiled[source] = super().compile(source)
        return code

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        for kind, allowed in _METHODS.items():
            if isinstance(obj, kind):
                return attr in allowed
        return not isinstance(obj, int | float | bytes) and super().is_safe_attribute(
            obj, attr, value
        )

    def wrap_str_format(self, value: Any) -> None:
        """No str.format: a width of a billion is one short template away."""

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> Any:
        self.budget.step()
        owner = getattr(obj, "__self__", None)
        if isinstance(owner, str):
            own = {name: value for name, value in kwargs.items() if name not in _SCOPES}
            return self._text_method(owner, obj.__name__, args, own)
        try:
            result = super().call(context, obj, *args, **kwargs)
        except Returned as returned:
            if not isinstance(obj, Macro):
                raise
            result = returned.value
        self.budget.size(_length(result))
        return result

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        self.budget.step()
        self.budget.size(_result_size(operator, left, right))
        return super().call_binop(context, operator, left, right)

    def _text_method(self, text: str, name: str, args: Any, kwargs: Any) -> Any:
        if name == "replace":
            return self._replace(text, *args, **kwargs)
        if name == "join":
            return self._joined(text, [str(item) for item in self._turns(*args)])
        self.budget.size(len(text))
        return getattr(text, name)(*args, **kwargs)

    def _turns(self, items: Iterable[Any]) -> list[Any]:
        """The items of a loop, paid for in advance (so that `loop.length` keeps working)."""
        taken = []
        for item in items:
            self.budget.step()
            taken.append(item)
        return taken

    def _paid(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """A filter that costs steps by the length of what it is given."""

        @wraps(function)
        def paid(*args: Any, **kwargs: Any) -> Any:
            self.budget.step(1 + sum(map(_length, args)) // 50)
            return function(*args, **kwargs)

        return paid

    def _join(self, items: Iterable[Any], separator: str = "", attribute: str = "") -> str:
        taken = self._turns(items)
        parts = [self.getitem(item, attribute) for item in taken] if attribute else taken
        return self._joined(str(separator), [str(part) for part in parts])

    def _glue(self, parts: Iterable[Any]) -> str:
        return self._joined("", [str(part) for part in parts])

    def _joined(self, separator: str, parts: list[str]) -> str:
        self.budget.size(sum(map(len, parts)) + len(separator) * len(parts))
        return separator.join(parts)

    def _replace(self, text: Any, old: Any, new: Any, count: int = -1) -> str:
        text, old, new = str(text), str(old), str(new)
        hits = text.count(old) if count < 0 else min(count, text.count(old))
        self.budget.size(len(text) + hits * len(new))
        replaced: str = text.replace(old, new, count)
        return replaced

    def _range(self, *bounds: int) -> range:
        numbers = range(*bounds)
        if len(numbers[: STEPS + 1]) > STEPS:
            raise TemplateFailure("the template loops over too long a range")
        return numbers

    def _concat(self, parts: Iterable[str]) -> str:
        """Whatever a template, a macro or a block puts out."""
        made: list[str] = []
        length = 0
        for part in parts:
            self.budget.size(len(part))
            self.budget.fits(length := length + len(part))
            made.append(part)
        return "".join(made)


def guarded(build: Callable[[], Result]) -> Result:
    """Run `build`; whatever goes wrong inside a template becomes a TemplateFailure."""
    try:
        return build()
    except TemplateFailure as failure:
        kind = Unparsed if isinstance(failure, Unparsed) else TemplateFailure
        raise kind(failure.message, failure.line or _line(failure)) from failure
    except TemplateSyntaxError as error:
        raise Unparsed(str(error.message), error.lineno) from error
    except TemplateError as error:
        raise TemplateFailure(str(error), getattr(error, "lineno", 0) or _line(error)) from error
    except RecursionError as error:
        raise TemplateFailure("macros call one another without end") from error
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise TemplateFailure(f"{type(error).__name__}: {error}", _line(error)) from error


def _known(asked: Any) -> Callable[..., Any]:
    """A test or filter that asks whether something is there: of a name that nobody gives here, only
    the tool that runs the template knows."""

    @wraps(asked)
    def known(value: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(value, Undefined):
            name, hint = value._undefined_name, value._undefined_hint
            if hint is None and value._undefined_obj is missing:
                raise TemplateFailure(f"whether there is {name} is not known")
        return asked(value, *args, **kwargs)

    return known


_TURNS, _GLUE = "unwet_turns", "unwet_glue"


def _through(name: str, value: nodes.Expr) -> nodes.Filter:
    node = nodes.Filter(value, name, [], [], None, None)
    return node.set_lineno(value.lineno)  # type: ignore[return-value]


def _replace_concats(node: nodes.Node) -> None:
    for field, value in node.iter_fields():
        if isinstance(value, nodes.Node):
            _replace_concats(value)
            if isinstance(value, nodes.Concat):
                setattr(node, field, _glued(value))
        elif isinstance(value, list):
            for item in value:
                if isinstance(item, nodes.Node):
                    _replace_concats(item)
            value[:] = [_glued(i) if isinstance(i, nodes.Concat) else i for i in value]


def _glued(concat: nodes.Concat) -> nodes.Filter:
    parts = nodes.List(concat.nodes)
    parts.set_lineno(concat.lineno)
    return _through(_GLUE, parts)


def _length(value: object) -> int:
    match value:
        case str() | list() | tuple() | dict() | range():
            return len(value)
        case int():
            return value.bit_length() // 3
        case _:
            return 1


def _result_size(operator: str, left: object, right: object) -> int:
    """An upper bound for the size of `left operator right`."""
    match operator, left, right:
        case "%", str(), _:
            raise TemplateFailure("formatting with % is not available in templates")
        case "**", int(), int():
            return left.bit_length() * abs(right)
        case "*", int(), int():
            return _length(left) + _length(right)
        case "*", int(), str() | list() | tuple():
            return abs(left) * (len(right) + 1)
        case "*", str() | list() | tuple(), int():
            return abs(right) * (len(left) + 1)
        case "+", _, _:
            return _length(left) + _length(right)
        case _:
            return 1


def _indent(text: str, width: int = 4, first: bool = False, blank: bool = False) -> str:
    """As jinja2's, with a width that a person would write."""
    pad = " " * min(int(width), 100)
    lines = [pad + line if line or blank else line for line in str(text).split("\n")]
    return "\n".join(lines if first else [str(text).split("\n")[0], *lines[1:]])


def _line(error: BaseException) -> int:
    """The outermost template line that the error passed through."""
    trace = error.__traceback__
    while trace is not None:
        # jinja2 rewrites the frames of templates so that they carry template lines
        if trace.tb_frame.f_code.co_filename in ("<template>", "<unknown>"):
            return trace.tb_lineno
        trace = trace.tb_next
    return 0


class _ForeignBlocks(Extension):
    """dbt's other blocks may stand in macro files; nothing here needs what is inside."""

    tags = {"test", "data_test", "materialization", "snapshot", "docs"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        tag = next(parser.stream).value
        while parser.stream.current.type != "block_end":
            next(parser.stream)
        parser.parse_statements((f"name:end{tag}",), drop_needle=True)
        return []
