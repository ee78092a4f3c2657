"""Contradictions of a real pile, judged by hand."""
