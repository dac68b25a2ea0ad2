"""Frozen data: what was asked for, what the engine said, what a probe saw."""
