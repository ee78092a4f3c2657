"""Columns of a loop's rows that follow from another column: looked up, not written in each row.

The name of a breakdown says what it groups by (`Region; Provider; Age Group`): its first part
decides one column of the row, its second another. Then a row is its name, and what each part means
stands once, in tables that all loops of a model share.

    {% set levels = {'Region': 'region_code', 'Provider': 'org_id', '': "'NULL'"} %}
    {% for breakdown in ['Region; Provider', 'Provider'] %}
    {% set part = (breakdown ~ '; ').split('; ') %}
    {{ macro(breakdown=breakdown, level_one=levels[part[0]], level_two=levels[part[1]]) }}

A condition of a row may follow from its name, too (`conjoined.py`).

looked_up(loops, text_of, ...) -> for each loop what is looked up there, and the tables
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from unwet.rewrite.naming import free
from unwet.rewrite.shapes import Leaf
from unwet.rewrite.targets.conjoined import Test, conjoined, makes
from unwet.rewrite.targets.loops import Level, Loop

LEAST: Final = 6  # rows; fewer are read as easily as a table beside them
_SEPARATORS: Final = ("; ", ", ", " | ", " / ", ": ", " - ")
_PLAIN: Final = re.compile(r"'([^'\\{}%#]*)'")  # a Jinja text, by what it says
_NAME: Final = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")

Printed = Callable[[Leaf], str]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of Jinja expressions by their name: pairs of a mapping, or tests of a condition."""

    name: str
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class LookUps:
    """What one level of a loop says less: the columns that are looked up, each with its expression,
    and the lines in front of the call that cut the key and put conditions together."""

    values: Mapping[str, str]
    head: tuple[str, ...]


@dataclass
class _Growing:
    """A table while columns are put into it."""

    rows: dict[str, tuple[Leaf, object]] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)

    def agrees(self, more: Mapping[str, tuple[Leaf, object]], text_of: Printed) -> int:
        """How many rows they have in common; -1 where they say different things. A column may be a
        name here and an expression there, where it may be a constant, too: what is printed counts.
        """
        common = [key for key in more if key in self.rows]
        pairs = [(self.rows[key], more[key]) for key in common]
        if any(a[1] != b[1] and text_of(a[0]) != text_of(b[0]) for a, b in pairs):
            return -1
        return len([key for key in common if key])

    def copy(self) -> _Growing:
        return _Growing(dict(self.rows), list(self.columns))


@dataclass(frozen=True, slots=True)
class _Cut:
    """A key column, cut at a separator ("" for not at all), and which of the others follow."""

    key: int
    separator: str
    found: tuple[tuple[int, int, Mapping[str, tuple[Leaf, object]]], ...]  # column, part, rows
    tests: tuple[tuple[int, tuple[Test, ...]], ...] = ()  # column, what makes its conditions
    parts: tuple[tuple[str, ...], ...] = ()  # of the key, in each row

    def worth(self) -> tuple[int, int]:
        """More columns follow; from what has fewer values."""
        return len(self.found), -sum(len(rows) for _, _, rows in self.found)

    @property
    def columns(self) -> set[int]:
        """Those that need not be said."""
        return {column for column, _, _ in self.found} | {column for column, _ in self.tests}


class Cuts:
    """What follows from what in the rows of levels, of which many are asked for again."""

    def __init__(self, text_of: Printed, height: Callable[[Level], int]) -> None:
        """``height``: the lines of a level."""
        self.text_of, self._height = text_of, height
        self._heights: dict[int, tuple[Level, int]] = {}
        self._best: dict[int, tuple[Level, _Cut | None]] = {}
        self._without: dict[tuple[int, frozenset[int]], tuple[Level, Level]] = {}

    def best(self, level: Level) -> _Cut | None:
        """The one of the level that needs to say least."""
        known = self._best.get(id(level))
        if known is None:
            cuts = _cuts(level, self.text_of)
            known = level, max(cuts, key=_Cut.worth, default=None)
            self._best[id(level)] = known
        return known[1]

    def height(self, level: Level) -> int:
        """The lines of it."""
        known = self._heights.get(id(level)) or (level, self._height(level))
        self._heights[id(level)] = known
        return known[1]

    def without(self, level: Level, columns: Collection[int]) -> Level:
        """The level without these columns; the same one each time."""
        key = id(level), frozenset(columns)
        if key not in self._without:
            self._without[key] = level, _without(level, columns)
        return self._without[key][1]

    def followed(self, level: Level) -> frozenset[str]:
        """The columns that may be looked up, and the one that decides them; none without one."""
        cut = self.best(level) if len(level.rows) >= LEAST else None
        places = (cut.key, *cut.columns) if cut is not None else ()
        return frozenset(level.names[at] for at in places)


def looked_up(
    loops: Sequence[Loop],
    known: Cuts,
    table_height: Callable[[Table], int],
    words: Collection[str],
) -> tuple[Mapping[int, LookUps], tuple[Table, ...]]:
    """``table_height``: the lines of a table; ``words``: names that mean something already. Keyed
    by the identity of the levels."""
    levels = [level for loop in loops for level in loop.levels if len(level.rows) >= LEAST]
    levels.sort(key=lambda level: -len(level.rows))
    text_of = known.text_of
    cuts = [(level, cut) for level in levels if (cut := known.best(level)) is not None]
    tables, chosen = _chosen(cuts, known, table_height)
    shared = [_shared(cut, places, tables) for _, cut, places in chosen]
    cuts = [(level, cut) for (level, _, _), cut in zip(chosen, shared, strict=True) if cut.found]
    tables, chosen = _chosen(cuts, known, table_height)
    names = _names(tables, words)
    made = [_made(t, name, text_of) for t, name in zip(tables, names, strict=True)]
    found: dict[int, LookUps] = {}
    made_of: list[tuple[tuple[Test, ...], Table]] = []
    for level, cut, places in chosen:
        taken = {*words, *(table.name for table in made)}
        tests: dict[str, Table] = {}
        for column, own in cut.tests:
            texts = [row[column].text for row in level.rows]
            table = next((t for each, t in made_of if makes(each, texts, cut.parts)), None)
            if table is None:
                table = _tests(own, free(f"{level.names[column]}_of", taken), text_of)
                made_of.append((own, table))
                made.append(table)
            tests[level.names[column]] = table
        found[id(level)] = _look_ups(level, cut, places, names, tests, taken)
    return found, tuple(made)


def _shared(cut: _Cut, places: Sequence[int], tables: Sequence[_Growing]) -> _Cut:
    """Without the columns whose table nothing else looks into: they follow by chance."""
    found = zip(cut.found, places, strict=True)
    return replace(cut, found=tuple(each for each, at in found if len({*tables[at].columns}) > 1))


def _chosen(
    cuts: Sequence[tuple[Level, _Cut]],
    known: Cuts,
    table_height: Callable[[Table], int],
) -> tuple[list[_Growing], list[tuple[Level, _Cut, list[int]]]]:
    """The tables that make fewer lines, and the levels that look into them."""
    text_of = known.text_of
    tables: list[_Growing] = []
    chosen: list[tuple[Level, _Cut, list[int]]] = []
    for level, best in cuts:
        grown, places = _put(best, level, [each.copy() for each in tables], text_of)
        left = known.without(level, best.columns)
        before = sum(table_height(_made(each, "x", text_of)) for each in tables)
        after = sum(table_height(_made(each, "x", text_of)) for each in grown)
        after += sum(5 + table_height(_tests(each, "x", text_of)) for _, each in best.tests)
        if known.height(left) + 1 + after < known.height(level) + before:
            tables = grown
            chosen.append((level, best, places))
    return tables, chosen


def without(level: Level, look_ups: LookUps | None) -> Level:
    """The level without the columns that are looked up."""
    if look_ups is None:
        return level
    return _without(level, {level.names.index(name) for name in look_ups.values})


def _without(level: Level, columns: Collection[int]) -> Level:
    kept = [at for at in range(len(level.names)) if at not in columns]
    return Level(
        tuple(level.names[at] for at in kept),
        tuple(tuple(row[at] for at in kept) for row in level.rows),
    )


def _cuts(level: Level, text_of: Printed) -> Iterator[_Cut]:
    for key in range(len(level.names)):
        words = [_PLAIN.fullmatch(text_of(row[key])) for row in level.rows]
        said = [word[1] for word in words if word is not None]
        if len(said) < len(words):
            continue
        for separator in ("", *(s for s in _SEPARATORS if any(s in word for word in said))):
            parts = [word.split(separator) if separator else [word] for word in said]
            found = tuple(_following(level, key, parts))
            if len(found) > 1:
                done = {key, *(column for column, _, _ in found)}
                yield _Cut(key, separator, found, tuple(_conjoined(level, done, parts)),
                           tuple(map(tuple, parts)))  # fmt: skip


def _conjoined(
    level: Level, done: Collection[int], parts: Sequence[Sequence[str]]
) -> Iterator[tuple[int, tuple[Test, ...]]]:
    """The columns of conditions that the parts decide."""
    for column in range(len(level.names)):
        leaves = [row[column] for row in level.rows]
        if column not in done and all(leaf.kind == "condition" for leaf in leaves):
            tests = conjoined([leaf.text for leaf in leaves], parts)
            if tests is not None:
                yield column, tests


def _following(
    level: Level, key: int, parts: Sequence[Sequence[str]]
) -> Iterator[tuple[int, int, Mapping[str, tuple[Leaf, object]]]]:
    """The columns that a part decides, with the part that has the fewest values."""
    for column in range(len(level.names)):
        made = [] if column == key else [
            (len(rows), part, rows) for part in range(max(map(len, parts)))
            if (rows := _rows(level, column, parts, part)) is not None
        ]  # fmt: skip
        if made:
            _, part, rows = min(made, key=lambda each: each[:2])
            yield column, part, rows


def _rows(
    level: Level, column: int, parts: Sequence[Sequence[str]], part: int
) -> dict[str, tuple[Leaf, object]] | None:
    rows: dict[str, tuple[Leaf, object]] = {}
    for row, cut in zip(level.rows, parts, strict=True):
        word = cut[part] if part < len(cut) else ""
        leaf = row[column]
        if rows.setdefault(word, (leaf, _meant(leaf)))[1] != _meant(leaf):
            return None
    return rows if 2 * len(rows) <= len(level.rows) + 2 else None


def _meant(leaf: Leaf) -> object:
    """A name is the same in any letters."""
    if leaf.kind == "condition" and _NAME.fullmatch(leaf.text):
        return leaf.text.lower()
    return leaf


def _put(
    cut: _Cut, level: Level, tables: list[_Growing], text_of: Printed
) -> tuple[list[_Growing], list[int]]:
    """The tables with the columns that follow, and in which table each is."""
    places: list[int] = []
    for column, _, rows in cut.found:
        fits = [(table.agrees(rows, text_of), -at) for at, table in enumerate(tables)]
        common, at = max(fits, default=(-1, 0))
        if common < 1:
            tables.append(_Growing())
            at = 1 - len(tables)
        tables[-at].rows.update({k: v for k, v in rows.items() if k not in tables[-at].rows})
        tables[-at].columns.append(level.names[column])
        places.append(-at)
    return tables, places


def _made(table: _Growing, name: str, text_of: Printed) -> Table:
    return Table(name, tuple((f"'{k}'", text_of(leaf)) for k, (leaf, _) in table.rows.items()))


def _tests(tests: Sequence[Test], name: str, text_of: Printed) -> Table:
    rows = (tuple(text_of(Leaf("condition", text)) for text in test) for test in tests)
    return Table(name, tuple(rows))


def _names(tables: Sequence[_Growing], words: Collection[str]) -> list[str]:
    """What most of a table's columns have in their names."""
    taken = set(words)
    found: list[str] = []
    for table in tables:
        columns = [name.split("_") for name in table.columns]
        times = Counter(token for name in columns for token in dict.fromkeys(name))
        common = [token for token in max(columns, key=len) if 2 * times[token] > len(columns)]
        name = free("_".join([*dict.fromkeys(common)] or ["value"]) + "_of", taken)
        taken.add(name)
        found.append(name)
    return found


def _look_ups(
    level: Level,
    cut: _Cut,
    places: Sequence[int],
    names: Sequence[str],
    tests: Mapping[str, Table],
    taken: Collection[str],
) -> LookUps:
    key = level.names[cut.key]
    part = free("part", {*taken, *names})
    which = [f"{part}[{place}]" if cut.separator else key for _, place, _ in cut.found]
    looked = zip(cut.found, places, which, strict=True)
    values = {level.names[at]: f"{names[table]}[{index}]" for (at, _, _), table, index in looked}
    last = max(place for _, place, _ in cut.found)
    padded = f"({key} ~ '{cut.separator * last}')" if last else key
    cutting = f"{padded}.split('{cut.separator}')" if cut.separator else f"[{key}]"
    head = [f"{{% set {part} = {cutting} %}}"] if cut.separator or tests else []
    for name, table in tests.items():
        values[name] = name
        head += _put_together(name, table.name, part, {*taken, *names, table.name, part})
    return LookUps(values, tuple(head))


def _put_together(name: str, table: str, part: str, taken: Collection[str]) -> list[str]:
    """The lines that make a condition of its tests."""
    word, there, missing = (free(each, taken) for each in ("word", "if_there", "if_not"))
    return [
        f"{{% set {name} %}}",
        f"{{% for {word}, {there}, {missing} in {table} %}}",
        f"{{{{ {there} if {word} in {part} else {missing} }}}}"
        "{% if not loop.last %} AND {% endif %}",
        "{% endfor %}",
        "{% endset %}",
    ]
