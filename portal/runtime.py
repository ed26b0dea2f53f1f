"""What a process works with: settings, database, Redis, clock. One per process."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Self

from redis import Redis
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from portal.db import open_engine, open_sessions, reading
from portal.redis_server import redis_url
from portal.settings import Settings

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The process's own clock, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """The open parts. Connections are made lazily, so that a fork inherits none in use."""

    settings: Settings
    engine: Engine
    sessions: sessionmaker[Session]
    reads: sessionmaker[Session]
    redis: Redis
    clock: Clock = utc_now

    @classmethod
    def open(cls, settings: Settings, *, clock: Clock = utc_now) -> Self:
        """Open what `settings` names; nothing connects before its first use."""
        engine = open_engine(settings.database)
        return cls(
            settings=settings,
            engine=engine,
            sessions=open_sessions(engine),
            reads=open_sessions(reading(engine)),
            redis=Redis.from_url(redis_url(settings), socket_timeout=30, socket_connect_timeout=5),
            clock=clock,
        )

    @cached_property
    def tables(self) -> Engine:
        """The tables database. Most processes never ask for it."""
        return open_engine(self.settings.tables)

    def after_fork(self) -> None:
        """In a child: forget the parent's connections without touching them."""
        self.engine.dispose(close=False)
        if "tables" in vars(self):
            self.tables.dispose(close=False)
        self.redis.connection_pool.reset()

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()
        if "tables" in vars(self):
            self.tables.dispose()
        self.redis.close()
