"""Data that stays where it is: old and new run, and are compared, inside the engine that has it."""
