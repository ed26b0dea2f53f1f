"""The status fragment of a running job, signed in, against an empty Flask view on the same server.

wrk with 50 connections, both alternately, on the shipped web server (gunicorn gthread): session
row, object right and progress are looked up each time. 304 is the answer to the ETag just given.
"""

import json
import sys
from http.client import HTTPConnection

from sqlalchemy import update

from bench.report import Goal, report
from bench.site import Load, Site, measure, site, web_server
from portal.accounts.permissions import SYSTEM
from portal.assembly import KINDS
from portal.jobs import service
from portal.jobs.models import Job, JobState
from portal.jobs.progress import progress_key
from portal.jobs.service import Subject
from portal.jobs.wake import RedisWaker

PAIRS = 3
P99_MS = 50.0
PROGRESS = {
    "stage": "Writing pages",
    "done": 4210,
    "total": 20_000,
    "unit": "pages",
    "rate": 812.5,
    "eta": 19.4,
    "message": "manual/chapter-07/section-03.html",
    "attempt": 1,
}


def main() -> bool:
    """Print all goals; true if they are met."""
    with site() as portal, web_server("bench.empty:app", portal.runtime.settings, {}) as empty:
        url = f"http://127.0.0.1:{portal.port}/jobs/{_running_job(portal)}/status"
        asking = {"Cookie": portal.cookie, "HX-Request": "true"}
        again = asking | {"If-None-Match": _etag(portal, url, asking)}
        peers, full, unchanged = [], [], []
        for _ in range(PAIRS):
            peers.append(measure(f"http://127.0.0.1:{empty}/", headers={}))
            full.append(measure(url, headers=asking))
            unchanged.append(measure(url, headers=again))
    return report("Status fragment of a running job", _goals(peers, full, unchanged))


def _goals(peers: list[Load], full: list[Load], unchanged: list[Load]) -> list[Goal]:
    assert sum(load.errors for load in (*peers, *full, *unchanged)) == 0, "some answers failed"
    rates = [load.rate for load in peers]
    bound = [P99_MS] * len(full)
    return [
        Goal(what="200, requests/s", ours=[a.rate for a in full], peer=rates, at_least=0.50),
        Goal(what="304, requests/s", ours=[a.rate for a in unchanged], peer=rates, at_least=0.65),
        Goal(what="p99 ms of 50", ours=[a.p99 for a in full], peer=bound, at_most=1.0),
    ]


def _running_job(portal: Site) -> str:
    runtime = portal.runtime
    with runtime.sessions.begin() as session:
        job = service.submit(
            session,
            kind=next(iter(KINDS)),
            actor=SYSTEM,
            args={"project_id": "manual"},
            title="Export of manual",
            subject=Subject(kind="project", id="manual"),
            waker=RedisWaker(runtime.redis),
            now=runtime.clock(),
        ).job
        started = {"state": JobState.RUNNING, "started_at": runtime.clock(), "token": 1}
        session.execute(update(Job).where(Job.id == job.id).values(**started))
    runtime.redis.set(progress_key(job.id), json.dumps(PROGRESS))
    return job.id


def _etag(portal: Site, url: str, headers: dict[str, str]) -> str:
    connection = HTTPConnection("127.0.0.1", portal.port)
    connection.request("GET", url, headers=headers)
    response = connection.getresponse()
    assert response.status == 200, response.read()
    connection.close()
    return response.headers["ETag"]


if __name__ == "__main__":
    sys.exit(not main())
