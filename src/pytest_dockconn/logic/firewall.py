"""What ``iptables-save -c`` says of rules that let nothing through. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping

_RULE = re.compile(r"\[(\d{1,20}):\d+\] (-A .*-j (?:DROP|REJECT)\b.*)")
_POLICY = re.compile(r":(\S+) DROP \[(\d{1,20}):\d+\]")


def counters(saved: str) -> dict[str, int]:
    """Packets that each rule with DROP or REJECT has counted, and each chain whose policy is DROP."""
    found: dict[str, int] = {}
    for line in saved.splitlines():
        rule, policy = _RULE.fullmatch(line.strip()), _POLICY.fullmatch(line.strip())
        if rule:
            found[rule.group(2)] = found.get(rule.group(2), 0) + int(rule.group(1))
        elif policy:
            found[f"policy DROP of the chain {policy.group(1)}"] = int(policy.group(2))
    return found


def grown(before: Mapping[str, int], after: Mapping[str, int]) -> dict[str, int]:
    """How many more packets each rule has counted; rules without any are left out, the most first."""
    more = {rule: count - before.get(rule, 0) for rule, count in after.items()}
    return dict(sorted(((r, n) for r, n in more.items() if n > 0), key=lambda pair: -pair[1]))
