"""`portal up` with the programs of a test: `python -m tests.up.launcher '{"programs": […]}'`.

Without programs it is the whole portal.
"""

import json
import sys
from pathlib import Path

import click

from portal import first_start
from portal.child import Program
from portal.redis_server import RedisServer
from portal.settings import Settings
from portal.up import run


def main(plan: dict) -> int:
    whole = "programs" not in plan
    settings = Settings.from_environment()
    return run(
        settings,
        host="127.0.0.1",
        port=plan["port"],
        workers=1,
        migrate=first_start.migrate if whole else lambda _settings: migrate(plan),
        first_password=first_start.make_first_admin if whole else lambda _: plan.get("password"),
        reporter=click.echo,
        parts=None if whole else (*redis(settings, plan), *map(program, plan["programs"])),
    )


def migrate(plan: dict) -> None:
    if "fault" in plan:
        raise OSError(plan["fault"])
    click.echo("migrating")


def redis(settings: Settings, plan: dict) -> list[Program]:
    if not plan.get("redis"):
        return []
    server = RedisServer.of(settings)
    command = server.command
    return [Program(name="redis", command=command, is_ready=server.is_ready, foundation=True)]


def program(values: dict) -> Program:
    ready = values.pop("ready_file", None)
    command = (sys.executable, "-c", values.pop("code"))
    is_ready = Path(ready).exists if ready else None
    return Program(command=command, is_ready=is_ready, **values)


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
