"""Options: on the command line and in the ini file, and what each of them does."""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.compat import running_on_ci

from pytest_dockconn import options
from pytest_dockconn.options import OPTIONS, Option
from tests.plugin.conftest import Inner, one_message

#: The option whose value is a number, of minutes; the settings have seconds.
LEASE = "dockconn_lease"
ALL = [pytest.param(option, id=option.key) for option in OPTIONS]


def field(option: Option) -> str:
    """Where the settings hold it."""
    return option.key.removeprefix("dockconn_").replace("dockconn", "enabled")


def seen(inner: Inner, option: Option, given: list[str], ini: str | None) -> object:
    """What comes of it."""
    if ini is not None:
        inner.pytester.makeini(f"[pytest]\n{option.key} = {ini}\n")
    return getattr(options.settings(inner.config(*given)), field(option))


def value(option: Option, text: str) -> str:
    """A value for an option: this text, where text is taken."""
    return {"given": "2", "written": "3"}[text] if option.key == LEASE else text


def came(option: Option, text: str) -> object:
    """What comes of that value."""
    if option.flag:
        return True
    if option.many:
        return (str(Path.cwd() / text),)
    return float(value(option, text)) * 60 if option.key == LEASE else text


def on_line(option: Option, value: str) -> list[str]:
    """As an argument."""
    return [option.name] if option.flag else [f"{option.name}={value}"]


@pytest.mark.parametrize("option", ALL)
def test_on_the_command_line(inner: Inner, option: Option) -> None:
    assert seen(inner, option, on_line(option, value(option, "given")), None) == came(option, "given")


@pytest.mark.parametrize("option", ALL)
def test_in_the_ini_file(inner: Inner, option: Option) -> None:
    assert seen(inner, option, [], "true" if option.flag else value(option, "written")) == came(option, "written")


@pytest.mark.parametrize("option", ALL)
def test_the_ini_file_given_by_hand(inner: Inner, option: Option) -> None:
    text = "true" if option.flag else value(option, "written")
    assert seen(inner, option, ["-o", f"{option.key}={text}"], None) == came(option, "written")


@pytest.mark.parametrize("option", ALL)
@pytest.mark.parametrize("ini", ["other", "nothing"])
def test_the_command_line_wins(inner: Inner, option: Option, ini: str) -> None:
    other = ("false" if option.flag else value(option, "written")) if ini == "other" else ("0" if option.flag else "")
    assert seen(inner, option, on_line(option, value(option, "given")), other) == came(option, "given")


@pytest.mark.parametrize("option", ALL)
@pytest.mark.parametrize("ini", [None, "nothing"])
def test_left_out(inner: Inner, option: Option, ini: str | None) -> None:
    default = () if option.many else False if option.flag else {"dockconn_base": "auto", LEASE: 1800.0}.get(option.key)
    empty = None if ini is None else ("false" if option.flag else "")
    assert seen(inner, option, [], empty) == default


def test_help_groups_them(inner: Inner) -> None:
    result = inner.session("--help")

    assert result.ret == pytest.ExitCode.OK
    text = result.stdout.str()
    group = text.partition(f"{options.GROUP}:\n")[2].partition("\n\n")[0]
    ini = text.partition("ini-options")[2] or text.partition("configuration options")[2]
    for option in OPTIONS:
        assert f"\n  {option.name}" in "\n" + group
        assert f"\n  {option.key} " in ini


def test_marker_is_declared(inner: Inner) -> None:
    inner.session("--markers").stdout.fnmatch_lines(["@pytest.mark.dockconn(requires=*"])


@pytest.mark.parametrize(
    ("kind", "version", "api", "bridge"),
    [
        ("docker", "20.10.24", "1.41", "docker0"), ("docker", "29.0.1", "1.52", "docker0"),
        ("podman", "4.3.1", "1.41", "docker0"),
    ],
)  # fmt: skip
def test_the_header(inner: Inner, kind: str, version: str, api: str, bridge: str) -> None:
    result = inner.run("def test_one(): pass", engine=inner.engine(kind, version))

    result.assert_outcomes(passed=1)
    line = f"dockconn: {kind} {version} (API {api}) at fake://{kind}, bridge {bridge} 127.*.0/24"
    result.stdout.fnmatch_lines([line])


def test_the_header_says_what_is_wrong(inner: Inner) -> None:
    """The engine was found, then it broke: the report has a line, not a traceback."""
    inner.pytester.makeconftest("""
        from tests.fakes.plugin import latest

        def pytest_sessionstart():
            latest().die("network")
    """)
    result = inner.run("def test_one(): pass")

    result.assert_outcomes(passed=1)
    result.stdout.fnmatch_lines(["dockconn: *lost the engine at fake://docker*"])


# What each does, by the option and by the ini file

BY = pytest.mark.parametrize("by", ["option", "ini"])


def given(inner: Inner, by: str, option: str, value: str = "") -> list[str]:
    """The arguments for a session that has the option."""
    if by == "option":
        return ["--dockconn", f"{option}={value}" if value else option]
    inner.pytester.makeini(f"[pytest]\ndockconn = true\n{option.lstrip('-').replace('-', '_')} = {value or 'true'}\n")
    return []


@BY
def test_dockconn(inner: Inner, by: str) -> None:
    inner.write("def test_one(dockconn_engine): assert dockconn_engine.kind == 'docker'")
    engine = inner.engine().partition("=")[2]

    inner.session(*given(inner, by, "--dockconn-engine", engine)).assert_outcomes(passed=1)


def test_dockconn_with_an_ini_file_that_says_no(inner: Inner) -> None:
    inner.pytester.makeini("[pytest]\ndockconn = false\n")

    inner.run("def test_one(dockconn_engine): pass").assert_outcomes(passed=1)


@BY
def test_base(inner: Inner, by: str, tmp_path: Path) -> None:
    inner.write("def test_one(): raise AssertionError")
    arguments = given(inner, by, "--dockconn-base", str(tmp_path / "none.tar"))

    one_message(inner.session(*arguments, inner.engine()), "none.tar", "no such file")


@BY
@pytest.mark.parametrize("role", ["client", "server"])
def test_ready_images(inner: Inner, by: str, role: str) -> None:
    inner.write(f"""
        def test_one(dockconn_{role}_image):
            assert dockconn_{role}_image.tag == "ubuntu:24.04"
    """)
    arguments = given(inner, by, f"--dockconn-{role}-image", "ubuntu:24.04")

    inner.session(*arguments, inner.engine()).assert_outcomes(passed=1)
    assert inner.said("built") == []


@BY
def test_strict(inner: Inner, by: str) -> None:
    inner.write("""
        import pytest

        @pytest.mark.dockconn(requires=["links"])
        def test_one():
            pass
    """)
    arguments = given(inner, by, "--dockconn-strict")

    inner.session(*arguments, inner.engine("podman", "4.3.1")).assert_outcomes(errors=1)


# --dockconn-reuse


@pytest.mark.parametrize("minutes", ["0", "-1", "soon", "nan", "inf", "1e9", "1201"])
def test_a_lease_that_is_none(inner: Inner, minutes: str) -> None:
    result = inner.run("def test_one(): pass", f"--dockconn-lease={minutes}")

    one_message(result, f"--dockconn-lease {minutes!r}: a number of minutes is wanted")


@pytest.mark.parametrize(
    ("line", "ini", "ci", "on"),
    [
        pytest.param(["--dockconn-reuse"], "", "", True, id="on the command line"),
        pytest.param([], "dockconn_reuse = true", "", True, id="in the ini file"),
        pytest.param([], "addopts = --dockconn-reuse", "", True, id="in addopts"),
        pytest.param([], "", "", False, id="not"),
        pytest.param(["--dockconn-reuse"], "", "CI", True, id="in CI"),
        pytest.param([], "dockconn_reuse = true", "CI", True, id="in CI by the ini file"),
        pytest.param(["--dockconn-strict"], "dockconn_reuse = true", "", True, id="strict"),
        pytest.param(["--dockconn-strict"], "dockconn_reuse = true", "CI", False, id="strict in CI by the ini file"),
        pytest.param([], "addopts = --dockconn-reuse --dockconn-strict", "CI", False, id="strict in CI by addopts"),
        pytest.param(["--dockconn-strict", "--dockconn-reuse"], "", "CI", True, id="strict in CI, on the command line"),
        pytest.param(["--dockconn-strict"], "dockconn_reuse = true", "BUILD_NUMBER", False, id="strict in another CI"),
    ],
)
def test_reuse_has_to_be_asked_for(
    inner: Inner, monkeypatch: pytest.MonkeyPatch, line: list[str], ini: str, ci: str, on: bool
) -> None:
    """CI is where pytest itself says that it is: by either of two variables that is not empty."""
    monkeypatch.setenv(ci or "CI", "1" if ci else "")
    inner.pytester.makeini(f"[pytest]\n{ini}\n")
    result = inner.run("def test_one(dockconn_client): pass", *line)

    result.assert_outcomes(passed=1)
    text = result.stdout.str()
    assert ("dockconn: reuse: nothing is here of an earlier run" in text) == on
    refused = not on and "reuse" in ini
    assert ("--dockconn-reuse is off: CI with --dockconn-strict wants it on the command line itself" in text) == refused


def test_ci_is_what_pytest_takes_for_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in options.CI:
        with monkeypatch.context() as alone:
            for other in options.CI:
                alone.delenv(other, raising=False)
            alone.setenv(name, "1")
            assert running_on_ci()


@pytest.mark.parametrize("line", [[], ["--dockconn-reuse"]], ids=["without the option", "with it"])
def test_what_of_an_earlier_run_had_to_go_is_said(inner: Inner, line: list[str]) -> None:
    result = inner.run("def test_one(dockconn): dockconn._services.room.removed.append('web (why)')", *line)

    result.stdout.fnmatch_lines(["dockconn: reuse: removed web (why)"])


def test_without_the_option_nothing_is_said_of_it(inner: Inner) -> None:
    assert "reuse" not in inner.run("def test_one(dockconn_client): pass").stdout.str()
