"""Artifacts for tests: made from bytes, owned by a thing called `shelf`."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from portal.artifacts.models import Artifact
from portal.artifacts.service import Owner, measure, register
from portal.runtime import Runtime

SHELF = Owner(kind="shelf", id="1")


@pytest.fixture
def make_artifact(runtime: Runtime, tmp_path: Path) -> Callable[..., Artifact]:
    """`make_artifact(content, **only_what_matters)`; `age` is in days."""

    def make(content: bytes = b"content", *, age: int = 0, **values: Any) -> Artifact:
        folder = tmp_path / "data" / "work"
        folder.mkdir(parents=True, exist_ok=True)
        source = folder / uuid4().hex
        source.write_bytes(content)
        defaults: dict[str, Any] = {
            "kind": "thing",
            "owner": SHELF,
            "name": "thing.zip",
            "media_type": "application/zip",
            "now": runtime.clock() - timedelta(days=age),
        }
        with runtime.sessions.begin() as session:
            return register(
                session,
                file=measure(source),
                settings=runtime.settings,
                **(defaults | values),
            )

    return make
