"""Model to text; no I/O."""
