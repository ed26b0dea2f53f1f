"""From a clean clone to the sign-in page by `make run`, and a second start of the same portal."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.report import Goal, report

ROOT = Path(__file__).parents[1]
FIRST_SECONDS = 90.0
SECOND_SECONDS = 5.0


def seconds_to_sign_in(checkout: Path, data: Path) -> float:
    """Run `make run` there until the sign-in page answers, then stop it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    began = time.monotonic()
    process = subprocess.Popen(
        ["make", "run", f"ARGS=--port {port}"],
        cwd=checkout,
        env=os.environ | {"PORTAL_DATA": str(data)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        while not answers(port):
            if process.poll() is not None or time.monotonic() - began > 600:
                raise SystemExit("make run did not come to the sign-in page")
            time.sleep(0.02)
        return time.monotonic() - began
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def answers(port: int) -> bool:
    """Say whether the sign-in page is there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", "/login")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def main() -> bool:
    """Measure and print; true if both bounds are kept."""
    with tempfile.TemporaryDirectory() as folder:
        checkout, data = Path(folder) / "portal", Path(folder) / "data"
        subprocess.run(["git", "clone", "-q", str(ROOT), str(checkout)], check=True)
        first = seconds_to_sign_in(checkout, data)
        second = [seconds_to_sign_in(checkout, data) for _ in range(3)]
    return report(
        "Start (seconds, against the bound)",
        [
            Goal(what="clean clone to sign-in", ours=[first], peer=[FIRST_SECONDS], at_most=1.0),
            Goal(
                what="second start", ours=second, peer=[SECOND_SECONDS] * len(second), at_most=1.0
            ),
        ],
    )


if __name__ == "__main__":
    sys.exit(not main())
