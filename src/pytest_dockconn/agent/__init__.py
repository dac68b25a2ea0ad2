"""What runs inside containers, and the same code on the host: one implementation of what a probe means.

Python's standard library alone (3.7 on): these files are copied into the client image and run there by
whatever Python the base image's distribution has, so nothing here imports the rest of the package.
"""
