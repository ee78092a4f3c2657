"""Data tests from evidence: what plans prove of a model's rows, and what a pile assumes of sources."""
