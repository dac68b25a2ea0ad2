"""The engine: where it is, and the one file that speaks to it through docker-py."""
