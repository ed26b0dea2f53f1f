"""Deleting files: for good, audited, only by who may, never under a job's hands."""

import hashlib

import pytest
from sqlalchemy import select

from portal.accounts.permissions import Actor
from portal.audit.models import AuditEntry
from portal.datacenter.claims import claim_file
from portal.datacenter.folders import DataCenter
from portal.datacenter.removal import delete_files
from portal.datacenter.steps import Folder
from portal.errors import ConflictError, ForbiddenError, InvalidError, NotFoundError
from portal.runtime import Runtime
from tests.datacenter.jobs import make_job
from tests.datacenter.scenes import lay, lying


def test_deleted_files_are_gone_and_the_others_stay(
    runtime: Runtime, center: DataCenter, clerk: Actor
) -> None:
    lay(center.storage, dict.fromkeys(["a.csv", "b.csv", "c.csv"], b"x\n"))
    assert delete_files(runtime, wanted=["a.csv", "c.csv"], actor=clerk) == ["a.csv", "c.csv"]
    assert lying(center.storage) == {"b.csv": b"x\n"}
    assert not (center.storage / ".work").exists()


def test_it_stays_known_who_deleted_what(
    runtime: Runtime, center: DataCenter, clerk: Actor
) -> None:
    lay(center.storage, {"finished/x.create.finished.csv": b"x\n"})
    delete_files(
        runtime,
        wanted=["x.create.finished.csv"],
        folder=Folder.FINISHED,
        actor=clerk,
        address="192.0.2.1",
    )
    with runtime.reads() as session:
        entry = session.scalars(select(AuditEntry)).one()
    assert (entry.action, entry.object_id, entry.actor_name) == (
        "datacenter.delete",
        "finished/x.create.finished.csv",
        "anna",
    )
    assert entry.detail == {"size": 2, "sha256": hashlib.sha256(b"x\n").hexdigest()}


def test_where_one_is_missing_none_goes(runtime: Runtime, center: DataCenter, clerk: Actor) -> None:
    lay(center.storage, {"a.csv": b"x\n"})
    with pytest.raises(NotFoundError):
        delete_files(runtime, wanted=["a.csv", "../secret_key"], actor=clerk)
    assert lying(center.storage) == {"a.csv": b"x\n"}


def test_nothing_chosen_is_said(runtime: Runtime, clerk: Actor) -> None:
    with pytest.raises(InvalidError, match=r"^No item selected\.$"):
        delete_files(runtime, wanted=[], actor=clerk)


def test_a_file_that_a_job_works_on_stays(
    runtime: Runtime, center: DataCenter, clerk: Actor
) -> None:
    lay(center.storage, {"a.csv": b"x\n"})
    with runtime.sessions.begin() as session:
        claim_file(session, name="a.csv", job_id=make_job(runtime), now=runtime.clock())
    with pytest.raises(ConflictError, match="is being processed"):
        delete_files(runtime, wanted=["a.csv"], actor=clerk)
    assert lying(center.storage) == {"a.csv": b"x\n"}


@pytest.mark.parametrize("folder", [Folder.DELETED, Folder.GRADUATED, Folder.LOGS])
def test_backups_and_logs_are_not_deleted(
    runtime: Runtime, center: DataCenter, clerk: Actor, folder: Folder
) -> None:
    lay(center.storage, {f"{folder}/a.csv": b"x\n"})
    with pytest.raises(ForbiddenError, match="are kept"):
        delete_files(runtime, wanted=["a.csv"], folder=folder, actor=clerk)


def test_only_who_may_edit_the_data_centre_deletes(runtime: Runtime, center: DataCenter) -> None:
    lay(center.storage, {"a.csv": b"x\n"})
    with pytest.raises(ForbiddenError):
        delete_files(runtime, wanted=["a.csv"], actor=Actor(user_id=None, name="nobody"))
