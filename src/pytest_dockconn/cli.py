"""The command ``dockconn``: ``check`` tries the three connections on an engine, ``prune`` removes what dead runs left."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from time import perf_counter

from msgspec import Struct

from .actions import prune
from .actions.services import Services
from .assertions.linked import assert_linked
from .assertions.reachable import assert_reachable
from .assertions.unreachable import assert_unreachable
from .engine.find import find
from .errors import DockconnError, ReachabilityError
from .model.probe import ProbeResult
from .model.settings import Settings
from .report import leftovers as leftovers_report
from .session import Session
from .text import one_line, printable

#: Characters of a line at the most.
SHOWN = 2000


class Check(Struct, frozen=True):
    """One question of ``dockconn check``, what it needs of the engine, and how it is asked."""

    name: str
    needs: tuple[str, ...]
    ask: Callable[[Session], ProbeResult | None]


def _exposed(session: Session) -> ProbeResult:
    return assert_reachable(session.tutorial.client(), session.tutorial.exposed().port(80))


def _bound(session: Session) -> ProbeResult:
    return assert_reachable(session.lab.host, session.tutorial.bound().bound_port(80))


def _link(session: Session) -> ProbeResult:
    client, server = session.tutorial.linked_client(), session.tutorial.linked_server()
    assert_linked(client, server)
    return assert_reachable(client, server.port(80).named(server.name))


def _isolated(session: Session) -> ProbeResult:
    one, other = session.lab.network(), session.lab.network()
    server = session.lab.server(networks=[one])
    return assert_unreachable(session.lab.client(networks=[other]), server.port(80), timeout=0.5)


CHECKS = (
    Check("an exposed port, from another container by address", (), _exposed),
    Check("a bound port, from the host", ("bound-ports",), _bound),
    Check("a link, by name", ("links",), _link),
    Check("two networks are isolated from each other", ("isolation",), _isolated),
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status: 0 fine, 1 a check failed or something is left, 4 no engine."""
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments))
    except DockconnError as error:
        print(f"dockconn: {error}", file=sys.stderr)
        return 4
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="dockconn", description="Which containers can talk to which, and which cannot."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    check = commands.add_parser(
        "check", help="try the three connections and isolation on an engine; say what works and why not"
    )
    check.set_defaults(run=_check)
    check.add_argument(
        "--base", default="auto", metavar="SOURCE", help="what the images are built on, as --dockconn-base"
    )
    remove = commands.add_parser(
        "prune",
        help="remove what dead runs of this machine left on an engine, and what --dockconn-reuse keeps and no run uses",
    )
    remove.set_defaults(run=_prune)
    remove.add_argument("--dry-run", action="store_true", help="only show it")
    remove.add_argument(
        "--all",
        action="store_true",
        help="also the images that the plugin has built, unless a run uses them; the next run builds them again",
    )
    for command in (check, remove):
        command.add_argument(
            "--engine", metavar="URL", help="the engine; else DOCKER_HOST, docker's context, the usual sockets"
        )
    return parser


def _check(arguments: argparse.Namespace) -> int:
    session = Session(Services(find(arguments.engine), Settings(engine=arguments.engine, base=arguments.base), _say))
    try:
        engine, bridge = session.lab.engine, session.lab.bridge
        what = f"{engine.kind} {engine.version} (API {engine.api_version}) at {engine.url}, bridge {bridge.name} {bridge.subnet}"
        print(one_line(what, SHOWN))
        outcomes = [_one(session, check) for check in CHECKS]
    finally:
        session.start_closing()
        left = session.close()
    for line in left:
        _warn(f"left on the engine: {line}")
    return 1 if left or "FAILED" in outcomes else 0


def _warn(line: str) -> None:
    print(one_line(line, SHOWN), file=sys.stderr)


def _say(line: str) -> None:
    print(f"  {one_line(line, SHOWN)}", file=sys.stderr)


def _one(session: Session, check: Check) -> str:
    lacks = [word for word in check.needs if not session.lab.engine.can(word)]
    if lacks:
        print(f"skipped  {check.name}: the engine lacks {', '.join(lacks)}")
        return "skipped"
    begun = perf_counter()
    try:
        result = check.ask(session)
    except (DockconnError, ReachabilityError) as error:
        print(f"FAILED   {check.name}\n{printable(_indented(str(error)))}")
        return "FAILED"
    took = f"{result.target} {result.verdict} in {result.elapsed * 1000:.1f} ms" if result is not None else ""
    print(f"works    {check.name}: {took} (with its containers {perf_counter() - begun:.1f} s)")
    return "works"


def _indented(text: str) -> str:
    return "\n".join("         " + line for line in text.splitlines())


def _prune(arguments: argparse.Namespace) -> int:
    engine = find(arguments.engine)
    try:
        kept = prune.find_kept(engine)
        used = [one for one in kept if one.user]
        leftovers = prune.find(engine) + [one for one in kept if not one.user]
        built = prune.built(engine) if arguments.all else []
        users = prune.users(engine, leftovers) if built else []
        leftovers += [] if users else built
        for line in leftovers_report.table([*leftovers, *used]) + leftovers_report.left_alone(
            built if users else [], users
        ):
            print(line)
        if used:
            print(f"{len(used)} left alone: a run uses {'them' if len(used) > 1 else 'it'} now")
        if arguments.dry_run or not leftovers:
            what = "left behind or kept" if any(one.kept is not None for one in leftovers) else "left behind"
            print(f"{len(leftovers)} {what}" + (", nothing removed (--dry-run)" if leftovers else ""))
            return 0
        failed = prune.remove(engine, leftovers, usable={image.id for image in built}, patience=prune.PATIENCE)
    finally:
        engine.close()
    for line in failed:
        _warn(f"dockconn: {line}")
    print(f"{len(leftovers) - len(failed)} removed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
