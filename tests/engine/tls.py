"""A certificate that signs itself, with the standard library alone: neither the images nor every machine have openssl.

Small numbers of RSA would be refused by OpenSSL; finding primes of 1024 bits takes half a second.
"""

from __future__ import annotations

import base64
import hashlib
import random
import secrets
from functools import lru_cache

EXPONENT = 65537
SHA256_RSA = bytes.fromhex("300d06092a864886f70d01010b0500")
RSA = bytes.fromhex("300d06092a864886f70d0101010500")
SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")


def _prime(bits: int) -> int:
    small = [n for n in range(3, 2000, 2) if all(n % d for d in range(3, int(n**0.5) + 1, 2))]
    while True:
        guess = secrets.randbits(bits) | 3 << bits - 2 | 1
        if all(guess % n for n in small) and guess % EXPONENT != 1 and _is_prime(guess):
            return guess


def _is_prime(guess: int) -> bool:
    """Miller and Rabin's test."""
    twos = (guess - 1 & 1 - guess).bit_length() - 1
    for _ in range(12):
        seen = pow(random.randrange(2, guess - 1), guess - 1 >> twos, guess)
        if seen in (1, guess - 1):
            continue
        for _ in range(twos - 1):
            seen = seen * seen % guess
            if seen == guess - 1:
                break
        else:
            return False
    return True


def _der(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8 or 1, "big")
    return bytes([tag]) + (size if len(body) < 128 else bytes([128 | len(size)]) + size) + body


def _int(value: int) -> bytes:
    return _der(2, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _pem(kind: str, data: bytes) -> str:
    text = base64.encodebytes(data).decode()
    return f"-----BEGIN {kind}-----\n{text}-----END {kind}-----\n"


@lru_cache(maxsize=4)
def certificate(name: str) -> tuple[str, str]:
    """Certificate and key as PEM text, good for one DNS name from 2020 to 2049."""
    p, q = _prime(1024), _prime(1024)
    modulus, private = p * q, pow(EXPONENT, -1, (p - 1) * (q - 1))
    key = _der(
        0x30, *map(_int, (0, modulus, EXPONENT, private, p, q, private % (p - 1), private % (q - 1), pow(q, -1, p)))
    )
    called = _der(0x30, _der(0x31, _der(0x30, bytes.fromhex("0603550403"), _der(0x0C, name.encode()))))
    names = _der(0x30, bytes.fromhex("0603551d11"), _der(4, _der(0x30, _der(0x82, name.encode()))))
    authority = _der(0x30, bytes.fromhex("0603551d13"), _der(1, b"\xff"), _der(4, _der(0x30, _der(1, b"\xff"))))
    public = _der(0x30, RSA, _der(3, b"\0", _der(0x30, _int(modulus), _int(EXPONENT))))
    dates = _der(0x30, _der(0x17, b"200101000000Z"), _der(0x17, b"490101000000Z"))
    told = _der(
        0x30, _der(0xA0, _int(2)), _int(secrets.randbits(64) + 1), SHA256_RSA, called, dates, called, public,
        _der(0xA3, _der(0x30, names, authority)),
    )  # fmt: skip
    digest = SHA256 + hashlib.sha256(told).digest()
    padded = b"\0\1" + b"\xff" * (253 - len(digest)) + b"\0" + digest
    signature = pow(int.from_bytes(padded, "big"), private, modulus).to_bytes(256, "big")
    return _pem("CERTIFICATE", _der(0x30, told, SHA256_RSA, _der(3, b"\0", signature))), _pem("RSA PRIVATE KEY", key)
