"""The operators of `rewrite/prove/mutants.py`, by what of a statement they change."""
