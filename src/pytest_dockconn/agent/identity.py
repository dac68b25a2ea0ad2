"""How a server of ours shows who it is: it was told a token at its start, and never says it.

Each question bears a nonce, and the answer a digest of both: whoever has heard other answers can't answer this one.
"""

from __future__ import annotations

#: Headers: who answers, and its proof; what the proof is of.
IDENTITY = "x-dockconn-container"
PROOF = "x-dockconn-proof"
NONCE = "x-dockconn-nonce"


def proof(token: str, nonce: str) -> str:
    """What only those who know the token can say of a question's nonce.

    SHA-1, because Apache computes it without any other module (see ``dockconn-serve``).
    """
    import hashlib  # what a client's agent, which only asks, does not need

    return hashlib.sha1("{0}:{1}:{0}".format(token, nonce).encode("utf-8", "replace")).hexdigest()  # noqa: S324


def knows(token: str, nonce: str, said: str) -> bool:
    """Whether the proof that came back is that of this token, and of this question."""
    return bool(token and nonce) and said == proof(token, nonce)
