"""Sums of files that some FTP servers tell: HASH, XSHA256 and their like. Pure."""

import re
from dataclasses import dataclass

_LENGTHS = {"sha256": 64, "sha512": 128, "sha1": 40, "md5": 32}
_HASH = {"SHA-256": "sha256", "SHA-512": "sha512", "SHA-1": "sha1", "MD5": "md5"}
_OWN = {"XSHA256": "sha256", "XSHA512": "sha512", "XSHA1": "sha1", "XMD5": "md5"}


@dataclass(frozen=True, kw_only=True)
class SumCommand:
    """How a server is asked: `algorithm` as hashlib calls it; `before` is said once, if at all."""

    algorithm: str
    command: str
    before: str = ""

    def sum_in(self, reply: str) -> str | None:
        """The sum that a reply tells, in small letters; None where it tells none."""
        if not reply.startswith("2"):
            return None
        found = re.search(rf"(?<![0-9a-fA-F])[0-9a-fA-F]{{{_LENGTHS[self.algorithm]}}}\b", reply)
        return found.group().lower() if found else None


def sum_command(features: dict[str, str]) -> SumCommand | None:
    """The best of what a server offers (draft-bryan-ftpext-hash, and what came before it)."""
    offered = [name.strip().upper() for name in features.get("HASH", "").split(";")]
    for name, algorithm in _HASH.items():
        if f"{name}*" in offered:
            return SumCommand(algorithm=algorithm, command="HASH")
        if name in offered:
            return SumCommand(algorithm=algorithm, command="HASH", before=f"OPTS HASH {name}")
    for command, algorithm in _OWN.items():
        if command in features:
            return SumCommand(algorithm=algorithm, command=command)
    return None
