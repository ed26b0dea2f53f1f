"""The figures for Prometheus, read from the database and Redis at each scrape."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.registry import Collector
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import ColumnElement, Float, case, extract, func, select, type_coerce
from sqlalchemy.orm import Session

from portal.jobs.models import Job, JobAttempt, JobState
from portal.jobs.monitoring.latency import LATENCY, read_latency
from portal.jobs.presence import live_workers
from portal.runtime import Runtime

BOUNDS = (1, 5, 15, 60, 300, 900, 3600, 21_600)
WORKER_DIED = "worker died"


def exposition(session: Session, *, runtime: Runtime) -> tuple[str, str]:
    """All figures as text, and the media type of that text."""
    LATENCY.flush(runtime.redis)
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(session=session, runtime=runtime))
    return generate_latest(registry).decode(), CONTENT_TYPE_PLAIN_0_0_4


@dataclass(frozen=True, kw_only=True)
class _Figures(Collector):
    session: Session
    runtime: Runtime

    def describe(self) -> list[Metric]:
        """Nothing in advance: a registry lives for one scrape."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every family; those from Redis are left out while it is away."""
        yield from _jobs(self.session)
        yield _queue_age(self.session, self.runtime)
        yield _lease_expiries(self.session)
        try:
            yield from _from_redis(self.runtime.redis)
        except RedisError:
            yield _up(redis=False)
        else:
            yield _up(redis=True)


def _jobs(session: Session) -> Iterator[Metric]:
    jobs = GaugeMetricFamily("portal_jobs", "Jobs by state and kind.", labels=("state", "kind"))
    durations = HistogramMetricFamily(
        "portal_job_duration_seconds",
        "From the start to the end of the last attempt of a job.",
        labels=("state", "kind"),
    )
    for row in session.execute(_by_state_and_kind(session)):
        jobs.add_metric((row.state, row.kind), row.jobs)
        if not JobState(row.state).active and row.measured:
            durations.add_metric((row.state, row.kind), _buckets(row), row.seconds)
    yield jobs
    yield durations


def _by_state_and_kind(session: Session) -> Any:
    """One pass over the jobs: how many, and how many took at most each bound."""
    seconds = _seconds(session)
    return select(
        Job.state,
        Job.kind,
        func.count().label("jobs"),
        func.count(seconds).label("measured"),
        func.coalesce(func.sum(seconds), 0.0).label("seconds"),
        *(func.sum(case((seconds <= bound, 1), else_=0)).label(f"le_{bound}") for bound in BOUNDS),
    ).group_by(Job.state, Job.kind)


def _seconds(session: Session) -> ColumnElement[float]:
    if session.get_bind().dialect.name == "sqlite":
        return (func.julianday(Job.ended_at) - func.julianday(Job.started_at)) * 86_400.0
    return type_coerce(extract("epoch", Job.ended_at - Job.started_at), Float)


def _buckets(row: Any) -> list[tuple[str, float]]:
    bounds = [(f"{bound}.0", float(getattr(row, f"le_{bound}"))) for bound in BOUNDS]
    return [*bounds, ("+Inf", float(row.measured))]


def _queue_age(session: Session, runtime: Runtime) -> Metric:
    ages = GaugeMetricFamily(
        "portal_queue_oldest_seconds", "Age of the oldest queued job.", labels=("queue",)
    )
    oldest = (
        select(Job.queue, func.min(Job.created_at))
        .where(Job.state == JobState.QUEUED)
        .group_by(Job.queue)
    )
    for queue, created_at in session.execute(oldest):
        ages.add_metric((queue,), (runtime.clock() - created_at).total_seconds())
    return ages


def _lease_expiries(session: Session) -> Metric:
    lost = select(func.count()).where(
        JobAttempt.state != JobState.SUCCEEDED, JobAttempt.reason.contains(WORKER_DIED)
    )
    return CounterMetricFamily(
        "portal_lease_expiries",
        "Attempts whose worker died or lost its lease.",
        value=session.execute(lost).scalar_one(),
    )


def _from_redis(redis: Redis) -> Iterator[Metric]:
    workers = GaugeMetricFamily(
        "portal_worker_seen_timestamp_seconds",
        "When a living worker last showed itself.",
        labels=("host", "pid", "queue"),
    )
    for worker in live_workers(redis):
        workers.add_metric((worker.host, str(worker.pid), worker.queue), worker.seen_at)
    yield workers
    latency = HistogramMetricFamily(
        "portal_http_seconds", "Time to answer, by endpoint.", labels=("endpoint", "status")
    )
    for (endpoint, status), (buckets, seconds) in read_latency(redis).items():
        latency.add_metric((endpoint, status), buckets, seconds)
    yield latency


def _up(*, redis: bool) -> Metric:
    return GaugeMetricFamily(
        "portal_redis_up", "Whether Redis answers; its figures need it.", value=float(redis)
    )
