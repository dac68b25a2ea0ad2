"""How a server of ours shows who it is."""

from __future__ import annotations

import hashlib

import pytest

from pytest_dockconn.agent.identity import knows, proof


def test_a_proof_is_what_apache_computes() -> None:
    """``%{sha1:T:%{req_novary:X-Dockconn-Nonce}:T}`` in ``images/dockconn-serve``."""
    assert proof("t0ken", "n0nce") == hashlib.sha1(b"t0ken:n0nce:t0ken").hexdigest()


@pytest.mark.parametrize(
    ("token", "nonce", "said", "known"),
    [
        pytest.param("t", "n", proof("t", "n"), True, id="its own"),
        pytest.param("t", "n", proof("t", "another"), False, id="of another question"),
        pytest.param("t", "n", proof("another", "n"), False, id="by another token"),
        pytest.param("t", "n", "t", False, id="the token itself"),
        pytest.param("t", "n", "", False, id="nothing"),
        pytest.param("", "n", proof("", "n"), False, id="nobody has a token"),
        pytest.param("t", "", proof("t", ""), False, id="nothing was asked"),
    ],
)
def test_who_knows_the_token(token: str, nonce: str, said: str, known: bool) -> None:
    assert knows(token, nonce, said) is known
