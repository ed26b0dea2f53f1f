"""How far each file is: told at most twice a second, to who watches; Redis away is no harm."""

import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from portal.delivery.meter import FileMeter, Transfer, transfers_of


@pytest.fixture
def redis(redis_url: str) -> Redis:
    return Redis.from_url(redis_url)


def test_files_are_told_with_what_went_over_the_line(redis: Redis) -> None:
    now = [0.0]
    meter = FileMeter(redis, "job", clock=lambda: now[0])
    told = meter.begin("a", 1000, done=100)
    now[0] = 1.0
    told(150)
    (transfer,) = transfers_of(redis, "job")
    assert transfer == Transfer(name="a", done=250, size=1000)
    assert transfer.percent == 25


def test_it_is_written_at_most_twice_a_second(redis: Redis) -> None:
    now = [0.0]
    meter = FileMeter(redis, "job", clock=lambda: now[0])
    told = meter.begin("a", 1000)
    now[0] = 0.4
    told(500)
    assert transfers_of(redis, "job")[0].done == 0
    now[0] = 0.6
    told(100)
    assert transfers_of(redis, "job")[0].done == 600


def test_a_file_that_arrived_is_told_no_more(redis: Redis) -> None:
    now = [0.0]
    meter = FileMeter(redis, "job", clock=lambda: now[0])
    told = meter.begin("a", 1000)
    now[0] = 1.0
    meter.end("a")
    told(1000)
    assert transfers_of(redis, "job") == []


def test_an_empty_file_is_there_at_once() -> None:
    assert Transfer(name="a", done=0, size=0).percent == 100


def test_without_redis_nothing_is_told_and_nothing_fails() -> None:
    away = Redis(port=1, retry=Retry(NoBackoff(), 0))
    FileMeter(away, "job").begin("a", 1000)(10)
    assert transfers_of(away, "job") == ()
