"""One set of tests for every engine: what the port promises, held by the fake one and by the real one."""
