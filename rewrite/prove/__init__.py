"""Proof: the old results are the requirement."""
