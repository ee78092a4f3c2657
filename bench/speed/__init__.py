"""What lineage costs beside bare parsing: see bench/README.md, "Speed"."""
