"""Whether the parts that a job needs answer: database, Redis, a worker."""

from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from portal.jobs.presence import live_workers
from portal.runtime import Runtime

OK = "ok"
AWAY = "away"


def words(runtime: Runtime) -> dict[str, str]:
    """One word for each part: `ok` or `away`."""
    return {
        "database": _database(runtime),
        "redis": _redis(runtime),
        "workers": _workers(runtime),
    }


def well(found: dict[str, str]) -> bool:
    """Whether all of them answer."""
    return all(word == OK for word in found.values())


def _database(runtime: Runtime) -> str:
    try:
        with runtime.reads() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return AWAY
    return OK


def _redis(runtime: Runtime) -> str:
    try:
        return OK if runtime.redis.ping() else AWAY
    except RedisError:
        return AWAY


def _workers(runtime: Runtime) -> str:
    try:
        return OK if live_workers(runtime.redis) else AWAY
    except RedisError:
        return AWAY
