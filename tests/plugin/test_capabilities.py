"""``@pytest.mark.dockconn(requires=...)``, and fixtures that not every engine can fill."""

from __future__ import annotations

import pytest

from tests.plugin.conftest import Inner, one_message

LACKS = [
    pytest.param("links", "podman", "4.3.1", id="links on podman"),
    pytest.param("icc", "podman", "4.3.1", id="icc on podman"),
    pytest.param("link-env", "podman", "4.3.1", id="link-env on podman"),
    pytest.param("link-env", "docker", "29.0.1", id="link-env on docker 29"),
]

MARKED = """
    import pytest

    @pytest.mark.dockconn(requires=["{word}"])
    def test_needs_it():
        print("it ran")

    @pytest.mark.dockconn
    def test_needs_nothing():
        pass
"""


@pytest.mark.parametrize(("word", "kind", "version"), LACKS)
def test_what_the_engine_lacks_is_skipped_with_the_reason(inner: Inner, word: str, kind: str, version: str) -> None:
    result = inner.run(MARKED.format(word=word), "-rs", engine=inner.engine(kind, version))

    result.assert_outcomes(passed=1, skipped=1)
    result.stdout.fnmatch_lines([f"SKIPPED * {kind} {version} lacks '{word}' (*)"])
    assert inner.left() == []


@pytest.mark.parametrize(("word", "kind", "version"), LACKS)
def test_strict_makes_it_fail(inner: Inner, word: str, kind: str, version: str) -> None:
    result = inner.run(MARKED.format(word=word), "--dockconn-strict", engine=inner.engine(kind, version))

    result.assert_outcomes(passed=1, errors=1)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"--dockconn-strict: {kind} {version} lacks '{word}' (*)"])
    assert "Traceback" not in result.stdout.str()
    assert "def require" not in result.stdout.str()


@pytest.mark.parametrize(
    ("words", "kind", "version"),
    [
        ('requires=["links"]', "docker", "20.10.24"), ('requires=["link-env"]', "docker", "20.10.24"),
        ('requires="links"', "docker", "29.0.1"), ('requires=("links", "icc")', "docker", "29.0.1"),
        ("requires=[]", "podman", "4.3.1"), ("", "podman", "4.3.1"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("strict", [False, True])
def test_what_it_has_runs(inner: Inner, words: str, kind: str, version: str, strict: bool) -> None:
    source = f"""
        import pytest

        @pytest.mark.dockconn({words})
        def test_one():
            pass
    """
    result = inner.run(source, *(["--dockconn-strict"] if strict else []), engine=inner.engine(kind, version))

    result.assert_outcomes(passed=1)


def test_markers_of_class_and_module_count(inner: Inner) -> None:
    result = inner.run(
        """
        import pytest

        pytestmark = pytest.mark.dockconn(requires=["icc"])

        @pytest.mark.dockconn(requires=["links"])
        class TestLinks:
            @pytest.mark.dockconn
            def test_one(self):
                raise AssertionError
        """,
        "-rs",
        engine=inner.engine("podman", "4.3.1"),
    )

    result.assert_outcomes(skipped=1)
    result.stdout.fnmatch_lines(["SKIPPED * lacks 'links' (*), 'icc' (*)"])


FIXTURES = """
    def test_client(dockconn_linked_client):
        pass

    def test_connection(dockconn_connection):
        pass

    def test_lab(dockconn):
        dockconn.client(links=[dockconn.server()])
"""


def test_fixtures_that_need_links(inner: Inner) -> None:
    result = inner.run(FIXTURES, "-rsf", engine=inner.engine("podman", "4.3.1"))

    # a test that asks for a link in its own words has not said that it may be skipped
    result.assert_outcomes(passed=2, skipped=2, failed=1)
    result.stdout.fnmatch_lines(["SKIPPED *podman 4.3.1 lacks 'links' (*", "FAILED *CapabilityError: podman 4.3.1*"])
    assert inner.left() == []


def test_fixtures_that_need_links_under_strict(inner: Inner) -> None:
    result = inner.run(FIXTURES, "--dockconn-strict", engine=inner.engine("podman", "4.3.1"))

    result.assert_outcomes(passed=2, errors=2, failed=1)
    assert result.stdout.str().count("\n--dockconn-strict: podman 4.3.1 lacks 'links'") == 2
    assert "def require" not in result.stdout.str()
    assert inner.left() == []


WRONG: list[tuple[str, str]] = [
    ('requires=["link_env"]', "no such capability: 'link_env'"),
    ('requires="link_env"', "no such capability: 'link_env'"),
    ('requires=["links", "x", "y"]', "no such capability: 'x', 'y'"),
    ("requires=[None]", "no such capability: None"),
    ('requires=[["links"]]', "no such capability: ['links']"),
    ("requires=None", "requires=None"),
    ("requires=5", "requires=5"),
    ('requires={"links": True}', "requires={'links': True}"),
    ('"links"', "takes requires=[...] only"),
    ('["links"]', "takes requires=[...] only"),
    ('require=["links"]', "takes requires=[...] only"),
    ('requires=["links"], strict=True', "takes requires=[...] only"),
]


@pytest.mark.parametrize(("words", "cause"), WRONG, ids=[w for w, _ in WRONG])
def test_a_wrong_marker_ends_the_run_before_its_first_test(inner: Inner, words: str, cause: str) -> None:
    result = inner.run(f"""
        import pytest

        def test_plain():
            print("a test ran")

        @pytest.mark.dockconn({words})
        def test_one(dockconn_client):
            pass
    """)

    one_message(result, "test_inner.py::test_one", cause)
    assert "a test ran" not in result.stdout.str()
    assert inner.left() == []


def test_a_wrong_marker_with_xdist(inner: Inner) -> None:
    """Only the workers see the tests, and they can't end a run by themselves: the first test of each says it."""
    inner.write("""
        import pytest

        @pytest.mark.parametrize("number", range(9))
        def test_plain(number):
            raise AssertionError("a test ran")

        @pytest.mark.dockconn(requires=["link_env"])
        def test_one():
            pass
    """)
    result = inner.process("-n", "2", "--dockconn", inner.engine())

    text = result.stdout.str() + result.stderr.str()
    assert result.ret not in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED)
    assert "test_inner.py::test_one: no such capability: 'link_env'" in text
    assert "a test ran" not in text
    assert "INTERNALERROR" not in text
