"""Benchmarks on piles nobody here wrote; run from the repository root, never packaged."""
