"""The seed "Exporting and importing zeit.cms files to an FTP server", against a real FTP server.

The original's modules `zeit.cds.main` and `gocept.filestore` are the channel and the spool here.
"""

import io
import logging
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select

from portal.accounts.permissions import SYSTEM
from portal.delivery.channels import add_channel
from portal.delivery.credentials import open_vault
from portal.delivery.endpoints import add_endpoint
from portal.delivery.orders import Asking, run_now
from portal.delivery.spool import Spool
from portal.delivery.states import Direction
from portal.delivery.tasks import KINDS
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.jobs.models import Job, JobState
from portal.jobs.runner import perform
from portal.jobs.wake import RedisWaker
from portal.runtime import Runtime
from tests.delivery.real_servers import running_vsftpd
from tests.delivery.scripted_ftp import PASSWORD, scripted_ftp


def transfer(
    runtime: Runtime,
    store_dir: str,
    host: str,
    port: int,
    user: str,
    password: str,
    folder: str,
    *,
    direction: Direction = Direction.SEND,
) -> Job:
    """The seed's one call: a spool, a server with its credentials, a folder there; one run."""
    engine, name = JobEngine(runtime=runtime, kinds=Kinds(KINDS)), f"cds {direction}"
    with runtime.sessions.begin() as session:
        add_endpoint(
            session,
            actor=SYSTEM,
            name=name,
            url=f"ftp://{user}@{host}:{port}{folder}",
            secret=password,
            vault=open_vault(runtime.settings),
            now=runtime.clock(),
        )
        add_channel(
            session,
            actor=SYSTEM,
            name=name,
            endpoint=name,
            spool=store_dir,
            direction=direction,
            settings=runtime.settings,
            now=runtime.clock(),
        )
        waker = RedisWaker(runtime.redis)
        asking = Asking(actor=SYSTEM, kinds=engine.kinds, waker=waker, now=runtime.clock())
        job_id = run_now(session, asking, name=name).job.id
    perform(job_id, engine=engine)
    with runtime.reads() as session:
        return session.scalars(select(Job).where(Job.id == job_id)).one()


@pytest.fixture
def logfile() -> Iterator[io.StringIO]:
    """What is logged at INFO, by whomever, as the seed's handler at the root collects it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    level = logging.root.level
    logging.root.addHandler(handler)
    logging.root.setLevel(logging.INFO)
    quiet = logging.getLogger("pyftpdlib")  # "We don't want the FTP server to create all kinds
    quiet.propagate = False  # logging messages"
    try:
        yield stream
    finally:
        quiet.propagate = True
        logging.root.removeHandler(handler)
        logging.root.setLevel(level)


def fill(store_dir: str) -> None:
    """What the seed does until the spool has two files in `new`."""
    fs = Spool(Path(store_dir))
    fs.prepare()
    a = fs.create("a-file")
    a.write(b"This is the A file")
    a.close()
    b = fs.create("b-file")
    b.write(b"This is the B file")
    b.close()
    fs.move("a-file", "tmp", "new")
    fs.move("b-file", "tmp", "new")


LOG = """\
Connecting to CDS FTP server (host localhost, port {port}, user test, upload_dir /)
Accessed filestore {store_dir}
Creating lock file
Lock file successfully created
Uploaded file a-file
Moved file a-file from 'new' to 'cur'
Uploaded file b-file
Moved file b-file from 'new' to 'cur'
Removing lock file
Lock file successfully removed
Disconnected from CDS FTP server
"""
FETCHED = """\
Connecting to CDS FTP server (host 127.0.0.1, port {port}, user anonymous, upload_dir /files)
Accessed filestore {store_dir}
Creating lock file
Lock file successfully created
Moved file a-file from 'tmp' to 'new'
Moved file b-file from 'tmp' to 'new'
Removing lock file
Lock file successfully removed
Disconnected from CDS FTP server
"""


def test_the_seed(runtime: Runtime, tmp_path: Path, logfile: io.StringIO) -> None:
    # The seed's server has a user test who may write to ftp_dir; ours listens on a free port.
    ftp_dir, store_dir = str(tmp_path / "ftp"), tempfile.mkdtemp(dir=tmp_path)
    with scripted_ftp(Path(ftp_dir)) as ftpd:
        fill(store_dir)
        transfer(runtime, store_dir, "localhost", ftpd.port, "test", PASSWORD, "/")

        # "This is the log of a successful export"
        assert logfile.getvalue() == LOG.format(port=ftpd.port, store_dir=store_dir)

        # "Verify whether our upload procedure succeeded."
        assert sorted(os.listdir(ftp_dir)) == ["a-file", "b-file"]
        assert (Path(ftp_dir) / "a-file").read_text() == "This is the A file"
        assert (Path(ftp_dir) / "b-file").read_text() == "This is the B file"

        # "The spool we uploaded from will not have the files in the new directory anymore"
        assert os.listdir(os.path.join(store_dir, "new")) == []

        # "They have moved to the cur directory now"
        assert sorted(os.listdir(os.path.join(store_dir, "cur"))) == ["a-file", "b-file"]


def test_the_seed_on_vsftpd_and_back(
    runtime: Runtime, tmp_path: Path, logfile: io.StringIO
) -> None:
    """The same against the server that most partners run; then the importing direction."""
    store_dir, other_dir = str(tmp_path / "store"), str(tmp_path / "other")
    with running_vsftpd() as ftpd:
        fill(store_dir)
        transfer(runtime, store_dir, "127.0.0.1", ftpd.port, "anonymous", "", "/files")
        assert "Uploaded file a-file\nMoved file a-file from 'new' to 'cur'" in logfile.getvalue()
        assert sorted(os.listdir(ftpd.folder)) == ["a-file", "b-file"]
        logfile.truncate(0)
        logfile.seek(0)

        job = transfer(
            runtime,
            other_dir,
            "127.0.0.1",
            ftpd.port,
            "anonymous",
            "",
            "/files",
            direction=Direction.FETCH,
        )
        assert job.state == JobState.SUCCEEDED, job.reason
        assert logfile.getvalue() == FETCHED.format(port=ftpd.port, store_dir=other_dir)
        assert os.listdir(ftpd.folder) == []
    new = Path(other_dir) / "new"
    assert sorted(os.listdir(new)) == ["a-file", "b-file"]
    assert (new / "a-file").read_text() == "This is the A file"
    assert (new / "b-file").read_text() == "This is the B file"
    assert os.listdir(Path(other_dir) / "tmp") == []
