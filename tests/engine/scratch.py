"""An image with nothing in it but one static binary, as distroless ones are: made of these bytes, so that nothing is compiled.

The program is 64-bit x86 machine code behind an ELF header: it listens on port 8080, greets everybody, and closes.
"""

from __future__ import annotations

import io
import struct
import tarfile

PORT = 8080
GREETING = b"from scratch\n"
#: Where Linux is told to put it.
BASE, HEADERS = 0x400000, 64 + 56

_SYSCALL = b"\x0f\x05"


def _call(number: int, *setting: bytes) -> bytes:
    """Set the registers, then ``mov eax, number; syscall``."""
    return b"".join(setting) + b"\xb8" + struct.pack("<I", number) + _SYSCALL


def _edi(value: int) -> bytes:
    return b"\xbf" + struct.pack("<I", value)


def _esi(value: int) -> bytes:
    return b"\xbe" + struct.pack("<I", value)


def _edx(value: int) -> bytes:
    return b"\xba" + struct.pack("<I", value)


EDI_IS_LISTENER, EDI_IS_PEER = b"\x89\xdf", b"\x89\xef"  # mov edi, ebx; mov edi, ebp
KEEP_LISTENER, KEEP_PEER = b"\x89\xc3", b"\x89\xc5"  # mov ebx, eax; mov ebp, eax


def binary() -> bytes:
    """The program."""
    data = struct.pack("<H", 2) + struct.pack(">H", PORT) + bytes(12) + GREETING  # a sockaddr_in of 0.0.0.0, the text

    def text(at: int) -> bytes:
        begin = (
            _call(41, _edi(2), _esi(1), _edx(0))  # socket(AF_INET, SOCK_STREAM, 0)
            + KEEP_LISTENER
            + _call(49, EDI_IS_LISTENER, _esi(at), _edx(16))  # bind
            + _call(50, EDI_IS_LISTENER, _esi(16))  # listen
        )
        again = (
            _call(43, EDI_IS_LISTENER, _esi(0), _edx(0))  # accept
            + KEEP_PEER
            + _call(1, EDI_IS_PEER, _esi(at + 16), _edx(len(GREETING)))  # write
            + _call(3, EDI_IS_PEER)  # close
        )
        return begin + again + b"\xeb" + struct.pack("<b", -len(again) - 2)  # jmp again

    code = text(BASE + HEADERS + len(text(0)))
    size = HEADERS + len(code) + len(data)
    header = struct.pack(
        "<16sHHIQQQIHHHHHH", b"\x7fELF\2\1\1", 2, 62, 1, BASE + HEADERS, 64, 0, 0, 64, 56, 1, 0, 0, 0
    )  # fmt: skip
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, BASE, BASE, size, size, 0x1000)
    return header + segment + code + data


def image() -> io.BytesIO:
    """The root file system, as a tar: ``/server`` alone."""
    packed, program = io.BytesIO(), binary()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        entry = tarfile.TarInfo("server")
        entry.size, entry.mode = len(program), 0o755
        tar.addfile(entry, io.BytesIO(program))
    packed.seek(0)
    return packed
