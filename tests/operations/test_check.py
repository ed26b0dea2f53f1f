"""`portal check` finds what is wrong with the data folder, the database and the work."""

import dataclasses
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import select, update

from portal import check
from portal.artifacts.models import Artifact
from portal.artifacts.service import artifact_path
from portal.audit.models import AuditEntry
from portal.checks.finding import Finding, Level
from portal.checks.machine import judge_python, judge_sqlite
from portal.db import db_now, open_engine
from portal.jobs.kinds import QUEUES
from portal.jobs.models import Leadership, Outgoing
from portal.jobs.outbox import MAX_TRIES
from portal.jobs.presence import Presence
from portal.redis_server import find_binary
from portal.runtime import Runtime, utc_now
from portal.settings import Settings

MakeSettings = Callable[..., Settings]


def found(settings: Settings, words: str) -> Finding:
    """The one finding whose sentence has these words."""
    findings = check.run(settings)
    having = [finding for finding in findings if words in finding.sentence]
    assert len(having) == 1, findings
    assert having[0].remedy
    return having[0]


def errors(settings: Settings) -> list[str]:
    return [one.sentence for one in check.run(settings) if one.level is Level.ERROR]


@pytest.fixture
def working(runtime: Runtime) -> Iterator[Runtime]:
    """A portal on which all workers and the reconciler seem to run."""
    presences = [Presence(runtime.redis, queue=queue) for queue in QUEUES]
    for number, presence in enumerate(presences):
        presence._key += f":{number}"  # they share one process here
        presence.beat()
    with runtime.sessions.begin() as session:
        session.add(Leadership(name="reconciler", holder="test", until=utc_now()))
        session.flush()
        session.execute(update(Leadership).values(until=db_now(60)))
    yield runtime
    for presence in presences:
        presence.leave()


def test_a_sound_portal_has_no_errors_and_lacks_nothing(working: Runtime) -> None:
    findings = check.run(working.settings)
    assert [one for one in findings if one.level is not Level.ADVICE] == []
    assert not check.fails(findings, running=True)


def test_a_portal_that_does_not_run_fails_only_where_it_should_run(settings: Settings) -> None:
    findings = check.run(settings)
    assert Level.NOT_RUNNING in {finding.level for finding in findings}
    assert not check.fails(findings, running=False)
    assert check.fails(findings, running=True)


def test_errors_come_first(make_settings: MakeSettings) -> None:
    levels = [finding.level for finding in check.run(make_settings(debug=True))]
    assert levels[0] is Level.ERROR
    assert levels == sorted(levels, key=[Level.ERROR, Level.NOT_RUNNING, Level.ADVICE].index)


def test_a_check_makes_nothing(tmp_path: Path) -> None:
    settings = Settings(data=tmp_path / "nowhere")
    findings = check.run(settings)
    assert not settings.data.exists()
    assert not check.fails(findings, running=False)


def test_a_missing_worker_is_named_by_its_queue(working: Runtime) -> None:
    gone = working.redis.scan_iter("portal:worker:*")
    for key in list(gone):
        if b'"queue": "bulk"' in working.redis.get(key):
            working.redis.delete(key)
    assert found(working.settings, "the queue bulk").level is Level.NOT_RUNNING


def test_a_missing_reconciler_is_found(working: Runtime) -> None:
    with working.sessions.begin() as session:
        session.execute(update(Leadership).values(until=db_now(-1)))
    assert found(working.settings, "reconciler").level is Level.NOT_RUNNING


def test_a_data_folder_open_to_others_is_an_error(settings: Settings) -> None:
    settings.data.chmod(0o755)
    assert found(settings, "look into the data folder").level is Level.ERROR


def test_a_file_in_the_data_folder_open_to_others_is_an_error(settings: Settings) -> None:
    (settings.data / "projects").mkdir(mode=0o755)
    assert found(settings, "may read what Portal keeps").level is Level.ERROR


def test_what_lies_in_a_closed_data_folder_is_closed(settings: Settings) -> None:
    (settings.data / "projects").mkdir(mode=0o755)
    settings.data.chmod(0o700)
    assert errors(settings) == []


def test_a_readable_key_file_is_an_error(make_settings: MakeSettings) -> None:
    settings = make_settings(secret_key="")
    settings.key()
    (settings.data / "secret_key").chmod(0o644)
    assert found(settings, "may read the secret key").level is Level.ERROR


@pytest.mark.parametrize("key", ["", "changeme", "a" * 64])
def test_a_weak_kept_key_is_an_error(make_settings: MakeSettings, key: str) -> None:
    settings = make_settings(secret_key="")
    (settings.data / "secret_key").write_text(key)
    (settings.data / "secret_key").chmod(0o600)
    assert found(settings, "too short or too well known").level is Level.ERROR


def test_a_missing_key_is_made_by_the_first_start(make_settings: MakeSettings) -> None:
    assert found(make_settings(secret_key=""), "no secret key").level is Level.NOT_RUNNING


def test_a_kept_key_that_portal_made_is_fine(make_settings: MakeSettings) -> None:
    settings = make_settings(secret_key="")
    settings.key()
    assert errors(settings) == []


def test_a_full_disk_is_an_error(make_settings: MakeSettings, tmp_path: Path) -> None:
    more_than_there_is = shutil.disk_usage(tmp_path).free // 1_000_000 + 1_000
    settings = make_settings(disk_reserve_mb=more_than_there_is)
    assert found(settings, "MB left").level is Level.ERROR


def test_an_old_sqlite_is_advice_to_use_postgresql() -> None:
    (finding,) = judge_sqlite((3, 51, 2))
    assert finding.level is Level.ADVICE
    assert "PostgreSQL" in finding.remedy


def test_a_mended_sqlite_is_fine() -> None:
    assert list(judge_sqlite((3, 51, 3))) == []


def test_the_sqlite_of_this_machine_is_judged_only_where_it_is_used(settings: Settings) -> None:
    sentences = " ".join(one.sentence for one in check.run(settings))
    old_and_used = sqlite3.sqlite_version_info < (3, 51, 3) and "sqlite" in settings.database
    assert ("SQLite" in sentences) == old_and_used


def test_an_old_python_is_an_error() -> None:
    assert [one.level for one in judge_python((3, 10, 14))] == [Level.ERROR]


def test_a_python_without_the_zip_guard_is_advice() -> None:
    assert [one.level for one in judge_python((3, 11, 7))] == [Level.ADVICE]
    assert list(judge_python((3, 11, 8))) == []
    assert list(judge_python((3, 13, 0))) == []


def test_a_missing_redis_program_is_an_error(
    make_settings: MakeSettings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    findings = check.run(
        make_settings(redis_url=""), find_redis=lambda: find_binary(find_package=lambda _: None)
    )
    assert [one.level for one in findings if "no Redis to run" in one.sentence] == [Level.ERROR]


def test_missing_programs_of_postgresql_are_advice(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sentences = [one.sentence for one in check.run(settings) if "pg_dump" in one.sentence]
    assert len(sentences) == (0 if settings.database.startswith("sqlite") else 1)


def test_an_empty_database_has_not_been_started_yet(
    request: pytest.FixtureRequest, make_settings: MakeSettings, database: str, tmp_path: Path
) -> None:
    if database.startswith("sqlite"):
        (tmp_path / "empty.sqlite").touch()
        settings = make_settings(database_url=f"sqlite:///{tmp_path / 'empty.sqlite'}")
    else:
        cluster = request.getfixturevalue("postgres")
        settings = make_settings(database_url=cluster.url(cluster.create()))
    assert found(settings, "database is empty").level is Level.NOT_RUNNING


def test_a_database_of_a_newer_portal_is_an_error(settings: Settings) -> None:
    _set_schema(settings, "9999")
    assert found(settings, "newer version").level is Level.ERROR


def test_a_database_that_does_not_answer_is_an_error(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    nowhere = f"postgresql://nobody@/portal?host={tmp_path}"
    assert found(make_settings(database_url=nowhere), "does not answer").level is Level.ERROR


def test_a_file_that_is_no_database_is_an_error(
    make_settings: MakeSettings, tmp_path: Path
) -> None:
    (tmp_path / "notes.sqlite").write_text("This is no database. " * 100)
    settings = make_settings(database_url=f"sqlite:///{tmp_path / 'notes.sqlite'}")
    assert found(settings, "does not answer").level is Level.ERROR


def test_a_database_that_takes_no_changes_is_an_error(
    make_settings: MakeSettings, database: str
) -> None:
    assert found(make_settings(database_url=_read_only(database)), "no changes").level is (
        Level.ERROR
    )


def test_clocks_that_differ_are_an_error(settings: Settings) -> None:
    ahead = check.run(settings, clock=lambda: utc_now() + timedelta(seconds=60))
    assert [one.level for one in ahead if "clocks" in one.sentence] == [Level.ERROR]


def test_a_message_that_was_given_up_is_told_with_its_reason(runtime: Runtime) -> None:
    with runtime.sessions.begin() as session:
        session.add(
            Outgoing(
                channel="email",
                target="anna@example.org",
                payload={},
                tries=MAX_TRIES,
                next_try_at=runtime.clock(),
                created_at=runtime.clock(),
                error="Connection refused",
            )
        )
    finding = found(runtime.settings, "given up")
    assert finding.level is Level.ADVICE
    assert "Connection refused" in finding.sentence


def test_an_artifact_whose_file_is_gone_is_an_error(filled: Runtime) -> None:
    _artifact(filled).unlink()
    assert found(filled.settings, "files are gone").level is Level.ERROR


def test_an_artifact_of_another_size_is_an_error(filled: Runtime) -> None:
    _artifact(filled).write_bytes(b"short")
    assert found(filled.settings, "another size").level is Level.ERROR


def test_an_altered_audit_row_is_an_error(filled: Runtime) -> None:
    _unguard_audit(filled)
    with filled.sessions.begin() as session:
        session.execute(
            update(AuditEntry).where(AuditEntry.number == 1).values(actor_name="somebody else")
        )
    assert found(filled.settings, "altered").level is Level.ERROR


def test_removed_audit_rows_are_an_error(filled: Runtime) -> None:
    _unguard_audit(filled)
    with filled.sessions.begin() as session:
        last = session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(1)).one()
        session.delete(last)
    assert found(filled.settings, "missing").level is Level.ERROR


def test_findings_can_be_told_to_machines(settings: Settings) -> None:
    for finding in check.run(settings):
        assert set(dataclasses.asdict(finding)) == {"level", "sentence", "remedy"}


def _unguard_audit(runtime: Runtime) -> None:
    """Do as somebody who has all rights in the database: take the guards away."""
    on = "" if runtime.engine.dialect.name == "sqlite" else " ON audit_entry"
    with runtime.engine.begin() as connection:
        for name in ("audit_entry_no_update", "audit_entry_no_delete"):
            connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")


def _artifact(runtime: Runtime) -> Path:
    with runtime.reads() as session:
        return artifact_path(runtime.settings, session.scalars(select(Artifact.id)).one())


def _set_schema(settings: Settings, revision: str) -> None:
    engine = open_engine(settings.database)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    engine.dispose()


def _read_only(database: str) -> str:
    """The URL of the same database, which takes no changes any more."""
    if database.startswith("sqlite"):
        path = Path(database.removeprefix("sqlite:///"))
        with sqlite3.connect(path) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return f"sqlite:///file:{path}?mode=ro&uri=true"
    with psycopg.connect(database, autocommit=True) as connection:
        name = connection.info.dbname
        connection.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    return database
