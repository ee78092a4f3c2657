"""Data tests from evidence: what plans prove of models, and what a pile assumes of sources."""
