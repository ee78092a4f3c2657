"""The bundled case, scored: what becomes of the shop's pile, against its answer key."""
