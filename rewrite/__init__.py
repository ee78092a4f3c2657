"""Changing SQL: from plans to a proven project."""
