"""The first page of /jobs with 100,000 jobs against the same page with 100, plain and filtered."""

import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

from sqlalchemy import insert

from bench.report import Goal, report
from portal.accounts import service as accounts
from portal.accounts.permissions import SYSTEM, Role
from portal.app import create_app
from portal.db import Base
from portal.jobs.models import Job
from portal.runtime import Runtime
from portal.settings import Settings
from tests.browser_like import PASSWORD, Browser
from tests.servers import running_redis

FEW, MANY = 100, 100_000
PAIRS = 30
PAGES = {
    "first page": "/jobs?scope=all",
    "failed": "/jobs?scope=all&state=failed",
    "of a user": "/jobs?scope=all&user=boss",
    "of an area": "/jobs?scope=all&area=projects",
    "with a text": "/jobs?scope=all&text=Export+7",
}


def main() -> bool:
    """Print all goals; true if they are met."""
    with running_redis() as redis, portal(redis.url, FEW) as few, portal(redis.url, MANY) as many:
        goals = [_goal(what, url, many, few) for what, url in PAGES.items()]
    return report(f"/jobs with {MANY} jobs against {FEW}, ms", goals)


@contextmanager
def portal(redis_url: str, count: int) -> Iterator[Browser]:
    """A signed-in browser of a portal with `count` jobs."""
    with tempfile.TemporaryDirectory(prefix="bench-jobs-") as name:
        settings = Settings(
            data=Path(name),
            redis_url=redis_url,
            secret_key="a-key-for-benches-only-0123456789-abcdef",
        )
        runtime = Runtime.open(settings)
        Base.metadata.create_all(runtime.engine)
        fill(runtime, count)
        browser = Browser(create_app(settings, runtime=runtime))
        browser.sign_in("boss")
        yield browser
        runtime.close()


def fill(runtime: Runtime, count: int) -> None:
    """An admin and `count` ended jobs; one in fifty failed, half of them his."""
    now = runtime.clock()
    with runtime.sessions.begin() as session:
        boss = accounts.create_user(
            session,
            actor=SYSTEM,
            name="boss",
            roles=(Role.ADMIN,),
            password=PASSWORD,
            must_change_password=False,
            now=now,
        )
        session.execute(insert(Job), [_job(number, boss.id, now) for number in range(count)])


def _job(number: int, user_id: int, now: object) -> dict[str, object]:
    started = now - timedelta(minutes=number)  # type: ignore[operator]  # a datetime
    return {
        "id": uuid4().hex,
        "kind": "projects.export",
        "area": "projects" if number % 3 else "imports",
        "title": f"Export {number}",
        "subject_kind": "project",
        "subject_id": str(number),
        "queue": "bulk",
        "idem_key": f"projects.export:project:{number}",
        "args": {},
        "state": "succeeded" if number % 50 else "failed",
        "requester_id": user_id if number % 2 else None,
        "requester_name": "boss" if number % 2 else "system",
        "created_at": started,
        "started_at": started,
        "updated_at": started,
        "ended_at": started,
        "result": {},
        "progress": {},
    }


def _goal(what: str, url: str, many: Browser, few: Browser) -> Goal:
    pairs = [(_time(many, url), _time(few, url)) for _ in range(PAIRS)]
    return Goal(
        what=what, ours=[pair[0] for pair in pairs], peer=[pair[1] for pair in pairs], at_most=2.0
    )


def _time(browser: Browser, url: str) -> float:
    began = time.perf_counter()
    assert browser.get(url).status_code == 200
    return (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    sys.exit(not main())
