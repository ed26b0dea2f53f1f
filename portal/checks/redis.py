"""Redis: does it answer, does it keep what it is given, and who else may write there?"""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError
from redis.retry import Retry

from portal.checks.configuration import is_loopback
from portal.checks.finding import Finding, advice, error, not_running
from portal.redis_server import redis_url
from portal.settings import Settings

OLDEST = (6, 2)  # BLMOVE, without which a wake-up can be lost
SECONDS = 5.0


def check_redis(settings: Settings) -> Iterator[Finding]:
    """Findings about the Redis that wakes the workers."""
    client = connect(settings)
    try:
        info = client.info()
    except RedisError as fault:
        yield _away(settings, fault)
        return
    finally:
        client.close()
    yield from judge_redis(info)
    yield from _open_to_strangers(settings)


def connect(settings: Settings) -> Redis:
    """A client that gives up soon and does not try again."""
    return Redis.from_url(
        redis_url(settings),
        socket_timeout=SECONDS,
        socket_connect_timeout=SECONDS,
        retry=Retry(NoBackoff(), 0),
    )


def judge_redis(info: dict[str, Any]) -> Iterator[Finding]:
    """Say what is wrong with a Redis that says this of itself (INFO)."""
    version = str(info.get("redis_version", "0"))
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        yield error(f"Redis {version} is too old.", "Portal needs Redis 6.2 or newer, or Valkey.")
    if not info.get("aof_enabled"):
        yield advice(
            "Redis forgets its last minutes when it is killed, because its append-only file is "
            "off. Jobs are not lost, but they start later.",
            "Set `appendonly yes` and `appendfsync everysec` in its configuration.",
        )
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        yield error(
            f"Redis throws entries away when its memory is full (maxmemory-policy {policy}).",
            "Set `maxmemory-policy noeviction` in its configuration.",
        )


def _away(settings: Settings, fault: RedisError) -> Finding:
    if isinstance(fault, AuthenticationError):
        return error(
            "Redis refuses the password in PORTAL_REDIS_URL.",
            "Write it like redis://:password@host:6379/0.",
        )
    if settings.redis_url:
        return error(
            f"Redis does not answer at the address in PORTAL_REDIS_URL: {_plain(fault)}.",
            "Start it, or correct the address. Jobs wait until it answers.",
        )
    return not_running("Portal's own Redis does not run.", "`portal up` starts it.")


def _open_to_strangers(settings: Settings) -> Iterator[Finding]:
    url = urlsplit(settings.redis_url)
    if url.scheme not in ("redis", "rediss"):
        return  # a socket is guarded by its folder
    near = is_loopback(url.hostname)
    if _answers_anybody(url.hostname or "localhost", url.port or 6379, tls=url.scheme == "rediss"):
        sentence = "Redis listens on the network and answers anybody without a password"
        remedy = (
            "Set `requirepass` and put the password into PORTAL_REDIS_URL, or let Redis listen on "
            "a Unix socket only."
        )
        if near:
            yield advice(f"{sentence} who is on this machine.", remedy)
        else:
            yield error(f"{sentence}: who reaches it can disturb all jobs.", remedy)
    elif url.scheme == "redis" and not near:
        yield advice(
            "What Portal and Redis tell each other, the password too, crosses the network "
            "unencrypted.",
            "Use rediss://, or a network of their own.",
        )


def _answers_anybody(host: str, port: int, *, tls: bool) -> bool:
    stranger = Redis(
        host=host,
        port=port,
        ssl=tls,
        socket_timeout=SECONDS,
        socket_connect_timeout=SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    try:
        return bool(stranger.ping())
    except RedisError:
        return False
    finally:
        stranger.close()


def _plain(fault: Exception) -> str:
    return str(fault).rstrip(".")
