"""A web process of a drill: it is killed after a request's commit, before any worker is told."""

import os
import signal
import sys

from portal.app import create_app
from portal.settings import Settings
from tests.browser_like import Browser


def die(_queue: str, _job_id: str) -> bool:
    os.kill(os.getpid(), signal.SIGKILL)
    return False


if __name__ == "__main__":
    _, name, project_id = sys.argv
    browser = Browser(create_app(Settings.from_environment(), waker=die))
    assert browser.sign_in(name).status_code == 303
    browser.post(f"/projects/{project_id}/exports")
    sys.exit("the export was answered without waking anybody")
