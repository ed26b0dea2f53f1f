"""A backup holds the whole portal and gives it back; a damaged one changes nothing."""

import hashlib
import io
import stat
import tarfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, func, select, update

from portal import migrations
from portal.accounts.models import ApiToken, SignInSession, User
from portal.artifacts.models import Artifact
from portal.artifacts.service import artifact_path
from portal.audit.chain import seal, verify
from portal.audit.models import AuditEntry
from portal.backup import restore_backup, write_backup
from portal.backups.archive import BackupError
from portal.migrations.run import schema_is_current
from portal.projects.models import Project, ProjectFile, ProjectPage
from portal.projects.storage import stored_path
from portal.runtime import Runtime
from portal.settings import Settings
from tests.waiting import wait_until

Opened = Callable[[Settings], Runtime]


@pytest.fixture
def backup(filled: Runtime, tmp_path: Path) -> Path:
    target = tmp_path / "portal.tar"
    write_backup(filled.settings, target)
    return target


def sums(settings: Settings) -> dict[str, str]:
    """The SHA-256 of all that the portal keeps, by its place in the data folder."""
    folders = (settings.data / "projects", settings.data / "artifacts")
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {
        str(path.relative_to(settings.data)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (*files, settings.data / "secret_key")
    }


def pages(runtime: Runtime) -> list[tuple[str, str]]:
    with runtime.reads() as session:
        query = select(ProjectPage.name, ProjectPage.source).order_by(ProjectPage.name)
        return [(row.name, row.source) for row in session.execute(query)]


def test_a_restored_portal_has_the_pages_and_users_of_the_backup(
    filled: Runtime, backup: Path, empty_place: Settings, opened: Opened
) -> None:
    restore_backup(empty_place, backup)
    restored = opened(empty_place)
    assert pages(restored) == pages(filled) != []
    with restored.reads() as session:
        assert session.scalars(select(User.name)).all() == ["anna"]


def test_a_restored_portal_has_every_file_byte_for_byte(
    filled: Runtime, backup: Path, empty_place: Settings
) -> None:
    restore_backup(empty_place, backup)
    assert sums(empty_place) == sums(filled.settings)
    assert len(sums(empty_place)) == 3


def test_the_audit_chain_of_a_restored_portal_holds_and_goes_on(
    filled: Runtime, backup: Path, empty_place: Settings, opened: Opened
) -> None:
    restore_backup(empty_place, backup)
    restored = opened(empty_place)
    seal(restored)
    assert verify(restored) == []
    with restored.reads() as session:
        assert "portal.restore" in session.scalars(select(AuditEntry.action)).all()


def test_a_restore_ends_all_sign_ins(backup: Path, empty_place: Settings, opened: Opened) -> None:
    restore_backup(empty_place, backup)
    with opened(empty_place).reads() as session:
        assert session.scalar(select(func.count()).select_from(SignInSession)) == 0


def test_a_restore_revokes_all_tokens(backup: Path, empty_place: Settings, opened: Opened) -> None:
    restore_backup(empty_place, backup)
    with opened(empty_place).reads() as session:
        tokens = session.scalars(select(ApiToken)).all()
    assert [token.revoked_at is not None for token in tokens] == [True]


def test_what_is_restored_is_readable_by_its_owner_only(
    backup: Path, empty_place: Settings
) -> None:
    restore_backup(empty_place, backup)
    open_to_others = [
        path
        for path in empty_place.data.rglob("*")
        if path.suffix not in (".sqlite-wal", ".sqlite-shm")
        and stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    assert open_to_others == []


def test_a_backup_is_readable_by_its_owner_only(backup: Path) -> None:
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_a_backup_leaves_nothing_else_beside_it(backup: Path) -> None:
    assert [path for path in backup.parent.iterdir() if path.name.startswith(".")] == []


def test_a_backup_never_overwrites_a_file(filled: Runtime, tmp_path: Path) -> None:
    target = tmp_path / "portal.tar"
    target.write_text("precious")
    with pytest.raises(BackupError, match="exists already"):
        write_backup(filled.settings, target)
    assert target.read_text() == "precious"


def test_a_backup_is_written_to_the_audit_log(filled: Runtime, backup: Path) -> None:
    with filled.reads() as session:
        assert "portal.backup" in session.scalars(select(AuditEntry.action)).all()


def test_a_file_that_is_gone_is_named_and_the_rest_is_saved(
    filled: Runtime, tmp_path: Path, empty_place: Settings
) -> None:
    with filled.reads() as session:
        artifact_path(filled.settings, session.scalars(select(Artifact.id)).one()).unlink()
    report = write_backup(filled.settings, tmp_path / "portal.tar")
    assert report.missing == ("the artifact welcome.zip",)
    assert restore_backup(empty_place, tmp_path / "portal.tar").missing == report.missing
    assert sums(empty_place) == sums(filled.settings)


def test_a_file_that_changed_on_disk_is_named(filled: Runtime, tmp_path: Path) -> None:
    with filled.reads() as session:
        stored = session.scalars(select(ProjectFile.stored)).one()
    stored_path(filled.settings, project_id="welcome", stored=stored).write_bytes(b"altered")
    report = write_backup(filled.settings, tmp_path / "portal.tar")
    assert report.damaged == ("picture.png of the project welcome",)


def test_a_backup_while_people_write_is_of_one_moment(
    filled: Runtime, tmp_path: Path, empty_place: Settings, opened: Opened
) -> None:
    """A writer changes two tables together, again and again; no backup sees only one changed."""
    rounds, over = 0, threading.Event()

    def write() -> None:
        nonlocal rounds
        while not over.is_set():
            with filled.sessions.begin() as session:
                session.execute(update(User).values(display_name=str(rounds)))
                session.execute(update(Project).values(title=str(rounds)))
            rounds += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        wait_until(lambda: rounds > 3)
        write_backup(filled.settings, tmp_path / "portal.tar")
    finally:
        over.set()
        writer.join()
    restore_backup(empty_place, tmp_path / "portal.tar")
    with opened(empty_place).reads() as session:
        assert session.scalar(select(User.display_name)) == session.scalar(select(Project.title))


def test_a_restore_into_a_data_folder_in_use_is_refused(
    backup: Path, empty_place: Settings
) -> None:
    empty_place.data.mkdir()
    (empty_place.data / "precious").write_text("kept")
    with pytest.raises(BackupError, match="not empty"):
        restore_backup(empty_place, backup)
    assert [path.name for path in empty_place.data.iterdir()] == ["precious"]


def test_a_restore_into_a_database_in_use_is_refused(
    filled: Runtime, backup: Path, empty_place: Settings
) -> None:
    used = empty_place.model_copy(update={"database_url": filled.settings.database})
    with pytest.raises(BackupError, match="already"):
        restore_backup(used, backup)
    assert not used.data.exists()
    assert pages(filled) != []


def test_a_backup_of_another_kind_of_database_is_refused(
    backup: Path, empty_place: Settings
) -> None:
    other = "" if empty_place.database_url else "postgresql://nobody@/nowhere?host=/nonexistent"
    with pytest.raises(BackupError, match="another kind"):
        restore_backup(empty_place.model_copy(update={"database_url": other}), backup)


@pytest.mark.parametrize("part", [0.0, 0.5, 1.0])
def test_a_truncated_backup_is_refused_and_nothing_is_touched(
    backup: Path, empty_place: Settings, part: float
) -> None:
    content = backup.read_bytes()
    backup.write_bytes(content[: max(0, int(len(content.rstrip(b"\0")) * part) - 1)])
    with pytest.raises(BackupError):
        restore_backup(empty_place, backup)
    assert not empty_place.data.exists()


def test_a_flipped_byte_in_any_member_is_found(backup: Path, empty_place: Settings) -> None:
    content = backup.read_bytes()
    for offset in _offsets_that_count(backup):
        damaged = bytearray(content)
        damaged[offset] ^= 0x20
        backup.write_bytes(damaged)
        with pytest.raises(BackupError):
            restore_backup(empty_place, backup)
        assert not empty_place.data.exists()


def test_something_else_than_a_backup_is_refused(tmp_path: Path, empty_place: Settings) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"\xff\xd8\xff" * 1000)
    with pytest.raises(BackupError):
        restore_backup(empty_place, tmp_path / "holiday.jpg")


@pytest.mark.parametrize("name", ["../outside", "/etc/outside", "files/../../outside", "files//x"])
def test_a_name_that_leads_out_of_the_folder_is_refused(
    backup: Path, empty_place: Settings, name: str
) -> None:
    _with_member(backup, tarfile.TarInfo(name))
    with pytest.raises(BackupError, match="not used"):
        restore_backup(empty_place, backup)
    assert not empty_place.data.exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE])
def test_a_link_or_device_in_a_backup_is_refused(
    backup: Path, empty_place: Settings, kind: bytes
) -> None:
    entry = tarfile.TarInfo("files/secret_key")
    entry.type, entry.linkname = kind, "/etc/passwd"
    _with_member(backup, entry)
    with pytest.raises(BackupError, match="no plain file"):
        restore_backup(empty_place, backup)


def test_a_backup_of_a_newer_portal_is_refused(
    filled: Runtime, tmp_path: Path, empty_place: Settings
) -> None:
    with filled.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    write_backup(filled.settings, tmp_path / "portal.tar")
    with pytest.raises(BackupError, match="newer"):
        restore_backup(empty_place, tmp_path / "portal.tar")


def test_a_backup_of_an_older_portal_is_brought_to_the_new_schema(
    filled: Runtime, tmp_path: Path, empty_place: Settings, opened: Opened
) -> None:
    _downgrade(filled.engine)
    write_backup(filled.settings, tmp_path / "portal.tar")
    restore_backup(empty_place, tmp_path / "portal.tar")
    restored = opened(empty_place)
    assert schema_is_current(restored.engine)
    assert pages(restored) == pages(filled)


def test_a_restore_that_fails_at_its_end_leaves_the_place_empty(
    filled: Runtime, tmp_path: Path, empty_place: Settings
) -> None:
    """The schema of the backup is not what its revision says, so the migration must fail."""
    write_backup(filled.settings, tmp_path / "good.tar")
    with filled.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    write_backup(filled.settings, tmp_path / "bad.tar")
    with pytest.raises(BackupError, match="could not be restored"):
        restore_backup(empty_place, tmp_path / "bad.tar")
    assert list(empty_place.data.iterdir()) == []
    assert restore_backup(empty_place, tmp_path / "good.tar").files == 5


def test_a_restore_into_a_place_that_cannot_be_made_says_so(
    backup: Path, empty_place: Settings, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    nowhere = empty_place.model_copy(update={"data": tmp_path / "file" / "data"})
    with pytest.raises(BackupError, match="cannot be made"):
        restore_backup(nowhere, backup)


def _downgrade(engine: Engine) -> None:
    """Take the database back to the first schema."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "0001")


def _offsets_that_count(path: Path) -> Iterator[int]:
    """The first, a middle and the last byte of each member, and its header's checksum."""
    with tarfile.open(path) as tar:
        for entry in tar:
            yield entry.offset_data - 512 + 150
            if entry.size:
                yield from (
                    entry.offset_data,
                    entry.offset_data + entry.size // 2,
                    entry.offset_data + entry.size - 1,
                )


def _with_member(path: Path, entry: tarfile.TarInfo) -> None:
    """Put a member in front of all others."""
    with tarfile.open(path) as tar:
        kept = [(one, tar.extractfile(one).read()) for one in tar]
    with tarfile.open(path, "w") as tar:
        tar.addfile(entry)
        for one, content in kept:
            tar.addfile(one, io.BytesIO(content))
