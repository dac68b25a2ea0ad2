"""What others wrote, made fit to be shown: it steers no terminal, passes for no line of ours, and tells no secret. Pure.

On the ground floor, because every error of ours goes through it (``errors``), and so does every probe's detail (``model``).
"""

from __future__ import annotations

import re
import unicodedata

#: Categories of Unicode that can change what a terminal shows: control, format (bidirectional marks), surrogate, private, line ends.
_UNSAFE = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
#: What is not shown stands as this.
HIDDEN = "***"
#: Before every line of others' but the first; ours have two spaces at the most.
INDENT = "    "
#: Where something was left out at the end, or at the beginning.
_CUT = "..."
#: Characters beyond a limit that are looked at, because a secret that is cut in two can't be told from other text.
_MARGIN = 4096

_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*", re.IGNORECASE)
#: Of a URL whose rest is a path, in which an @ is just that.
_LOCAL = ("unix", "npipe")
_WORD = re.compile(r"\S+")
_MARK = re.compile("://")
#: What comes behind it, up to the path; of a URL that tells no password a host, and perhaps a port.
_AUTHORITY = re.compile(r"[^/?#]*")
_PLACE = re.compile(r"(\[[^\]]*\]|[^:\[\]]*)(:\d{0,5})?")
#: The token of a server of ours: in its command, in what Apache logs of its own (a header, or what is made of it and of the
#: question's nonce), behind its id in a datagram. With --dockconn-reuse it is good for as long as the server is kept.
_LIKE_TOKEN = re.compile(r"[0-9a-fA-F]{16}")  # a quick look: every probe's detail comes by here
_TOKEN = re.compile(
    r"(\btoken=|x-dockconn-token\W{1,4}|sha1:|-nonce\}:|[0-9a-f]{64} |host-[0-9a-f]{16} )[0-9a-f]{16}(?![0-9a-f])",
    re.IGNORECASE,
)


def printable(text: str, limit: int = 20000) -> str:
    """The text without control characters (newline and tab stay; others as ``\\x1b``) and secrets, cut at ``limit`` characters."""
    return _escaped(_beginning(text, limit))


def _escaped(text: str) -> str:
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(line if line.isprintable() else "".join(map(_visible, line)) for line in lines)


def is_printable(text: str) -> bool:
    """Whether nothing of it would have to be escaped; newlines and tabs count as printable."""
    return all(c in "\n\t" or unicodedata.category(c) not in _UNSAFE for c in text)


def _visible(c: str) -> str:
    if c == "\t" or unicodedata.category(c) not in _UNSAFE:
        return c
    return f"\\x{ord(c):02x}" if ord(c) < 256 else f"\\u{ord(c):04x}"


def one_line(text: str, limit: int = 200) -> str:
    """The same on one line."""
    return " ".join(printable(text.replace("\u2028", " ").replace("\u2029", " "), limit).split())


def block(text: str, limit: int = 20000) -> str:
    """The same with every line after the first indented, so that none of them passes for one of ours."""
    first, *others = printable(text, limit).split("\n")
    return "\n".join([first, *(line if line.startswith(INDENT) else (INDENT + line).rstrip() for line in others)])


def ending(text: str, limit: int = 20000) -> str:
    """As ``printable``, but the end of the text, which is where it says why: from a line's beginning on, or a word's."""
    window = text[-limit - _MARGIN :]
    told, whole = _discreet(window), len(window) == len(text)
    shown = _escaped(told if whole else told[_MARGIN:])
    if whole and len(shown) <= limit:
        return shown
    end = shown[max(0, len(shown) + len(_CUT) - limit) :]
    begin = re.search(r"\n", end[: limit // 2]) or re.search(r"\s(?=\S)", end)
    return _CUT + end[begin.start() if begin else 0 :]


def redact(url: str) -> str:
    """A URL, or what was meant for one, without its user and password, whatever characters are in them."""
    scheme, found, rest = url.partition("://")
    if found and scheme.lower() in _LOCAL:
        return url
    if not (found and _SCHEME.fullmatch(scheme)):
        scheme, found, rest = "", "", url
    _, at, host = rest.rpartition("@")
    return f"{scheme}{found}{HIDDEN}@{host}" if at else url


def _beginning(text: str, limit: int) -> str:
    """The first ``limit`` characters, without secrets, and without a part of one."""
    window = text[: limit + _MARGIN]
    told = _discreet(window)
    whole = len(window) == len(text)
    if whole and len(told) <= limit:
        return told
    return told[: limit if whole else min(limit, len(told) - _MARGIN)] + _CUT


def _discreet(text: str) -> str:
    """The text without the users and passwords of its URLs, and without tokens."""
    if "@" in text and "://" in text:
        text = _WORD.sub(lambda word: _without_user(word.group()), text)
    return _TOKEN.sub(rf"\1{HIDDEN}", text) if _LIKE_TOKEN.search(text) else text


def _without_user(word: str) -> str:
    """A word of a text without the user and password of a URL in it: an @ in the path of one that has none stays."""
    last = word.rfind("@")
    for mark in _MARK.finditer(word, 0, max(last, 0)):
        authority = _AUTHORITY.match(word, mark.end())
        if authority is not None and ("@" in authority.group() or not _PLACE.fullmatch(authority.group())):
            return f"{word[: mark.end()]}{HIDDEN}{word[last:]}"
    return word
