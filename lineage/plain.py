"""Frozen values as plain lists, for files that another process or another machine reads.

A dataclass or a named tuple is the list of its fields, in order; one of several classes is led by
its class's name. Whoever reads says what they expect: nothing in a file chooses what is made.
"""

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import lru_cache
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
Plain = Any  # None, a text, a number, or a list of them
_SIMPLE = (str, int, bool)


def plain(kind: Any, value: Any) -> Plain:
    """A value of that type as lists, texts and numbers."""
    return _codec(kind)[0](value)


def read(kind: Callable[..., T], given: Plain) -> T:
    """The value of that type; raises ValueError for what is none."""
    made: T = _codec(kind)[1](given)
    return made


Codec = tuple[Callable[[Any], Plain], Callable[[Plain], Any]]


@lru_cache(maxsize=256)
def _codec(kind: Any) -> Codec:
    origin, args = get_origin(kind), get_args(kind)
    if kind in _SIMPLE or origin is Literal:
        return _same, _of_type(str if origin is Literal else kind)
    if origin in (Union, UnionType):
        return _either(args)
    if origin in (tuple, frozenset):
        return _several(origin, args)
    if is_dataclass(kind):
        return _record(kind, [each.name for each in fields(kind) if each.init])
    if isinstance(kind, type) and issubclass(kind, tuple):
        return _record(kind, list(kind._fields))  # type: ignore[attr-defined]
    raise TypeError(f"{kind} has no plain form")


def _same(value: Any) -> Plain:
    return value


def _of_type(kind: type) -> Callable[[Plain], Any]:
    def checked(given: Plain) -> Any:
        if type(given) is not kind:
            raise ValueError(f"{given!r} is no {kind.__name__}")
        return given

    return checked


def _items(given: Plain, size: int | None = None) -> list[Plain]:
    if not isinstance(given, list) or (size is not None and len(given) != size):
        raise ValueError(f"a list{'' if size is None else f' of {size}'} was expected")
    return given


def _record(kind: Any, names: list[str]) -> Codec:
    hints = get_type_hints(kind)
    inner = [_codec(hints[name]) for name in names]

    def write(value: Any) -> Plain:
        parts = zip(inner, names, strict=True)
        return [codec[0](getattr(value, name)) for codec, name in parts]

    def make(given: Plain) -> Any:
        values = zip(inner, _items(given, len(names)), strict=True)
        return kind(*(codec[1](each) for codec, each in values))

    return write, make


def _several(origin: Any, args: tuple[Any, ...]) -> Codec:
    """tuple[X, ...], frozenset[X], tuple[X, Y]."""
    if origin is tuple and args[1:] != (...,):
        inner = [_codec(each) for each in args]
        return (
            lambda value: [c[0](v) for c, v in zip(inner, value, strict=True)],
            lambda given: tuple(
                c[1](v) for c, v in zip(inner, _items(given, len(inner)), strict=True)
            ),
        )
    write, make = _codec(args[0])
    ordered: Callable[[Any], Any] = sorted if origin is frozenset else tuple
    return (
        lambda value: [write(each) for each in ordered(value)],
        lambda given: origin(make(each) for each in _items(given)),
    )


def _either(args: tuple[Any, ...]) -> Codec:
    """X | None as such; one of several classes with the name of its class."""
    kinds = {each.__name__: _codec(each) for each in args if each is not NoneType}
    optional = NoneType in args
    only = next(iter(kinds.values())) if len(kinds) == 1 else None

    def write(value: Any) -> Plain:
        if value is None:
            return None
        name = type(value).__name__
        return only[0](value) if only is not None else [name, kinds[name][0](value)]

    def make(given: Plain) -> Any:
        if given is None and optional:
            return None
        if only is not None:
            return only[1](given)
        name, inner = _items(given, 2)
        if name not in kinds:
            raise ValueError(f"{name!r} is none of {', '.join(kinds)}")
        return kinds[name][1](inner)

    return write, make
