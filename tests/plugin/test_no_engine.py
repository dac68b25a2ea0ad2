"""With ``--dockconn`` and no engine: the run ends before its first test, with exit status 4 and one message."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_dockconn import cli
from pytest_dockconn.engine import find
from tests.plugin.conftest import Inner, one_message

SOURCE = """
    def test_plain():
        raise AssertionError("a test ran")

    def test_engine(dockconn_engine):
        raise AssertionError("a test ran")
"""

Place = Callable[[Path], contextlib.AbstractContextManager[str]]


@contextlib.contextmanager
def absent(path: Path) -> Iterator[str]:
    yield f"unix://{path}"


@contextlib.contextmanager
def plain_file(path: Path) -> Iterator[str]:
    path.write_text("no socket")
    yield f"unix://{path}"


@contextlib.contextmanager
def nobody_listens(path: Path) -> Iterator[str]:
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(path))
    yield f"unix://{path}"


@contextlib.contextmanager
def silent(path: Path) -> Iterator[str]:
    """The kernel takes the connection, and nobody ever answers."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen(8)
        yield f"unix://{path}"


@contextlib.contextmanager
def silent_tcp(path: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"tcp://127.0.0.1:{listener.getsockname()[1]}"


@contextlib.contextmanager
def closed_tcp(path: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    yield f"tcp://127.0.0.1:{port}"


def url(text: str) -> Place:
    @contextlib.contextmanager
    def place(_: Path) -> Iterator[str]:
        yield text

    return place


PLACES: list[tuple[str, Place, str]] = [
    ("no such socket", absent, "no such file"),
    ("a plain file", plain_file, "connection refused"),
    ("nobody listens", nobody_listens, "connection refused"),
    ("never answers", silent, "did not answer within 0.2 s"),
    ("never answers, tcp", silent_tcp, "did not answer within 0.2 s"),
    ("nobody listens, tcp", closed_tcp, "refused"),
    ("no URL", url("docker"), "is not the URL of an engine"),
    ("a path", url("/var/run/docker.sock"), "is not the URL of an engine"),
    ("empty", url(""), "is not the URL of an engine"),
    ("unknown scheme", url("gopher://127.0.0.1"), "is not the URL of an engine"),
    ("no host", url("tcp://"), "is not the URL of an engine"),
    ("half an address", url("tcp://[::1:1"), "is not the URL of an engine"),
    ("port without number", url("tcp://127.0.0.1:port"), "its port is no number from 1 to 65535"),
    ("port 0", url("tcp://127.0.0.1:0"), "outside of 1 to 65535"),
    ("port too large", url("tcp://127.0.0.1:65536"), "its port is no number from 1 to 65535"),
]


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for the real limits here; that they are short enough is the test below."""
    monkeypatch.setattr(find, "FIRST_TIMEOUT", 0.2)
    monkeypatch.setattr(find, "CALL_TIMEOUT", 0.2)


def test_limits_end_a_run_within_half_a_minute() -> None:
    assert max(find.FIRST_TIMEOUT, find.CALL_TIMEOUT) < 30


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(("place", "words"), [p[1:] for p in PLACES], ids=[p[0] for p in PLACES])
def test_named_by_the_option(inner: Inner, place: Place, words: str) -> None:
    inner.write(SOURCE)
    begun = time.monotonic()
    with place(inner.pytester.path / "d.sock") as where:
        result = inner.session("--dockconn", f"--dockconn-engine={where}")

    one_message(result, words)
    assert time.monotonic() - begun < 5
    assert "a test ran" not in result.stdout.str()


@pytest.mark.parametrize(
    ("where", "remedy"), [("tcp://127.0.0.1:0", "correct the port"), ("unix:///nowhere", "start it")]
)
def test_the_remedy_fits(inner: Inner, where: str, remedy: str) -> None:
    inner.write(SOURCE)
    one_message(inner.session("--dockconn", f"--dockconn-engine={where}"), remedy=remedy)


@pytest.mark.usefixtures("short")
@pytest.mark.parametrize(("place", "words"), [(absent, "no such file"), (silent, "did not answer")])
def test_named_by_the_environment(inner: Inner, monkeypatch: pytest.MonkeyPatch, place: Place, words: str) -> None:
    inner.write(SOURCE)
    with place(inner.pytester.path / "d.sock") as where:
        monkeypatch.setenv("DOCKER_HOST", where)
        one_message(inner.session("--dockconn"), words, "DOCKER_HOST")


@pytest.mark.parametrize("scheme", ["tcp", "https", "ssh"])
@pytest.mark.parametrize("password", ["s3cret", "s3/cret"])
def test_no_password_is_shown(
    inner: Inner, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], scheme: str, password: str
) -> None:
    inner.write(SOURCE)
    monkeypatch.setenv("DOCKER_HOST", f"{scheme}://me:{password}@127.0.0.1:1")
    result = inner.session("--dockconn")
    assert cli.main(["prune"]) == 4

    one_message(
        result, "DOCKER_HOST", "***@127.0.0.1:1", "a URL with a password in it is not taken", remedy="leave it out"
    )
    said = result.stdout.str() + result.stderr.str() + "".join(capsys.readouterr())
    assert "cret" not in said
    assert "s3" not in said


@pytest.mark.parametrize(
    ("test", "words"),
    [
        ("dockconn.server()", "the engine has no such image"),
        ("dockconn.client().commit('ubuntu:24.04')", "so it is not replaced"),
        ("dockconn.adopt('nosuch')", "there is no container 'nosuch'"),
    ],
)
def test_nor_of_an_engine_that_answers(inner: Inner, test: str, words: str) -> None:
    source = f"def test_it(dockconn):\n    {test}\n"
    result = inner.run(
        source, "--dockconn-server-image=nosuch:1", "-v", engine="--dockconn-engine=fake://me:s3cret@docker"
    )
    result.assert_outcomes(failed=1)
    assert words in result.stdout.str()
    assert "***@docker" in result.stdout.str()
    assert "cret" not in result.stdout.str()


def test_nothing_is_named_and_nothing_is_there(inner: Inner, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "_context", lambda: None)
    monkeypatch.setattr("pytest_dockconn.engine.address.usual_sockets", lambda *_: ("unix:///nowhere/docker.sock",))
    inner.write(SOURCE)

    one_message(inner.session("--dockconn"), "cannot find a container engine")


@pytest.mark.skipif(not hasattr(os, "seteuid"), reason="the system knows no users")
def test_no_permission(inner: Inner) -> None:
    """In a process of its own, where root is nobody for as long as it looks at the socket."""
    inner.write(SOURCE)
    inner.write(
        """
        import os
        from pytest_dockconn.engine import find

        look = find.obstacle

        def as_nobody(url):
            if os.getuid():
                return look(url)
            os.seteuid(65534)
            try:
                return look(url)
            finally:
                os.seteuid(0)

        find.obstacle = as_nobody
        """,
        "nobody.py",
    )
    path = inner.pytester.path / "d.sock"
    with silent(path) as where:
        path.chmod(0)
        result = inner.bare("-p", "nobody", "--dockconn", f"--dockconn-engine={where}")

    one_message(result, "no permission for user")
    result.stderr.fnmatch_lines(["*remedy: *usermod -aG docker*"])


def test_it_says_so_with_xdist_too(inner: Inner) -> None:
    """The controller looks, before there are workers."""
    inner.write(SOURCE)
    with absent(inner.pytester.path / "d.sock") as where:
        one_message(inner.installed("-n", "2", "--dockconn", f"--dockconn-engine={where}"), "no such file")


PASSIVE = (
    "--help", "--collect-only", "--version", "-VV", "--markers", "--fixtures", "--fixtures-per-test", "--setup-plan",
    "--cache-show",
)  # fmt: skip


@pytest.mark.parametrize("option", PASSIVE)
@pytest.mark.parametrize("by", ["option", "ini"])
def test_what_runs_no_test_needs_no_engine(inner: Inner, option: str, by: str) -> None:
    inner.write("def test_one(dockconn): pass")
    inner.pytester.makeini("[pytest]\n" + ("dockconn = true\n" if by == "ini" else ""))
    given = ["--dockconn"] if by == "option" else []
    with absent(inner.pytester.path / "d.sock") as where:
        # its cache is the one thing that this session is about
        own = ["-p", "cacheprovider"] if option == "--cache-show" else []
        result = inner.session(*own, *given, f"--dockconn-engine={where}", option)

    assert result.ret == pytest.ExitCode.OK, result.stdout.str() + result.stderr.str()
    assert "no such file" not in result.stdout.str() + result.stderr.str()


def test_the_plan_shows_the_fixtures(inner: Inner) -> None:
    inner.write("def test_one(dockconn_client): pass")
    with absent(inner.pytester.path / "d.sock") as where:
        result = inner.session("--dockconn", f"--dockconn-engine={where}", "--setup-plan")

    result.stdout.fnmatch_lines(["*SETUP*S dockconn_client*", "*test_one*fixtures used: dockconn_client*"])
    assert "SKIPPED" not in result.stdout.str()
