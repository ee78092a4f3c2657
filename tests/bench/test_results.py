"""RESULTS.md: each bench writes its own section, and the head says when each was measured."""

from pathlib import Path

from bench import results


def test_sections_stand_in_one_order_and_are_replaced(tmp_path: Path) -> None:
    file = tmp_path / "RESULTS.md"
    for name in ("startup", "refactor-b", "unheard", "refactor-a", "shop", "refactor-b"):
        results.put(name, f"## Of {name}\n\n{name}\n", file)
    results.put("shop", "## The shop, again\n\nnew", file)
    text = file.read_text()
    assert [*results.read(text)] == ["shop", "refactor-a", "refactor-b", "startup", "unheard"]
    assert text.startswith("# Results\n")
    assert "Of shop" not in text
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]
    assert [row[0] for row in rows] == ["| Piles rewritten"] * 3 + ["| What it costs", "| "]
    assert rows[0][1:] == ["[The shop, again](#the-shop-again)", f"{results.commit()} |"]


def test_the_file_is_as_its_benches_write_it() -> None:
    text = results.RESULTS.read_text("utf-8")
    assert results.written(results.read(text)) == text
