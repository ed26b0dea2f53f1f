"""Templates compiled once for all applications of a test process; Jinja keys them by content."""

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class _InMemory(BytecodeCache):
    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._compiled[bucket.key] = bucket.bytecode_to_string()


_SHARED = _InMemory()


def share_templates(app: Flask) -> Flask:
    """Let `app` take what was compiled before."""
    app.jinja_env.bytecode_cache = _SHARED
    return app
