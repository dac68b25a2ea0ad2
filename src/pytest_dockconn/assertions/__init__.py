"""The assertions: probe, then pass; or look, explain, and raise."""
