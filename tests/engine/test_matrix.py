"""Every pair of a stack on two networks at once: the table, what is expected of it, and rules in place of cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest

from pytest_dockconn import Client, Lab, Matrix, ReachabilityError, Verdict, assert_matrix, assert_policy
from pytest_dockconn.actions import agents
from pytest_dockconn.errors import SpecError
from pytest_dockconn.handles.listener import HostListener
from tests.engine import scenes
from tests.engine.helpers import needs
from tests.shared import Shared

pytestmark = needs("isolation")
#: Seconds: most of what is asked answers, which takes a while on a busy machine.
TIMEOUT = 1.0
#: Listens on two ports, of which the second is not exposed, and on a third for itself alone; never says who it is.
QUIET = """
import socket, threading
def serve(address):
    listener = socket.create_server(address)
    while True:
        listener.accept()[0].sendall(b"hello")
for address in (("", 5432), ("", 5433), ("127.0.0.1", 5434)):
    threading.Thread(target=serve, args=[address]).start()
"""


class Stack:
    """``web`` and ``api`` share one network, ``api`` and ``db`` the other, as usual; and every pair of them, asked once."""

    def __init__(self, lab: Lab) -> None:
        front, back = lab.network("front"), lab.network("back")
        self.lab = lab
        self.web = lab.server(name="web", networks=[front])
        self.api = lab.server(name="api", networks=[front, back], expose=(80, "53/udp"))
        self.db = lab.server(name="db", networks=[back], expose=(5432,), command=["python3", "-c", QUIET])
        self.all = [self.web, self.api, self.db]
        self.matrix = lab.matrix(self.all, timeout=TIMEOUT)


@pytest.fixture(scope="module")
def stack(dockconn_module: Lab) -> Stack:
    return Stack(dockconn_module)


TABLE = """
     web:80     api:53/udp  api:80  db:5432    db:5433
web  -          yes         yes     timed-out  timed-out
api  yes        -           -       yes        yes
db   timed-out  yes         yes     -          -
"""


def test_the_table_is_aligned(stack: Stack) -> None:
    """The default destinations are all that a container exposes or listens on for others."""
    assert str(stack.matrix) == TABLE.strip("\n")
    assert len(stack.matrix) == 10
    assert repr(stack.matrix) == "<Matrix 3 x 5>"


def as_printed(stack: Stack) -> object:
    return str(stack.matrix)


def by_yes_and_no(_: Stack) -> object:
    return TABLE.replace("timed-out", "no       ")


def with_a_corner(_: Stack) -> object:
    return TABLE.replace("     web:80", "from web:80", 1)


def in_markdown(_: Stack) -> object:
    first, *rows = (line.split() for line in TABLE.strip().splitlines())
    lines = [["from", *first], ["---"] * 6, *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def by_objects(stack: Stack) -> object:
    ports = [
        stack.web.port(80),
        stack.api.port(53, "udp"),
        stack.api.port(80),
        stack.db.port(5432),
        stack.db.port(5433),
    ]
    closed = {(stack.web, stack.db), (stack.db, stack.web)}
    return {(s, p): (s, p.owner) not in closed for s in stack.all for p in ports if p.owner != s}


def by_a_bare_name(_: Stack) -> object:
    return TABLE.replace("web:80", "web   ")


def by_names_and_verdicts(stack: Stack) -> object:
    return {pair: cell.result.verdict for pair, cell in stack.matrix.cells.items()}


def nobody_cares(_: Stack) -> object:
    return TABLE.replace("timed-out", "*        ").replace("-  ", "*  ")


EXPECTED = [
    as_printed,
    by_yes_and_no,
    with_a_corner,
    in_markdown,
    by_objects,
    by_a_bare_name,
    by_names_and_verdicts,
    nobody_cares,
]


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda f: f.__name__.replace("_", " "))
def test_as_expected(stack: Stack, expected: Callable[[Stack], Any]) -> None:
    assert_matrix(stack.matrix, expected(stack))


def test_lookup(stack: Stack) -> None:
    matrix, web, api, db = stack.matrix, stack.web, stack.api, stack.db

    assert matrix[web, api.port(80)].answered_by == api.id
    assert matrix["web", "api:80"] == matrix[web, api.port(80)] == matrix["web", api.port(80)]
    assert matrix[db, api.port(53, "udp")].address == api.ip_on("back")
    assert matrix["api", db].answered_by == db.id  # its only exposed port
    assert matrix["web", "db:5432"].verdict is Verdict.TIMED_OUT
    assert matrix["api", "web"] == matrix["api", "web:80"]
    assert set(matrix) == set(matrix.cells)


NOT_ASKED: list[tuple[object, str]] = [
    (("web", "web:80"), "web -> web:80 was not asked"),
    (("web", "api:81"), "web -> api:81 was not asked"),
    (("nobody", "api:80"), "nobody -> api:80 was not asked"),
    (("web", "db"), "db is 2 destinations of the matrix: db:5432, db:5433"),
    ("web", "'web' is no pair"),
    (("web", "api:80", "db:80"), "is no pair"),
]


@pytest.mark.parametrize(("key", "words"), NOT_ASKED, ids=[n[1] for n in NOT_ASKED])
def test_lookup_of_what_was_not_asked(stack: Stack, key: Any, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        stack.matrix[key]


def changed(cell: tuple[str, str], value: object) -> Callable[[Stack], Mapping[Any, Any]]:
    """What is there, but for one cell."""
    return lambda stack: {**by_names_and_verdicts(stack), cell: value}  # type: ignore[dict-item]


DIFFER: list[tuple[str, Callable[[Stack], Any], list[str]]] = [
    (
        "a way that is closed",
        changed(("web", "db:5432"), True),
        [
            "the matrix: 1 of 10 cells are not as expected: web -> db:5432 is timed-out, expected yes",
            "web  -          yes         yes     !timed-out (expected yes)  timed-out",
            "web -> db:5432: timed-out: web and db share no network",
            "  remedy:   put both on one",
        ],
    ),
    (
        "a way that is open",
        changed(("api", "web:80"), False),
        [
            "api -> web:80 is reachable, expected no",
            "!yes (expected no)",
            "api -> web:80: reachable, and it must not be",
            "  evidence: asked http://",
        ],
    ),
    (
        "another reason",
        changed(("db", "web:80"), Verdict.REFUSED),
        ["db -> web:80 is timed-out, expected refused", "!timed-out (expected refused)", "share no network"],
    ),
    (
        "many",
        lambda s: {pair: not cell.result for pair, cell in s.matrix.cells.items()},
        [
            "10 of 10 cells are not as expected",
            "web -> api:53/udp: reachable, and it must not be",
            "and 7 more, see the",
        ],
    ),
]


@pytest.mark.parametrize(("expected", "words"), [d[1:] for d in DIFFER], ids=[d[0] for d in DIFFER])
def test_what_differs_is_marked_and_explained(stack: Stack, expected: Callable[[Stack], Any], words: list[str]) -> None:
    with pytest.raises(ReachabilityError) as caught:
        assert_matrix(stack.matrix, expected(stack))

    text = str(caught.value)
    for word in words:
        assert word in text
    assert text.splitlines()[0].startswith("the matrix: ")


def without(text: str) -> Callable[[Stack], object]:
    return lambda _: "\n".join(line for line in TABLE.splitlines() if not line.startswith(text))


BAD: list[tuple[str, Callable[[Stack], Any], str]] = [
    ("a row is missing", without("db "), "leaves out db -> web:80, db -> api:53/udp, db -> api:80"),
    ("a cell is missing", lambda _: {("web", "api:80"): True}, r"leaves out web -> api:53/udp, .* and 1 more"),
    ("a stray row", lambda _: TABLE + "nobody  yes yes yes yes yes", "names what was not asked: nobody -> web:80"),
    ("a stray column", lambda _: TABLE.replace("db:5433", "db:5434"), "names what was not asked: web -> db:5434"),
    (
        "a word that is none",
        lambda _: TABLE.replace("timed-out", "closed   "),
        "'closed' is nothing that a cell can be",
    ),
    ("an own cell", lambda _: TABLE.replace("web  -  ", "web  yes"), "mistakes who is asked: web -> web:80"),
    ("no own cell", lambda _: TABLE.replace("api  yes", "api  -  "), "mistakes who is asked: api -> web:80"),
    ("no table", lambda _: 7, "expected=7: a table as text or a mapping is wanted"),
]


@pytest.mark.parametrize(("expected", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_what_can_not_be_expected(stack: Stack, expected: Callable[[Stack], Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        assert_matrix(stack.matrix, expected(stack))


def test_no_matrix(stack: Stack) -> None:
    with pytest.raises(SpecError, match="is no matrix"):
        assert_matrix(TABLE, TABLE)  # type: ignore[arg-type]


# Other questions


def test_of_ones_own_choice(dockconn: Lab, stack: Stack) -> None:
    """The host as a source and as a destination, URLs, and ports that are narrowed."""
    listener = dockconn.host.listen()
    destinations: list[Any] = [
        stack.web.port(80),
        stack.api.port(80).on("back"),
        "http://web/",
        "dns://nobody.invalid",
        listener,
    ]
    sources = [dockconn.host, stack.web, dockconn.client(name="stranger", dns=["127.0.0.1"])]

    matrix = dockconn.matrix(sources, destinations, timeout=TIMEOUT)

    assert_matrix(
        matrix,
        f"""
                  web:80     api:80@back  http://web/  dns://nobody.invalid  {listener.label}
        the host  yes        yes          *            *                     yes
        web       -          timed-out    yes          *                     yes
        stranger  timed-out  timed-out    *            *                     yes
        """,
    )
    assert matrix["host", "web:80"].answered_by == stack.web.id
    assert matrix["host", listener].address == "127.0.0.1"
    assert matrix[stack.web, listener].answered_by.startswith("host-")
    assert not matrix["stranger", "dns://nobody.invalid"]
    assert isinstance(matrix.destinations[listener.label], HostListener)


def test_of_itself_where_that_is_named(dockconn: Lab, stack: Stack) -> None:
    """Also of one that does not say who it is, and of one that listens on 127.0.0.1 alone, which proves no no."""
    web, api, db = stack.all
    ports = [web.port(80), api.port(53, "udp"), db.port(5432), db.port(5434)]

    matrix = dockconn.matrix(stack.all, ports, timeout=TIMEOUT)

    assert len(matrix) == 12
    for one, port in ((web, ports[0]), (api, ports[1]), (db, ports[2])):
        assert matrix[one, port].answered_by == one.id
    assert matrix.cells["db", "db:5434"].word == "refused?"
    table = """
         web:80  api:53/udp  db:5432  db:5434
    web  {web}   yes         no       *
    api  yes     yes         yes      *
    db   no      yes         -        *
    """
    assert_matrix(matrix, table.format(web="yes"))
    with pytest.raises(ReachabilityError, match="web -> web:80 is reachable, expected no"):
        assert_matrix(matrix, table.format(web="no"))


def test_no_is_proved(dockconn: Lab, stack: Stack) -> None:
    """Nothing listens on a port, nobody knows an address: that nobody answers there says nothing of the way."""
    url = f"tcp://{dockconn.bridge.gateway}:1"
    matrix = dockconn.matrix([stack.api], [stack.web.port(81), url], timeout=TIMEOUT)
    assert str(matrix).splitlines()[1].split()[:2] == ["api", "refused?"]

    for expected in ("no", "refused"):
        with pytest.raises(ReachabilityError) as caught:
            assert_matrix(matrix, {("api", "web:81"): expected, ("api", url): "*"})
        text = str(caught.value)
        assert "api -> web:81 is refused, but inconclusive: web does not answer at http://" in text
        assert "missing proof: web does not answer" in text
        assert f"!refused? (expected {expected})" in text
    with pytest.raises(ReachabilityError, match=f"inconclusive: {url} is nobody that is known here"):
        assert_matrix(matrix, {("api", "web:81"): "*", ("api", url): "no"})


def test_a_source_that_can_not_ask_proves_nothing(dockconn: Lab, stack: Stack) -> None:
    client = dockconn.client()
    client.stop()
    matrix = dockconn.matrix([client, stack.api], [stack.web.port(80)], timeout=TIMEOUT)

    assert matrix[client, stack.web.port(80)].verdict is Verdict.INCONCLUSIVE
    assert_matrix(matrix, {(client, "web:80"): "inconclusive", (stack.api, "web:80"): "yes"})
    with pytest.raises(ReachabilityError, match="client1 -> web:80 is inconclusive, expected no"):
        assert_matrix(matrix, {(client, "web:80"): "no", (stack.api, "web:80"): "yes"})


def test_an_owner_that_has_ended_is_no_proof(dockconn: Lab, shared: Shared) -> None:
    made = shared.once(scenes.stopped)

    matrix = dockconn.matrix([made.client], [made.server.port(80)], timeout=TIMEOUT)

    with pytest.raises(ReachabilityError, match="but inconclusive: server1 is exited"):
        assert_matrix(matrix, {("client1", "server1:80"): "no"})


def test_one_request_a_source(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Besides the controls, which ask an owner about one port at a time."""
    asked: list[tuple[object, int]] = []
    probes = agents.probes

    def counting(channel: agents.Channel, targets: Any, timeout: float) -> Any:
        asked.append((channel, len(targets)))
        return probes(channel, targets, timeout)

    monkeypatch.setattr(agents, "probes", counting)
    stack.lab.matrix(stack.all, timeout=TIMEOUT)

    rows = [(channel, size) for channel, size in asked if size > 2]
    # a first address of each destination; nobody who answered there is asked by his others
    assert sorted(size for _, size in rows) == [3, 3, 4]
    assert len({id(channel) for channel, _ in rows}) == 3


ODD: list[tuple[str, Callable[[Lab, Stack], Any], str]] = [
    ("no sources", lambda lab, _: lab.matrix([]), "a matrix without a source"),
    ("no destinations", lambda lab, s: lab.matrix([s.web], []), "a matrix without a destination"),
    ("no source", lambda lab, _: lab.matrix(["web"]), "'web'"),  # type: ignore[list-item]
    ("no destination", lambda lab, s: lab.matrix([s.web], ["api:80"]), "'api:80' is not a destination"),
    ("several ports", lambda lab, s: lab.matrix([s.web], [s.api]), "api exposes 2 ports"),
    (
        "two of one name",
        lambda lab, s: lab.matrix([s.web, lab.client(name="web")]),
        "two sources of the matrix are both called 'web'",
    ),
    (
        "two destinations of one name",
        lambda lab, s: lab.matrix([s.web], [s.api.port(80), lab.server(name="api", network_mode="none").port(80)]),
        "two destinations of the matrix are both called 'api:80'",
    ),
]


@pytest.mark.parametrize(("ask", "words"), [o[1:] for o in ODD], ids=[o[0] for o in ODD])
def test_what_can_not_be_asked(dockconn: Lab, stack: Stack, ask: Callable[[Lab, Stack], Any], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        ask(dockconn, stack)


def test_nothing_listens_and_so_nothing_can_be_asked(dockconn: Lab, dockconn_client: Client) -> None:
    with pytest.raises(SpecError, match="a matrix without a destination"):
        dockconn.matrix([dockconn_client])


def test_one_that_is_named_twice_is_asked_once(dockconn: Lab, stack: Stack) -> None:
    port = stack.web.port(80)

    assert len(dockconn.matrix([stack.api, stack.api], [port, port])) == 1


# Rules

ALLOWED = [("web", "api:80"), ("web", "api:53/udp"), ("api", "web"), ("api", "db:5432"), ("api", "db:5433"),
           ("db", "api:80"), ("db", "api:53/udp")]  # fmt: skip


def test_these_and_nothing_else(stack: Stack) -> None:
    matrix = assert_policy(stack.all, allow=ALLOWED, timeout=TIMEOUT)

    assert isinstance(matrix, Matrix)
    by_object: list[Any] = [
        (stack.web, stack.api.port(80)),
        (stack.api, stack.web),
        *(ALLOWED[n] for n in (1, 3, 4, 5, 6)),
    ]
    assert_policy(stack.all, allow=by_object, timeout=TIMEOUT)


POLICIES: list[tuple[str, list[Any], str]] = [
    ("more is open", ALLOWED[1:], "1 of 10 cells are not as expected: web -> api:80 is reachable, expected no"),
    ("less is open", [*ALLOWED, ("web", "db:5432")], "web -> db:5432 is timed-out, expected yes"),
    ("nothing is allowed", [], "7 of 10 cells"),
]


@pytest.mark.parametrize(("allow", "words"), [p[1:] for p in POLICIES], ids=[p[0] for p in POLICIES])
def test_a_policy_that_does_not_hold(stack: Stack, allow: list[Any], words: str) -> None:
    with pytest.raises(ReachabilityError, match=words):
        assert_policy(stack.all, allow=allow, timeout=TIMEOUT)


def test_what_is_not_allowed_must_be_proved(dockconn: Lab, stack: Stack) -> None:
    idle = dockconn.server(name="idle")
    idle.stop()

    with pytest.raises(ReachabilityError, match=r"web -> idle:80 is [a-z-]+, but inconclusive: idle is exited"):
        assert_policy([stack.web, idle], allow=[("idle", "web:80")], timeout=TIMEOUT)


STRAY: list[tuple[str, Any, str]] = [
    ("an unknown source", [("nobody", "api:80")], "allow names what was not asked: nobody -> api:80"),
    ("an unknown port", [("web", "api:81")], "allow names what was not asked: web -> api:81"),
    ("itself", [("web", "web:80")], "allow names what was not asked: web -> web:80"),
    ("several ports", [("web", "api")], "api exposes 2 ports"),
    ("no pair", ["web"], "'web' is no pair"),
]


@pytest.mark.parametrize(("allow", "words"), [s[1:] for s in STRAY], ids=[s[0] for s in STRAY])
def test_a_policy_about_others(stack: Stack, allow: Any, words: str) -> None:
    with pytest.raises(SpecError, match=words):
        assert_policy(stack.all, allow=allow, timeout=TIMEOUT)


@pytest.mark.parametrize("containers", [[], ["web"]])
def test_a_policy_of_nobody(containers: Any) -> None:
    with pytest.raises(SpecError, match="assert_policy wants containers"):
        assert_policy(containers, allow=[])


def test_a_url_of_a_known_container_is_proved_too(dockconn: Lab, shared: Shared) -> None:
    """And of nobody that is known here nothing is."""
    made = shared.once(scenes.apart)
    web, client = made.server, made.client
    known, unknown = f"http://{web.ip}/", f"http://{web.ip.rpartition('.')[0]}.250/"

    matrix = dockconn.matrix([client], [known, unknown], timeout=0.3)

    assert_matrix(matrix, {(client, known): "no", (client, unknown): "*"})
    with pytest.raises(ReachabilityError, match=r"inconclusive: .* is nobody that is known here"):
        assert_matrix(matrix, {(client, known): "no", (client, unknown): "no"})


def test_of_several_addresses_the_first_that_answers_counts(dockconn: Lab, shared: Shared) -> None:
    """Without a time limit for those that are not shared."""
    made = shared.once(scenes.second_address_open)
    client, web = made.client, made.server

    matrix = dockconn.matrix([client], [web.port(80)], timeout=20)

    assert matrix[client, web.port(80)].address == web.facts().endpoints[1].ip
    assert matrix[client, web.port(80)].elapsed < 10
