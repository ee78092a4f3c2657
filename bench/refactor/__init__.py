"""The main job on real piles: what comes out, and what is still repeated in it."""
