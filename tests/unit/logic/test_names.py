"""Names that Docker takes."""

from __future__ import annotations

import pytest
from tests.samples import refused
from tests.unit.odd import HUGE

from pytest_dockconn.logic import given, names


@pytest.mark.parametrize("name", ["server1", "a", "0", "a1", "A.b_c-d", "0ab", "x" * 200])
def test_a_name_is_taken(name: str) -> None:
    assert names.checked(name) == name


@pytest.mark.parametrize(
    "name", ["", "-", "_", ".", "-ab", "_ab", ".ab", "a b", "a/b", "server1\n", "sërver", None, 7, b"server1"], ids=repr
)
def test_a_name_is_refused(name: object) -> None:
    with refused("is not a name that Docker takes"):
        names.checked(name)


@pytest.mark.parametrize("name", ["db", "a", "_a", "docker-1", "my_db", "db.internal", "x" * 253])
def test_an_alias_is_taken(name: str) -> None:
    assert names.hostname(name) == name


@pytest.mark.parametrize("name", ["", "-db", "db-", ".db", "db.", "a b", "a\tb", "a\n", "x" * 254, None, 7], ids=repr)
def test_an_alias_is_refused(name: object) -> None:
    with refused("is not an alias"):
        names.hostname(name)


@pytest.mark.parametrize(
    "name",
    ["nginx", "nginx:1.27", "localhost:5000/a/b:1", "[::1]:5000/a", "sha256:" + "0" * 64, "a@sha256:" + "0" * 64],
)
def test_an_image_is_taken(name: str) -> None:
    assert names.image(name) == name


@pytest.mark.parametrize(
    "name",
    ["", "a b", "/a", "a/", "a//b", "a/../b", "..", "a/./b", "\udcff", "a\0", "x" * 513, None, 7, HUGE],
    ids=given.shown,
)
def test_an_image_is_refused(name: object) -> None:
    with refused("image=", "is not the name of an image"):
        names.image(name)
    with refused("--dockconn-client-image="):
        names.image(name, "--dockconn-client-image")


@pytest.mark.parametrize("name", ["web", "/web", "a", "0123456789ab", "a_b.c-d"])
def test_what_a_container_may_be_called(name: str) -> None:
    assert names.reference(name) == name


@pytest.mark.parametrize(
    "name", ["", "..", ".", "/", "//web", "a/b", "-a", "a b", "\udcff", "é", "x" * 600, None, 7, HUGE], ids=given.shown
)
def test_what_no_container_is_called(name: object) -> None:
    assert names.reference(name) == ""


@pytest.mark.parametrize("name", ["web", "a", "my net", "...", "é", "0123456789ab"])
def test_what_a_network_may_be_called(name: str) -> None:
    assert names.network_reference(name) == name


@pytest.mark.parametrize("name", ["", "..", ".", "a/b", "a\0", "\udcff", "a\n", "x" * 256, None, 7], ids=given.shown)
def test_what_no_network_is_called(name: object) -> None:
    assert names.network_reference(name) == ""


def test_a_kernels_own_name_is_short() -> None:
    assert names.hostname("x" * 64, "hostname", names.OWN_HOST) == "x" * 64
    with refused("is not a hostname"):
        names.hostname("x" * 65, "hostname", names.OWN_HOST)


def test_the_message_says_what_the_name_is_for() -> None:
    with refused("'a b' is not a hostname"):
        names.hostname("a b", "hostname")
    with refused("'' is not a container name"):
        names.checked("", "container name")


@pytest.mark.parametrize(
    ("lab", "name", "called"),
    [("", "server1", "dockconn-ab12-server1"), ("3", "server1", "dockconn-ab12-3-server1")],
    ids=["session", "test"],
)
def test_what_the_engine_calls_it(lab: str, name: str, called: str) -> None:
    assert names.on_engine("ab12", lab, name) == called
    assert names.checked(called) == called


@pytest.mark.parametrize(
    ("tag", "repository", "version"),
    [
        ("client_img", "client_img", "latest"),
        ("client_img:1", "client_img", "1"),
        ("a/b__c/d--e.f:V1.2-x", "a/b__c/d--e.f", "V1.2-x"),
        ("localhost/img", "localhost/img", "latest"),
        ("localhost:5000/img:1", "localhost:5000/img", "1"),
        ("box:5000/img", "box:5000/img", "latest"),
        ("Example.test/img:1", "Example.test/img", "1"),
    ],
)
def test_a_tag_to_be_given(tag: str, repository: str, version: str) -> None:
    assert names.new_image(tag) == (repository, version)


@pytest.mark.parametrize(
    "tag",
    ["", ":1", "img:", "Img", "a b", "a//b", "/a", "a/", "-a", "a_", "a___b", "a..b", "img:1:2", "img:-1", "img@sha256:0", "a" * 256, "a\n",
     "img:" + "1" * 129, "Foo/bar", "²", None, 5, b"img", ["img"]],
    ids=ascii,
)  # fmt: skip
def test_what_can_be_no_tag(tag: object) -> None:
    with refused("is not an image's name"):
        names.new_image(tag)
