"""Functions that scripts define for themselves: the project makes them once, for all its models.

A temporary function ends with its script, and one of the same name in another script may be another
function. Each gets a name that is its own, in a schema of the project; calls and definitions say it
from here on, so that all that follows compares, writes and proves calls by what they call.

One that only gives a name to an expression, which is said once or is short and always the same, the
project need not make: calls say the expression.

with_own_functions(pile) -> the pile in which they do, and the functions
worth_making(pile) -> those that a project had better make
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from typing import Final

from sqlglot import exp

from unwet.lineage.parse import Script, Statement
from unwet.lineage.pile import Pile
from unwet.lineage.trees import copied
from unwet.rewrite.function_bodies import Body, body_of, fits, put_in
from unwet.rewrite.function_text import created, made_anew
from unwet.rewrite.function_words import (
    as_meant,
    defines,
    drops,
    has_schema,
    is_hidden,
    is_known,
    is_temporary,
    meaning,
    spelled,
)
from unwet.rewrite.naming import free
from unwet.rewrite.unsure_functions import said, says, unsure

SCHEMA: Final = "functions"
_LINE: Final = 88  # no longer than this is what is said at several calls
_OPEN: Final = re.compile(r"p__\w+?__p|\{%-?\s*endraw", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class OwnFunction:
    """``name``: with its schema, as calls say it; ``sql``: the statement that makes it there, in
    the ``dialect`` of its script; ``meaning``: what all statements have in common that make the
    same; ``path`` and ``line`` of the first; ``needs``: the functions that it calls itself;
    ``called``: what its authors call it."""

    name: str
    sql: str
    dialect: str
    meaning: str
    path: str
    line: int
    needs: tuple[str, ...] = ()
    called: str = ""


def in_authors_words(text: str, functions: Mapping[str, OwnFunction]) -> str:
    """A text in which calls say what the authors call the functions, with the place of a definition
    where several are called so."""
    many = Counter(function.called for function in functions.values())
    for name, function in functions.items():
        if function.called and name in text:
            place = f"@{function.path}:{function.line}" if many[function.called] > 1 else ""
            pieces = re.split(rf"\b{re.escape(name)}(?=\s*\()", text)
            text = f"{function.called}{place}".join(pieces)
    return text


@dataclass(frozen=True, slots=True)
class _Own:
    """What a name means in a script from one of its statements on. Two are the same function if
    they are equal: the place of a definition says nothing."""

    called: str
    dialect: str
    meaning: str
    needs: tuple[tuple[str, _Own], ...]
    at: Statement = field(compare=False)


def with_own_functions(
    pile: Pile, by_content: bool = False, made: Collection[str] | None = None
) -> tuple[Pile, Mapping[str, OwnFunction]]:
    """The same pile where no script defines a function for itself that could be made elsewhere.
    ``by_content``: names are for comparing only, and those of one script do not depend on others;
    all its functions have such names. ``made``: those that a project makes, None for all; what
    others say calls say themselves, if they can."""
    if not has_own_functions(pile):
        return pile, {}
    found = _Found(pile.scripts)
    if by_content:
        return pile.with_scripts([found.renamed(each, found.prints()) for each in pile.scripts]), {}
    names = found.names(_schema(pile))
    if not names:
        return pile, {}
    bodies = found.bodies(own for own in names if made is not None and names[own] not in made)
    scripts = [found.renamed(script, names, bodies) for script in pile.scripts]
    functions = {name: function for own, name in names.items()
                 if (function := found.function(own, names)) is not None}  # fmt: skip
    return pile.with_scripts(scripts), functions


def worth_making(pile: Pile) -> frozenset[str] | None:
    """The functions that a project had better make, by their names; None where those are all."""
    if not has_own_functions(pile):
        return None
    found = _Found(pile.scripts)
    names = found.names(_schema(pile))
    little = {own for own, body in found.bodies(names).items() if found.is_little(own, body)}
    while made := little & _needed(found.called() - little):
        little -= made  # by functions that stay
    return frozenset(name for own, name in names.items() if own not in little) if little else None


def reached(names: Iterable[str], functions: Mapping[str, OwnFunction]) -> tuple[OwnFunction, ...]:
    """These functions and all that they call, those first that others call."""
    done: dict[str, OwnFunction] = {}

    def take(name: str) -> None:
        if name in functions and name not in done:
            for needed in functions[name].needs:
                take(needed)
            done[name] = functions[name]

    for name in sorted(names):
        take(name)
    return tuple(done.values())


def _needed(functions: Iterable[_Own]) -> set[_Own]:
    """What functions call, at whatever depth."""
    direct = {inner for own in functions for _, inner in own.needs}
    return direct | _needed(direct) if direct else direct


def has_own_functions(pile: Pile) -> bool:
    """Whether a script defines one for itself."""
    return any(_is_own(s.tree) for script in pile.scripts for s in script.statements)


def _is_own(tree: exp.Expr) -> bool:
    return bool(defines(tree)) and is_temporary(tree)


def _schema(pile: Pile) -> str:
    """A name that nothing in the pile has."""
    name, n = SCHEMA, 1
    while any(_has(script, name) for script in pile.scripts):
        n += 1
        name = f"{SCHEMA}_{n}"
    return name


def _has(script: Script, name: str) -> bool:
    if name not in script.source.text.lower():
        return False
    words = (
        node.name.lower() for s in script.statements for node in s.tree.find_all(exp.Identifier)
    )
    return name in words


class _Found:
    """The functions of scripts, and which one each call means."""

    def __init__(self, scripts: Sequence[Script]) -> None:
        self._told = {id(script): _told(script) for script in scripts}
        self._calls = Counter[_Own]()
        self._said = defaultdict[_Own, list[exp.Anonymous]](list)  # not in another function
        self._refused = set[_Own]()
        # no manual says whether a text keeps its collation as an argument
        self._collates = any("COLLATE" in each.source.text.upper() for each in scripts)
        for script in scripts:
            for statement, known in self._told[id(script)]:
                for call, own in _meant(statement, known):
                    self._calls[own] += 1
                    if not defines(statement.tree):
                        self._said[own].append(call)
                    if isinstance(call.parent, exp.Table | exp.Lateral):
                        self._refused.add(own)  # rows, no value

    def names(self, schema: str) -> dict[_Own, str]:
        """What they are called in the project; those that are called most often come first."""
        found, taken = dict[_Own, str](), set[str]()
        for own in sorted(self._calls, key=lambda own: -self._calls[own]):
            if self._can(own):
                word = free(re.sub(r"\W", "_", own.called), taken)
                found[own] = f"{schema}.{word}"
                taken.add(word)
        return found

    def prints(self) -> dict[_Own, str]:
        """A name for each that says what it is; those that are made of rows have none."""
        return {own: f"{SCHEMA}.{own.called}_{_print(own)}" for own in self._calls
                if own not in self._refused}  # fmt: skip

    def _can(self, own: _Own) -> bool:
        """Whether it can be made elsewhere, with all that it calls."""
        if own in self._refused or not all(self._can(inner) for _, inner in own.needs):
            return False
        renames = {name: f"{SCHEMA}.{name}" for name, _ in own.needs}
        return made_anew(own.at, f"{SCHEMA}.{own.called}", renames) is not None

    def called(self) -> set[_Own]:
        """The functions that queries call themselves."""
        return {own for own, calls in self._said.items() if calls}

    def bodies(self, functions: Iterable[_Own]) -> dict[_Own, Body]:
        """What those of the functions say that all calls can say themselves."""
        called = set() if self._collates else self.called()
        found = ((own, _body(own)) for own in functions if own in called)
        return {own: body for own, body in found
                if body and all(fits(call, body) for call in self._said[own])}  # fmt: skip

    def is_little(self, own: _Own, body: Body) -> bool:
        """Whether nobody misses the function: all that calls it says the same, which is short, or
        is said once."""
        calls = self._said[own]
        texts = {call.sql(own.dialect, comments=False) for call in calls}
        said = put_in(calls[0], body).this.sql(own.dialect)
        return len(calls) == 1 or (len(texts) == 1 and len(said) <= _LINE)

    def renamed(
        self, script: Script, names: Mapping[_Own, str], bodies: Mapping[_Own, Body] | None = None
    ) -> Script:
        """The script with the new names in calls and definitions, or with what calls say."""
        changed = False
        statements: list[Statement] = []
        for statement, known in self._told[id(script)]:
            made = _with_names(statement, known, names, bodies or {})
            changed = changed or made is not statement
            statements.append(made)
        if not changed:
            return script
        by_index = {statement.index: statement for statement in statements}
        return replace(script, statements=tuple(by_index[s.index] for s in script.statements))

    def function(self, own: _Own, names: Mapping[_Own, str]) -> OwnFunction | None:
        """The function as the project makes it."""
        renames = {name: names[inner] for name, inner in own.needs}
        sql = made_anew(own.at, names[own], renames)
        if sql is None:
            return None
        made, at = created(sql, own.dialect), own.at
        assert made is not None, "it was read before"
        needs = tuple(sorted(renames.values()))
        return OwnFunction(
            names[own], sql, own.dialect, meaning(made), at.path, at.span.line, needs, own.called
        )


_Known = Mapping[str, _Own]


def _body(own: _Own) -> Body | None:
    """What a function says, if that is an expression of its arguments."""
    inner = {_defined(each.at): _body(each) for _, each in own.needs}
    return body_of(own.at.tree, own.dialect, inner)


def _print(own: _Own) -> str:
    """A hash of what a function says, and of those that it calls."""
    inner = [f"{name}={_print(each)}" for name, each in own.needs]
    said = "\0".join((own.dialect, own.meaning, *inner))
    return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def _told(script: Script) -> list[tuple[Statement, _Known]]:
    """The statements of a script, in its order, with what its own functions mean in each; in the
    one that defines a function that one is among them."""
    own: dict[str, _Own] = {}
    found: list[tuple[Statement, _Known]] = []
    definitions = said(script)
    names, doubts = {one.name for one in definitions}, unsure(script, definitions)
    for statement in sorted(script.statements, key=lambda each: each.span):
        if name := _defined(statement):
            made = _own(statement, name, own)
            if name.lower() in doubts or _lacks(statement, own, names):
                made = None
            own = {n: o for n, o in own.items() if n != name}
            if made is not None:
                own[name] = made
        elif gone := drops(statement.tree) | {one.name for one in says(statement)}:
            own = {n: o for n, o in own.items() if n.lower() not in gone}
        found.append((statement, own))
    return found


def _defined(statement: Statement) -> str:
    """The name that a statement defines, as calls have to say it; empty for any other."""
    tree = statement.tree
    if not isinstance(tree, exp.Create) or not defines(tree):
        return ""
    return as_meant(spelled(tree), statement.dialect)


def _own(statement: Statement, name: str, known: _Known) -> _Own | None:
    """The function that a statement defines, if it is one that ends with its script, and all that
    it says would be the same elsewhere."""
    tree = statement.tree
    assert isinstance(tree, exp.Create)
    again = bool(tree.args.get("exists")) and name in known
    if not is_temporary(tree) or again or "." in name or is_known(name, statement.dialect):
        return None
    if _OPEN.search(statement.text) or _reads(statement) or is_hidden(tree):
        return None
    if statement.text.strip() not in statement.masked.source.text:
        return None  # {# #} in it was read as a comment of a template
    needs = dict[str, _Own]()
    for call, own in _meant(statement, known):
        if needs.setdefault(call.name.lower(), own) != own:
            return None  # good and Good
    inner = tuple(sorted(needs.items(), key=lambda each: each[0]))
    return _Own(name.lower(), statement.dialect, meaning(tree), inner, statement)


def _lacks(statement: Statement, known: _Known, defined: Collection[str]) -> bool:
    """Whether a body calls a function of its script that the project does not make."""
    for node in statement.tree.find_all(exp.Func):
        own = isinstance(node, exp.Anonymous)
        for name in [as_meant(node.name, statement.dialect)] if own else node.sql_names():
            if name.lower() in defined and name not in known:
                return True
    return False


def _reads(statement: Statement) -> bool:
    """Whether a body reads tables or variables: what these hold, its place decides."""
    body = statement.tree.expression
    if not isinstance(body, exp.Expr):
        return False
    if any(isinstance(table.this, exp.Identifier) for table in body.find_all(exp.Table)):
        return True
    names = (column.name.lower() for column in body.find_all(exp.Column))
    return body.find(exp.Parameter, exp.SessionParameter) is not None or any(
        name in statement.variables for name in names
    )


def _meant(statement: Statement, known: _Known) -> Iterator[tuple[exp.Anonymous, _Own]]:
    """The calls of functions of the script's own."""
    if not known:
        return
    for node in statement.tree.find_all(exp.Anonymous):
        own = known.get(as_meant(node.name, statement.dialect))
        if own is not None and not has_schema(node) and own.at is not statement:
            yield node, own


def _with_names(
    statement: Statement, known: _Known, names: Mapping[_Own, str], bodies: Mapping[_Own, Body]
) -> Statement:
    """The statement with calls, and the name that it defines, as the project has them."""
    defined = known.get(_defined(statement))
    mine = defined is not None and defined in names and defined.at is statement
    if not mine and not any(own in names for _, own in _meant(statement, known)):
        return statement
    copy = copied(statement.tree)
    twins = dict(zip(map(id, statement.tree.walk()), copy.walk(), strict=True))
    for call, own in reversed([*_meant(statement, known)]):  # those within others first
        twin = twins[id(call)]
        assert isinstance(twin, exp.Anonymous)
        if own in bodies and not defines(statement.tree):
            twin.replace(put_in(twin, bodies[own]))
        elif own in names:
            twin.set("this", names[own])
    if mine and defined is not None:
        schema, _, last = names[defined].partition(".")
        copy.this.this.replace(exp.table_(last, db=schema))
    return replace(statement, tree=copy)
