"""A second data set: seeded rows for every OMOP table, made to tell right queries from wrong ones.

    build_synthetic(ddl, target) -> rows per table

Eunomia leaves half of the OMOP tables empty, has one row per key, and few NULLs. Here: about 300
persons; concepts from small pools with 0 and NULL, so that groups collide; dates inside, on the
edges of, and outside the observation periods; ends before starts; negative and tied numbers;
references that lead nowhere; and one row in twenty twice, person ids included. NOT NULL of the
DDL holds (the engine may rely on it); keys do not (the DDL it is given declares none).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from random import Random

from bench.achilles.data import columns, create

SEED = 20260115
PERSONS = 300
ROWS = {
    "person": PERSONS, "concept": 80, "vocabulary": 12, "cdm_source": 3, "cost": 1500,
    "provider": 40, "care_site": 15, "location": 25,
}  # fmt: skip
VOCABULARY_ROWS = 120
EVENT_ROWS = 1500
NULLS = 0.25
TWICE = 0.05

# How many things an id can refer to; a few ids of each kind are not there.
REFERENCES = {
    "person": PERSONS + 5, "provider": 40, "care_site": 15, "location": 25, "note": EVENT_ROWS,
    "visit_occurrence": EVENT_ROWS, "visit_detail": EVENT_ROWS, "payer_plan_period": EVENT_ROWS,
    "drug_exposure": EVENT_ROWS, "procedure_occurrence": EVENT_ROWS,
}  # fmt: skip
SMALL = frozenset(("provider", "care_site", "location"))
NUMBERS = (-5.0, 0.0, 0.0, 0.5, 1.0, 1.0, 2.0, 10.0, 10.0, 37.2, 98.6, 120.125, 9999.0)
COUNTS = (-1, 0, 1, 1, 1, 2, 3, 7, 30, 30, 90, 400)
WORDS = ("", "a", "A", "b ", "cough", "Cough", "250.00", "x" * 9, "unknown", "0")
DOMAINS = ("Drug", "Procedure", "Visit", "Condition", "Device", "Measurement", "Observation")
FLAGS = {"standard_concept": ("S", "C"), "invalid_reason": ("D", "U"), "state": ("CA", "NY", "ca"),
         "is_hierarchical": ("0", "1"), "defines_ancestry": ("0", "1"), "term_exists": ("Y", "N"),
         "cost_domain_id": DOMAINS, "domain_id": DOMAINS, "vocabulary_id": ("None", "V1", "V2"),
         "drg_source_value": ("1", "007"), "cdm_version": ("5.3",)}  # fmt: skip

Column = tuple[str, str, bool]
Periods = dict[int, list[tuple[date, date]]]


@dataclass(slots=True)
class Row:
    """What the columns of one row share: its table, number, person, and the day it is about."""

    table: str
    number: int
    person: int
    start: date
    end: date


def build_synthetic(ddl: str, target: Path, seed: int = SEED) -> dict[str, int]:
    """Write `target` anew; the same seed gives the same rows. Returns the rows of every table."""
    random = Random(seed)
    periods = _periods(random)
    written = {}
    with create(target, ddl) as connection:
        for table, definition in columns(connection, "cdm").items():
            rows = list(_table(random, table, definition, periods))
            for batch in range(0, len(rows), 500):
                values = ", ".join(map(_tuple, rows[batch : batch + 500]))
                connection.execute(f'INSERT INTO cdm."{table}" VALUES {values}')
            written[table] = len(rows)
    return written


def _periods(random: Random) -> Periods:
    """Observation periods per person: none, one or two; some of a day, a few end too early."""
    periods: Periods = {}
    for person in range(1, PERSONS + 6):
        for _ in range(random.choice((0, 1, 1, 1, 1, 1, 2))):
            start = date(2005, 1, 1) + timedelta(random.randrange(1500))
            length = random.choice((-3, 0, 0, 29, 30, 31, 365, 366, random.randrange(2000)))
            periods.setdefault(person, []).append((start, start + timedelta(length)))
    return periods


def _table(
    random: Random, table: str, definition: Sequence[Column], periods: Periods
) -> Iterator[tuple[object, ...]]:
    for row in _shells(random, table, periods, _vocabulary(definition)):
        values = tuple(_value(random, row, column) for column in definition)
        yield values
        if random.random() < TWICE:
            yield values


def _vocabulary(definition: Sequence[Column]) -> bool:
    return all(name != "person_id" for name, _, _ in definition)


def _shells(random: Random, table: str, periods: Periods, vocabulary: bool) -> Iterator[Row]:
    if table == "observation_period":
        flat = ((person, *span) for person, spans in periods.items() for span in spans)
        for number, (person, start, end) in enumerate(flat, 1):
            yield Row(table, number, person, start, end)
        return
    rows = ROWS.get(table, VOCABULARY_ROWS)
    for number in range(1, (rows if vocabulary or table == "person" else EVENT_ROWS) + 1):
        person = number if table == "person" else _person(random)
        start = _day(random, periods.get(person, []))
        days = random.choice((-1, 0, 0, 1, 2, 7, 30, 31, 364, 365, 366))
        yield Row(table, number, person, start, start + timedelta(days))


def _person(random: Random) -> int:
    """Some persons have many rows, some none, and a few ids are nobody's."""
    if random.random() < 0.01:
        return PERSONS + random.randrange(1, 6)
    return min(int(random.paretovariate(0.6)) * 3 % 251 + random.randrange(55), PERSONS)


def _day(random: Random, spans: Sequence[tuple[date, date]]) -> date:
    if not spans:
        return date(2007, 1, 1) + timedelta(random.randrange(365))
    start, end = random.choice(spans)
    inside = start + timedelta(random.randrange(max((end - start).days, 0) + 1))
    around = (start, end, start - timedelta(1), end + timedelta(1), start - timedelta(400))
    return inside if random.random() < 0.75 else random.choice(around)


def _value(random: Random, row: Row, column: Column) -> object:
    name, type, nullable = column
    if nullable and random.random() < NULLS:
        return None
    if type.startswith("DATE") or type.startswith("TIMESTAMP"):
        return _date(random, row, name, type)
    if name in FLAGS:
        return random.choice(FLAGS[name])
    if type == "VARCHAR":
        return _text(random, row, name)
    return _number(random, row, name, type)


def _date(random: Random, row: Row, name: str, type: str) -> date | datetime:
    if "birth" in name:
        day = date(1930 + row.number * 7 % 80, 1 + row.number % 12, 1 + row.number % 28)
    else:
        day = row.end if "end" in name else row.start
    if type.startswith("DATE"):
        return day
    return datetime.combine(day, time(random.randrange(24), random.choice((0, 0, 30, 59))))


def _text(random: Random, row: Row, name: str) -> str:
    if name.startswith(("value_as", "note_text", "concept_name")):
        return random.choice((*WORDS, "12.5", "positive", "negative"))
    key = name == f"{row.table}_id"
    return f"{row.table[:3]}{row.number}" if key else random.choice(WORDS)


def _number(random: Random, row: Row, name: str, type: str) -> object:
    if type.startswith(("DECIMAL", "DOUBLE", "FLOAT")):
        return random.choice(NUMBERS)
    if name == "person_id":
        return row.person
    if name == f"{row.table}_id":
        return row.number - 1 if row.table == "concept" else row.number
    special = SPECIAL.get(name)
    if special:
        return special(random, row)
    if "concept_id" in name:
        return _concept(random, name)
    return _reference(random, name)


def _concept(random: Random, name: str) -> int:
    """Zero, or one of five concepts of this column's own; they overlap with other columns'."""
    first = sum(map(ord, name)) % 60
    return random.choice((0, 0, *(first + 3 * i for i in (0, 0, 0, 1, 2, 3, 4))))


def _reference(random: Random, name: str) -> int:
    for kind, most in REFERENCES.items():
        if name.endswith(f"{kind}_id") or name == f"preceding_{kind}_id":
            return random.randrange(1, most + (2 if kind in SMALL else 50))
    if name.endswith("_id") or "fact_id" in name:
        return random.randrange(1, EVENT_ROWS)
    return random.choice(COUNTS)


SPECIAL: dict[str, Callable[[Random, Row], int | None]] = {
    "year_of_birth": lambda random, row: random.choice((1930, 1955, 1980, 1980, 2004, 2006, 2011)),
    "month_of_birth": lambda random, row: random.randrange(1, 13),
    "day_of_birth": lambda random, row: random.randrange(1, 29),
    "gender_concept_id": lambda random, row: random.choice((8507, 8532, 8532, 0)),
    "concept_id_1": lambda random, row: random.randrange(80),
    "concept_id_2": lambda random, row: random.randrange(80),
}


def _tuple(values: Sequence[object]) -> str:
    return f"({', '.join(map(_literal, values))})"


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    return str(value) if isinstance(value, int | float) else f"'{value}'"
