"""Stand-ins for what the tests should not need: an engine in memory, and its wires."""
