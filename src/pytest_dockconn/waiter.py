"""The part of the helper that waits: run as a script, by a Python without ``site`` and without this package.

That halves what its start takes from the tests, which begin at the same moment. It knows nothing of engines: what it
heard goes to the command that it becomes (``reaper.py``) once the run has died.
"""

import os
import select
import sys

#: The word of a run that left nothing, on a line of its own; and of one that left things for the next.
DONE = b"\ndone\n"
KEEP = b"\nkeep\n"


def heard(owner: int) -> bytes:
    """Everything that was said until the pipe closed, or the owner ended: a child of it may hold the pipe open."""
    said = b""
    watched, patience = [0], None
    try:
        watched.append(os.pidfd_open(owner))
    except ProcessLookupError:
        patience = 0  # it is gone already: what is in the pipe is all that it said
    except (OSError, AttributeError):  # AttributeError: no pidfd_open outside of Linux
        pass
    while True:
        ready, _, _ = select.select(watched, [], [], patience)
        if 0 not in ready:
            return said
        more = os.read(0, 65536)
        said += more
        if not more or DONE in said or KEEP in said:
            return said


def main(arguments: list[str]) -> int:  # noqa: RET503 - execv does not return
    """``OWNER COMMAND...``: wait at stdin, then become the command (with OWNER), which reads there what was said; 0 if there is no need."""
    said = heard(int(arguments[0]))
    if DONE in said or said.count(b"\n") < 2:
        return 0
    read, write = os.pipe()
    os.write(write, said)  # three short lines: a pipe takes them whole
    os.close(write)
    os.dup2(read, 0)
    os.close(read)
    os.execv(arguments[1], [*arguments[1:], arguments[0]])  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
