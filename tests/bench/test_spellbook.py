"""The bench of copies that somebody knew had drifted: what counts as found."""

from bench import spellbook


def finding(code: str, *places: str) -> dict[str, object]:
    outliers = [
        {"path": path, "line": int(line), "expression": ""}
        for path, _, line in (place.rpartition(":") for place in places)
    ]
    return {"code": code, "vote": [50, len(places)], "outliers": outliers}


def test_a_deviation_is_found_by_its_code_at_its_file() -> None:
    folder = "tree/dbt_subprojects/dex/models/trades"
    findings = [
        finding("DRIFT_NAME", f"{folder}/tron/dex_tron_base_trades.sql:3"),
        finding(
            "DRIFT_FILTER",
            f"{folder}/base/dex_base_base_trades.sql:7",
            f"{folder}/xlayer/dex_xlayer_base_trades.sql:40",
        ),
        finding("DRIFT_WINDOW", f"{folder}/tron/sunswap_tron_base_trades.sql:9"),
    ]
    found = {row.deviation.chain: row for row in spellbook.rows(findings)}
    assert (found["xlayer"].place, found["xlayer"].vote) == (2, "50 : 2")
    assert found["xlayer"].where == "dex_xlayer_base_trades.sql:40"
    assert [chain for chain, row in found.items() if row.place is None] == [
        "ethereum", "tron", "hyperevm", "plasma",
    ]  # fmt: skip


def test_the_table_says_what_is_missing() -> None:
    text = spellbook._section("the copies", [])
    assert "In the copies: 0 of 5 found, 0 findings in all." in text
    assert text.count("**not found**") == 5
