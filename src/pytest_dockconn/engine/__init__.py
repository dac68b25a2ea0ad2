"""The engine: where it is, and who asks it: docker on a unix socket directly, all others through docker-py."""
