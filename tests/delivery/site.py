"""A portal with one channel to a server, for tests of what becomes of files."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from portal.accounts.permissions import SYSTEM
from portal.delivery.channels import ChannelOptions, add_channel
from portal.delivery.credentials import open_vault
from portal.delivery.endpoints import Options, add_endpoint
from portal.delivery.models import Channel, DeliveredFile, Endpoint
from portal.delivery.orders import Asking, run_now
from portal.delivery.spool import Spool
from portal.delivery.states import Direction
from portal.delivery.tasks import KINDS
from portal.jobs.engine import JobEngine
from portal.jobs.kinds import Kinds
from portal.jobs.models import Job, JobLogLine
from portal.jobs.runner import perform
from portal.jobs.service import Submitted
from portal.jobs.wake import RedisWaker
from portal.runtime import Runtime
from tests.delivery.real_servers import RealServer


class Site:
    """`run()` asks for a run of the channel and performs it here."""

    def __init__(
        self,
        runtime: Runtime,
        *,
        url: str,
        folder: Path,
        direction: Direction = Direction.SEND,
        options: ChannelOptions | None = None,
        secret: str = "",
        certificate: str = "",
        host_key: str = "",
        **endpoint_options: Any,
    ) -> None:
        self.runtime = runtime
        self.folder = folder
        self.engine = JobEngine(runtime=runtime, kinds=Kinds(KINDS))
        with runtime.sessions.begin() as session:
            endpoint = add_endpoint(
                session,
                actor=SYSTEM,
                name="partner",
                url=url,
                secret=secret,
                options=Options(tls_ca=certificate, **endpoint_options),
                vault=open_vault(runtime.settings),
                now=runtime.clock(),
            )
            endpoint.host_key = host_key
            channel = add_channel(
                session,
                actor=SYSTEM,
                name="articles",
                endpoint="partner",
                spool="articles",
                direction=direction,
                options=options or ChannelOptions(),
                settings=runtime.settings,
                now=runtime.clock(),
            )
        self.channel_id = channel.id
        self.spool = Spool(Path(channel.spool))

    def put(self, name: str, content: bytes | str = b"content") -> None:
        with self.spool.create(name) as stream:
            stream.write(content if isinstance(content, bytes) else content.encode())
        self.spool.move(name, "tmp", "new")

    def asking(self) -> Asking:
        return Asking(
            actor=SYSTEM,
            kinds=self.engine.kinds,
            waker=RedisWaker(self.runtime.redis),
            now=self.runtime.clock(),
        )

    def ask(self, order: Callable[..., Submitted] = run_now, name: str = "articles") -> str:
        with self.runtime.sessions.begin() as session:
            return order(session, self.asking(), name=name).job.id

    def run(self, order: Callable[..., Submitted] = run_now, name: str = "articles") -> Job:
        job_id = self.ask(order, name)
        perform(job_id, engine=self.engine)
        with self.runtime.reads() as session:
            return session.scalars(select(Job).where(Job.id == job_id)).one()

    def here(self) -> dict[str, list[str]]:
        """The files of the spool by their place, without places that are empty."""
        found = {space.name: sorted(os.listdir(space)) for space in self.spool.root.iterdir()}
        return {space: names for space, names in found.items() if names}

    def there(self) -> dict[str, bytes]:
        """The files on the server with their content."""
        return {path.name: path.read_bytes() for path in self.folder.iterdir() if path.is_file()}

    def rows(self) -> list[DeliveredFile]:
        with self.runtime.reads() as session:
            return list(session.scalars(select(DeliveredFile).order_by(DeliveredFile.id)))

    def states(self) -> dict[str, str]:
        return {row.name: row.state for row in self.rows()}

    def channel(self) -> Channel:
        with self.runtime.reads() as session:
            return session.scalars(select(Channel)).one()

    def endpoint(self) -> Endpoint:
        with self.runtime.reads() as session:
            return session.scalars(select(Endpoint)).one()

    def change(self, **values: object) -> None:
        with self.runtime.sessions.begin() as session:
            session.execute(update(Channel).values(**values))

    def log(self) -> str:
        with self.runtime.reads() as session:
            return "\n".join(session.scalars(select(JobLogLine.message)))


def site_at(runtime: Runtime, real: RealServer, **options: Any) -> Site:
    """A channel to a server that partners run."""
    return Site(
        runtime,
        url=real.url,
        folder=real.folder,
        secret=real.key,
        certificate=real.certificate,
        host_key=real.host_key,
        **options,
    )
