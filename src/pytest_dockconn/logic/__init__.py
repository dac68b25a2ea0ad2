"""Decisions: pure functions over specs and facts."""
