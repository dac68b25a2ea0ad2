"""``serve`` answers probes over stdin and stdout; ``echo [token=T] PORT...`` is the UDP half of a server; ``idle`` waits."""

from __future__ import annotations

import signal
import sys

from . import echo, namespace, serve


def main(arguments: list[str]) -> int:
    """Run until stdin ends, or SIGTERM: as process 1 nobody else would set a handler, and a stop would take 10 s."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
    if arguments[:1] == ["echo"]:
        tokens = [word[6:] for word in arguments if word.startswith("token=")]
        ports = [int(word) for word in arguments[1:] if word.isdigit()]
        echo.serve(echo.listen(ports), namespace.own_container(), "".join(tokens))
    elif arguments == ["serve"]:
        serve.serve(sys.stdin, sys.stdout)
        signal.pause()  # stdin at its end: nobody will ask any more, but the container belongs to the lab
    elif arguments == ["idle"]:
        signal.pause()
    else:
        sys.stderr.write("usage: agent serve | echo [token=T] PORT... | idle\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
