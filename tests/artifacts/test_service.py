"""Artifacts: registered whole, kept for a while, and compared with what is on disk."""

import hashlib
import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.accounts.permissions import Actor
from portal.artifacts.drift import GRACE, Drift, find_drift, remove_strays
from portal.artifacts.models import Artifact
from portal.artifacts.owners import OwnerKind, OwnerKinds
from portal.artifacts.retention import remove_expired, remove_surplus
from portal.artifacts.service import (
    Owner,
    artifact_path,
    artifacts_of_job,
    artifacts_of_owner,
    get_artifact,
    measure,
    register,
)
from portal.errors import NotFoundError
from portal.runtime import Runtime
from tests.artifacts.conftest import SHELF

Make = Callable[..., Artifact]
ANNA = Actor(user_id=1, name="anna")
OTTO = Actor(user_id=2, name="otto")
OWNERS = OwnerKinds(
    [OwnerKind(name="shelf", may_download=lambda _session, actor, _id: actor.name == "anna")]
)


def ids(runtime: Runtime) -> set[str]:
    with runtime.reads() as session:
        return set(session.scalars(select(Artifact.id)))


def later(runtime: Runtime) -> Runtime:
    """The same portal after the grace that files without a row have."""
    return Runtime(
        settings=runtime.settings,
        engine=runtime.engine,
        sessions=runtime.sessions,
        reads=runtime.reads,
        redis=runtime.redis,
        clock=lambda: runtime.clock() + GRACE * 2,
    )


def register_and_fail(runtime: Runtime, source: Path) -> None:
    with runtime.sessions.begin() as session:
        register(
            session,
            file=measure(source),
            kind="thing",
            owner=SHELF,
            name="x",
            media_type="application/zip",
            settings=runtime.settings,
            now=runtime.clock(),
        )
        raise RuntimeError


def test_an_artifact_is_its_file_with_size_and_checksum(
    runtime: Runtime, make_artifact: Make
) -> None:
    artifact = make_artifact(b"zip bytes")
    path = artifact_path(runtime.settings, artifact.id)
    assert path.read_bytes() == b"zip bytes"
    assert (artifact.size, artifact.sha256) == (9, hashlib.sha256(b"zip bytes").hexdigest())


def test_registering_moves_the_file(runtime: Runtime, make_artifact: Make, tmp_path: Path) -> None:
    make_artifact()
    assert list((tmp_path / "data" / "work").iterdir()) == []


def test_a_transaction_that_is_rolled_back_leaves_a_file_that_drift_names(
    runtime: Runtime, tmp_path: Path
) -> None:
    source = runtime.settings.data / "made"
    source.write_bytes(b"1")
    with pytest.raises(RuntimeError):
        register_and_fail(runtime, source)
    assert ids(runtime) == set()
    with runtime.reads() as session:
        now = runtime.clock()
        assert not find_drift(session, runtime.settings, now=now)
        found = find_drift(session, runtime.settings, now=now + GRACE * 2)
    assert len(found.strays) == 1
    assert remove_strays(runtime) == 0
    assert remove_strays(later(runtime)) == 1
    assert not found.strays[0].exists()


def test_drift_names_rows_without_their_file_and_files_of_another_size(
    runtime: Runtime, make_artifact: Make
) -> None:
    gone, cut, whole = make_artifact(), make_artifact(), make_artifact()
    artifact_path(runtime.settings, gone.id).unlink()
    os.truncate(artifact_path(runtime.settings, cut.id), 1)
    with runtime.reads() as session:
        found = find_drift(session, runtime.settings, now=runtime.clock() + GRACE * 2)
    assert found == Drift(missing=(gone.id,), resized=(cut.id,))
    assert remove_strays(later(runtime)) == 0
    assert artifact_path(runtime.settings, whole.id).exists()


def test_the_right_decides_at_each_fetch(runtime: Runtime, make_artifact: Make) -> None:
    artifact, now = make_artifact(), runtime.clock()
    with runtime.reads() as session:
        got = get_artifact(session, owners=OWNERS, actor=ANNA, artifact_id=artifact.id, now=now)
        assert got.id == artifact.id
        with pytest.raises(NotFoundError):
            get_artifact(session, owners=OWNERS, actor=OTTO, artifact_id=artifact.id, now=now)
        with pytest.raises(NotFoundError):
            get_artifact(
                session, owners=OwnerKinds([]), actor=ANNA, artifact_id=artifact.id, now=now
            )


def test_an_expired_artifact_is_no_more_there(runtime: Runtime, make_artifact: Make) -> None:
    artifact = make_artifact(age=31)
    with runtime.reads() as session, pytest.raises(NotFoundError):
        get_artifact(
            session, owners=OWNERS, actor=ANNA, artifact_id=artifact.id, now=runtime.clock()
        )


def test_expired_artifacts_go_with_row_and_file(runtime: Runtime, make_artifact: Make) -> None:
    old, young = make_artifact(age=31), make_artifact(age=29)
    assert remove_expired(runtime) == 1
    assert ids(runtime) == {young.id}
    assert not artifact_path(runtime.settings, old.id).exists()
    assert artifact_path(runtime.settings, young.id).exists()


def test_only_the_newest_of_each_owner_are_kept(runtime: Runtime, make_artifact: Make) -> None:
    mine = [make_artifact(age=days).id for days in range(4)]
    other = make_artifact(owner=Owner(kind="shelf", id="2"), age=9).id
    another_kind = make_artifact(kind="report", age=9).id
    assert remove_surplus(runtime, kind="thing", newest=2) == 2
    assert ids(runtime) == {*mine[:2], other, another_kind}


def test_artifacts_are_found_by_owner_and_by_job(runtime: Runtime, make_artifact: Make) -> None:
    old, new = make_artifact(age=2, job_id="j1"), make_artifact(age=1)
    with runtime.reads() as session:
        assert [a.id for a in artifacts_of_owner(session, owner=SHELF, kind="thing")] == [
            new.id,
            old.id,
        ]
        assert [a.id for a in artifacts_of_job(session, "j1")] == [old.id]


def test_artifacts_expire_after_the_days_that_the_settings_say(
    runtime: Runtime, make_artifact: Make
) -> None:
    artifact = make_artifact()
    assert artifact.expires_at is not None
    days = timedelta(days=runtime.settings.artifact_days)
    assert artifact.expires_at - artifact.created_at == days
