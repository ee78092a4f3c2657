"""Column lineage against the peers' own tests: see bench/README.md, "Lineage"."""
