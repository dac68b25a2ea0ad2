"""The benchmark: each job is done by the plugin and by its peers, in turn, in one run. See ``docs/benchmarks.md``."""
