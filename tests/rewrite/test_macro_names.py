"""What macros of whole reports are called."""

from __future__ import annotations

from unwet.lineage.pile import load
from unwet.lineage.sources import Source
from unwet.rewrite.refactor import Request, refactor

PINGS = """SELECT * REPLACE (UPPER(metadata.isp.name) AS metadata, LOWER(ping_info.x) AS ping_info),
  client_info.app_build AS app_build, COALESCE(client_info.app_channel, 'none') AS app_channel
FROM {}.{} WHERE client_info.app_build > '2000' AND client_info.telemetry_enabled"""
DAILY = """SELECT d.client_id, MIN(d.day) AS first_day, MAX(d.day) AS last_day, COUNT(*) AS days
FROM {0}_stable.baseline_v1 AS d JOIN {0}_derived.clients_v1 AS c ON c.client_id = d.client_id
WHERE d.sample < 5 AND c.deleted_at IS NULL GROUP BY d.client_id"""


def macros(texts: dict[str, str]) -> set[str]:
    sources = [Source(f"{name}.sql", text) for name, text in texts.items()]
    result = refactor(load(sources, "bigquery"), Request())
    assert {verdict.outcome for verdict in result.verdicts} == {"proved"}
    found = [p for p in result.files if p.startswith("macros/") and p.endswith(".sql")]
    return {path.removeprefix("macros/").removesuffix(".sql") for path in found}


def test_copies_of_all_names_are_called_after_what_they_compute() -> None:
    names = ("url_classifier_harmful_addon", "deletion_request", "health", "pageload")
    pings = {name: PINGS.format("firefox_stable", f"{name}_v1") for name in names}
    assert macros(pings) == {"metadata_ping_info"}


def test_copies_are_called_after_what_all_names_begin_with() -> None:
    """`clients_first_seen`, and not `clients_first_seen_org_mozilla`, which most do."""
    apps = ("org_mozilla_fenix", "org_mozilla_firefox", "org_mozilla_focus", "burnham")
    daily = {f"clients_first_seen_{app}": DAILY.format(app) for app in apps}
    assert macros(daily) == {"clients_first_seen"}


def test_the_number_of_one_copy_is_no_part_of_the_name() -> None:
    readers = (
        "SELECT MAX(r.days) AS x FROM {} AS r",
        "SELECT r.first_day, COUNT(*) AS n FROM {} AS r GROUP BY r.first_day",
        "SELECT r.client_id FROM {} AS r WHERE r.days > 3",
        "SELECT DISTINCT r.last_day FROM {} AS r JOIN x.y AS y ON y.day = r.first_day",
    )
    texts = {
        name: f"WITH rawdata_{n} AS ({DAILY.format(name)}) {reader.format(f'rawdata_{n}')}"
        for n, (name, reader) in enumerate(zip(("ox", "cat", "dog", "bee"), readers, strict=True))
    }
    assert macros(texts) == {"rawdata"}


def test_a_few_other_names_do_not_make_a_name_short() -> None:
    apps = ("org_mozilla_fenix", "org_mozilla_firefox", "org_mozilla_focus")
    daily = {f"clients_first_seen_{app}": DAILY.format(app) for app in apps}
    assert macros({**daily, "clients_of_burnham": DAILY.format("burnham")}) == {
        "clients_first_seen_org_mozilla"
    }


def test_the_name_of_one_copy_that_most_others_begin_with_is_that_of_all() -> None:
    apps = ("org_mozilla_fenix", "org_mozilla_firefox", "org_mozilla_focus")
    daily = {f"first_seen_{app}": DAILY.format(app) for app in apps}
    others = {"first_seen": DAILY.format("mach"), "clients_of_burnham": DAILY.format("burnham")}
    assert macros({**daily, **others}) == {"first_seen_org_mozilla"}
    others["first_seen_mach"] = DAILY.format("pine")
    others["health"] = DAILY.format("mozphab")
    assert macros({**daily, **others}) == {"first_seen_rows"}
