"""From a tree with tokens to a template: the one place that knows how tokens look in Jinja."""

from __future__ import annotations

import re
import textwrap
from bisect import bisect_left
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from types import MappingProxyType

from sqlglot import exp

from unwet.lineage.printing import render
from unwet.lineage.trees import copied
from unwet.rewrite.library import (
    HOLE,
    LINE,
    NAMELESS,
    SELECTED,
    MacroCall,
    MacroKind,
    with_calls_as_queries,
)
from unwet.rewrite.naming import free
from unwet.rewrite.optional_orders import marked, with_tests
from unwet.rewrite.optional_tests import with_tests_if_said
from unwet.rewrite.targets.affixed import Affixed, affixed
from unwet.rewrite.targets.counted_rows import counted
from unwet.rewrite.targets.derived import Cuts, LookUps, Printed, Table, looked_up, without
from unwet.rewrite.targets.item_bodies import ItemLevel, shown
from unwet.rewrite.targets.item_loops import FIRST, Placed, looped
from unwet.rewrite.targets.jinja_values import argument, arguments, expression
from unwet.rewrite.targets.key_ranges import ranged, with_ranges
from unwet.rewrite.targets.ladders import laddered
from unwet.rewrite.targets.left_out import put_in, set_aside
from unwet.rewrite.targets.long_lists import set_out
from unwet.rewrite.targets.loops import Body, Level, Loop, folded
from unwet.rewrite.targets.negations import negated
from unwet.rewrite.targets.row_groups import grouped
from unwet.rewrite.targets.run_loops import over_names
from unwet.rewrite.targets.said_again import named
from unwet.rewrite.targets.shared_lists import once
from unwet.rewrite.targets.tokens import TOKEN
from unwet.rewrite.targets.when_tables import Ladder, word_of

# a brace in front of what becomes a tag would be read with it
_ESCAPE = re.compile(r"\{[{%#]|\{?[}%#]\}|\{(?=(?:ref|src|h|list|p|call)__)", re.IGNORECASE)
# dbt quotes what ref and source stand for; a quoted `{{ ref('x') }}` would be quoted twice
_QUOTED_RELATION = re.compile(r"([`\"\[])((ref|src|h)__\w+?__\3)[`\"\]]", re.IGNORECASE)
ROW = 120  # the width of a row of a table, which is read in columns
_WORD = re.compile(r"\w+")
_NAMES = re.compile(r"(?:\w+=)?\['\w+'(, '\w+')+\]")
# a text, or what may have an apostrophe in it and is none: a tag, a comment, a name in quotes
_LITERAL = re.compile(
    r"""(?P<text>'(?:[^'\\]|\\.|'')*')|\{%.*?%\}|\{\{.*?\}\}|/\*.*?\*/|"[^"\n]*"|`[^`\n]*`""",
    re.DOTALL,
)
_TAIL = re.compile(r"(?<=\))\s*SELECT\s+tail__(\d+)__tail", re.IGNORECASE)


def template(
    tree: exp.Expr,
    dialect: str,
    calls: Sequence[MacroCall],
    kind: MacroKind = "query",
    spent: bool = False,
    tables: bool = False,
    sources: Mapping[str, str] = MappingProxyType({}),
    optional: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """The Jinja text of a tree. A tail's own WITH keyword is its caller's, and so is the SELECT of
    items. ``spent``: nobody needs the tree again; ``tables``: long lists are loops, as a CASE of
    many WHENs; ``sources``: what parameters are that are names of source tables; ``optional``: when
    each of the columns is there that not always are."""

    said: Printed = cache(partial(argument, dialect=dialect, calls=calls))
    cuts = Cuts(said, lambda level: _head(level, said).count("\n") + 1)
    grouping = partial(grouped, height=partial(_height, cuts=cuts), followed=cuts.followed)
    tree = tree if spent else copied(tree)
    tree, loops = folded(tree, calls, grouping if tables else None, dialect)
    aside = set_aside(tree, optional)

    def printed(part: exp.Expr) -> str:
        return template(part, dialect, calls, spent=True, sources=sources)

    lists = over_names(tree, dialect, printed)
    if tables:
        tree, more = looped(tree, dialect, printed)
        lists += more
    ladders = laddered(tree, dialect, partial(_text, dialect=dialect)) if tables else ()
    again, heads = {}, []
    if tables and not isinstance(tree, exp.Var):
        known = partial(_known, calls, (*sources, *optional.values()))
        heads = set_out(tree, dialect, known, wrapped)
        again = named(tree, dialect, known)
        ranged(tree)
    marked(tree)
    text = _text(tree, dialect) if not isinstance(tree, exp.Var) else tree.name
    text = with_tests_if_said(with_tests(escaped(text)), dialect)
    for word_for in again:
        text = text.replace(word_for, f"{{{{ {word_for[5:-5]} }}}}")
    for number, ladder in enumerate(ladders):
        text = _with_ladder(text, word_of(number), ladder)
    for number, column in enumerate(aside):
        item = escaped(_text(column.item, dialect))
        text = put_in(text, number, column, item, optional[column.name])
    text = _TAIL.sub(lambda m: ",\n" + call_text(calls[int(m.group(1))], dialect, calls), text)
    look = _look_ups(loops, cuts, text)
    text = _in_place(text, calls, loops, dialect, look, sources, said)
    for each in lists:
        text = _with_items(text, each)
    if kind == "tail":
        text = re.sub(r"\AWITH(?: RECURSIVE)?\s+", "", text)
    if kind == "items":
        text = textwrap.dedent(re.sub(r"\ASELECT *\n?", "", text))
    text = "\n".join([*map(_table_text, look.tables), *again.values(), *heads, text])
    return once(with_ranges(text) if tables else text)


def _known(calls: Sequence[MacroCall], said: Sequence[str]) -> frozenset[str]:
    """The macros, the parameters that calls hand on, and the words of other texts."""
    handed_on = (
        name for call in calls for _, leaf in call.args for name in HOLE.findall(leaf.text)
    )
    words = (word for text in said for word in _WORD.findall(text))
    return frozenset({*(call.macro for call in calls), *handed_on, *words})


@dataclass(frozen=True, slots=True)
class _Looked:
    """What is looked up in the loops of one template, by the level, and the tables."""

    found: Mapping[int, LookUps] = field(default_factory=dict)
    tables: tuple[Table, ...] = ()
    words: frozenset[str] = frozenset()  # names that mean something, those of the tables too


def _look_ups(loops: Sequence[Loop], cuts: Cuts, text: str) -> _Looked:
    words = {*_WORD.findall(text)}
    for loop in loops:
        words |= {n for level in loop.levels for n in level.names}
        words |= {w for b in loop.bodies for s in (*b.names, *_said(b, cuts.text_of, {}))
                  for w in _WORD.findall(s)}  # fmt: skip
    found = looked_up(
        loops,
        cuts,
        lambda table: _table_text(table).count("\n") + 1,
        words,
    )
    inside = {w for look in found[0].values() for line in look.head for w in _WORD.findall(line)}
    return _Looked(*found, frozenset({*words, *inside, *(table.name for table in found[1])}))


def _height(loops: Sequence[Loop], cuts: Cuts) -> int:
    """The lines of loops, and of what is looked up in them."""
    look = _look_ups(loops, cuts, "")
    said = (loop_text(loop, cuts.text_of, look) for loop in loops)
    return once("\n".join([*map(_table_text, look.tables), *said])).count("\n")


def _table_text(table: Table) -> str:
    if any(len(row) > 2 for row in table.rows):
        return "\n".join([f"{{% set {table.name} = [", *map(row_text, table.rows), "] %}"])
    items = [": ".join(row) for row in table.rows]
    return f"{{% set {table.name} = {{\n{wrapped(items)}\n}} %}}"


def escaped(text: str) -> str:
    """Braces as Jinja prints them."""
    return _ESCAPE.sub(lambda m: "{{ '" + m.group() + "' }}", text)


def _with_ladder(text: str, word: str, ladder: Ladder) -> str:
    """The text with the loop over the rows of a table in place of its WHENs."""
    names = ", ".join(ladder.names)
    body = f"WHEN {escaped(ladder.test)} THEN {escaped(ladder.value)}"
    lines = [f"{{% for {names} in [", *map(row_text, ladder.rows), "] %}", body, "{% endfor %}"]
    if len(ladder.names) == 1:
        items = [row[0] for row in ladder.rows]
        lines[: len(items) + 2] = [f"{{% for {names} in [", wrapped(items), "] %}"]

    def put(found: re.Match[str]) -> str:
        return found[1] + f"\n{found[1]}".join("\n".join(lines).splitlines())

    return re.sub(rf"((?:(?<=\n) *)?)WHEN {word}\s+THEN {word}", put, text)


def _with_items(text: str, placed: Placed) -> str:
    """The text with a loop in its place."""
    loop = placed.loop
    heads = [
        [f"{{% for {level.names[0]} in {placed.over} %}}"]
        if placed.over
        else head_of_loop(level.names, [[shown(value) for value in row] for row in level.rows])
        for level in loop.levels
    ]
    last, noted = _last(loop.levels)
    heads[1:1] = [noted] if noted else []
    ends = ["{% endfor %}"] * len(loop.levels)

    def put(found: re.Match[str]) -> str:
        body, begins = loop.body, heads
        if found[2]:
            body, begins = body + ",", heads[::2]
        elif placed.between == ",":
            body += f"{{% if not {last} %}},{{% endif %}}"
        elif placed.between:
            body += f"\n{{% if not {last} %}}{placed.between}{{% endif %}}"
        else:
            begins = heads[::2]
        lines = [line for head in begins for line in head] + body.splitlines() + ends
        before = found.string[: found.start()].rpartition("\n")[2]
        pad = " " * (len(before + found[1]) - len((before + found[1]).lstrip()))
        start = found[1] if not before else "\n" + pad
        rest = found.string[found.end() :]
        end = "" if not rest or rest.startswith("\n") else "\n" + pad
        return start + f"\n{pad}".join(lines) + end

    return re.sub(rf"((?:(?<=\n) *)?| ?){placed.pattern} ?", put, text)


def _text(tree: exp.Expr, dialect: str) -> str:
    """The tree, which nobody needs again, as SQL."""
    text = negated(
        render(with_calls_as_queries(tree), dialect, spent=True), dialect, is_whole=False
    )
    return SELECTED.sub(r"\1", NAMELESS.sub("", text))


def call_text(call: MacroCall, dialect: str, calls: Sequence[MacroCall] = ()) -> str:
    """``{{ macro(..., b=...) }}``, wrapped; ``calls``: those that arguments may stand for."""
    said = [(name, argument(leaf, dialect, calls)) for name, leaf in call.args]
    if call.bare:
        return called(call.macro, [text for _, text in said])
    return called(call.macro, arguments(said, call.leading))


def called(macro: str, args: Sequence[str]) -> str:
    """A call in a line, or wrapped."""
    line = f"{{{{ {macro}({', '.join(args)}) }}}}"
    return line if len(line) <= LINE else f"{{{{ {macro}(\n{wrapped(args)}\n) }}}}"


def wrapped(items: Sequence[str]) -> str:
    """The items behind one another, in lines of which none breaks an item with a space."""
    body = textwrap.fill(
        ", ".join(map(_unbroken, items)),
        LINE - 4,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return textwrap.indent(body.replace("\0", " "), "    ")


def _unbroken(item: str) -> str:
    """An item without spaces, but for those in a list of names that is longer than a line."""
    if len(item) > LINE - 4 and _NAMES.fullmatch(item):
        return item
    return item.replace(" ", "\0")


def loop_text(loop: Loop, text_of: Printed, look_ups: _Looked) -> str:
    """``{% for ... %}`` around the calls, with the rows as lists of tuples."""
    given = [look_ups.found.get(id(level)) for level in loop.levels]
    begins = counted if len(loop.levels) == 1 and not loop.groups else affixed
    shown = [
        begins(*_shown(level, text_of), look_ups.words)
        if look is None
        else Affixed(*_shown(without(level, look), text_of), look.values)
        for level, look in zip(loop.levels, given, strict=True)
    ]
    heads = ["\n".join(level.head or head_of_loop(level.names, level.rows)) for level in shown]
    if loop.groups:
        heads = _for_groups(shown[0], shown[1], loop.groups, look_ups.words)
    looked = {name: text for level in shown for name, text in level.said.items()}
    spoken = {w for b in loop.bodies for text in _said(b, text_of, {})
              for w in _WORD.findall(text)}  # fmt: skip
    last, heads[1:1] = _last(shown, spoken)
    heads += [line for look in given if look is not None for line in look.head]
    within = {name for b in loop.bodies for _, leaf in b.fixed for name in HOLE.findall(leaf.text)}
    heads += [f"{{% set {name} = {looked[name]} %}}" for name in sorted(within & looked.keys())]
    said = [called(each.macro, _said(each, text_of, looked)) for each in loop.bodies]
    branches = f"\n{loop.union}\n".join(said)
    between = f"{{% if not {last} %}}{loop.union}{{% endif %}}"
    ends = ["{% endfor %}"] * len(loop.levels)
    return "\n".join([*heads, branches, between, *ends])


def _last(
    levels: Sequence[Affixed | ItemLevel], spoken: Collection[str] = ()
) -> tuple[str, list[str]]:
    """How a template says that a time is the last of all loops in one another, and the line that it
    needs in the outer one. ``spoken``: words that mean something within the loops."""
    if len(levels) == 1:
        return "loop.last", []
    outer = free("last", {*spoken, *(name for level in levels for name in level.names)})
    return f"({outer} and loop.last)", [f"{{% set {outer} = loop.last %}}"]


def _said(body: Body, text_of: Printed, looked: Mapping[str, str]) -> list[str]:
    """The arguments of a call in a loop; ``looked``: those that are looked up."""
    fixed = {name: text_of(leaf) for name, leaf in body.fixed}
    said = [(name, fixed.get(name) or looked.get(name, name)) for name in body.names]
    return arguments(said, body.leading)


def _head(level: Level, text_of: Printed) -> str:
    return "\n".join(head_of_loop(*_shown(level, text_of)))


def _shown(level: Level, text_of: Printed) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    rows = (tuple(map(text_of, row)) for row in level.rows)
    return level.names, tuple(rows)


def head_of_loop(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """The lines that begin a loop over rows of Jinja expressions."""
    said = ", ".join(names)
    several = len(names) > 1
    items = [f"({', '.join(r)})" for r in rows] if several else [r[0] for r in rows]
    line = f"{{% for {said} in [{', '.join(items)}] %}}"
    if len(line) <= LINE:
        return [line]
    inside = "\n".join(map(row_text, rows)) if several else wrapped(items)
    return [f"{{% for {said} in [", *inside.splitlines(), "] %}"]


def _for_groups(
    outer: Affixed, inner: Affixed, groups: Sequence[int], words: Collection[str]
) -> list[str]:
    """The beginnings of two loops, of which the outer one has a list for the inner one."""
    several = free(_several(inner.names[0]), {*words, *outer.names, *inner.names})
    rows: list[str] = []
    start = 0
    for values, many in zip(outer.rows, groups, strict=True):
        rows.append(_row_with_list(values, inner.rows[start : start + many]))
        start += many
    names = ", ".join([*outer.names, several])
    first = [f"{{% for {names} in [", *"\n".join(rows).splitlines(), "] %}"]
    return ["\n".join(first), f"{{% for {', '.join(inner.names)} in {several} %}}"]


def _several(name: str) -> str:
    return f"{name.rstrip('0123456789_')}_rows" if name.endswith("s") else f"{name}s"


def _row_with_list(values: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A row that ends with a list."""
    several = len(rows[0]) > 1
    items = [f"({', '.join(row)})" if several else row[0] for row in rows]
    line = f"    ({', '.join(values)}, [{', '.join(items)}]),"
    if len(line) <= LINE:
        return line
    inside = "\n".join(map(row_text, rows)) if several else wrapped(items)
    head = f"    ({', '.join(values)}, ["
    if len(head) <= LINE:
        return f"{head}\n{textwrap.indent(inside, '    ')}\n    ]),"
    before = textwrap.indent(wrapped(values), "    ")
    if len(alone := f"        [{', '.join(items)}]") <= LINE:
        return f"    (\n{before},\n{alone}\n    ),"
    return f"    (\n{before},\n        [\n{textwrap.indent(inside, ' ' * 8)}\n        ]\n    ),"


def row_text(values: Sequence[str]) -> str:
    """A row of a list, in a line of its own or in several."""
    line = f"    ({', '.join(values)}),"
    if len(line) <= ROW:
        return line
    return f"    (\n{textwrap.indent(wrapped(values), '    ')}\n    ),"


def _in_place(
    text: str,
    calls: Sequence[MacroCall],
    loops: Sequence[Loop],
    dialect: str,
    look_ups: _Looked,
    sources: Mapping[str, str],
    text_of: Printed,
) -> str:
    def put(match: re.Match[str]) -> str:
        kind = match["kind"].lower()
        if kind in ("call", "loop"):
            at = int(match["name"])
            loop = kind == "loop"
            if loop and at >= FIRST:
                return match.group()  # a loop over branches, which come last
            call = (
                loop_text(loops[at], text_of, look_ups)
                if loop
                else call_text(calls[at], dialect, calls)
            )
            indent = re.search(r"[^\n]*\Z", text[: match.start()])
            pad = len(indent.group()) - len(indent.group().lstrip()) if indent else 0
            return call.replace("\n", "\n" + " " * pad)
        said = expression(match)
        if kind == "h" and said in sources:
            said, kind = sources[said], "src"
        before = bisect_left(starts, match.start()) - 1
        if kind not in ("ref", "src") and before >= 0 and match.start() < ends[before]:
            said = said.replace("'", '"')  # readers who know no Jinja see one text, not several
        return f"{{{{ {said} }}}}"

    text = _QUOTED_RELATION.sub(r"\2", text)
    literals = [each.span() for each in _LITERAL.finditer(text) if each["text"]]
    starts, ends = [start for start, _ in literals], [end for _, end in literals]
    return TOKEN.sub(put, text)
