"""The shell: `portal …`. Exit 0 on success, 1 on a failed job or refusal, 2 on wrong usage."""

import getpass
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import NoReturn

import click
from redis.exceptions import RedisError
from sqlalchemy import select
from sqlalchemy.exc import DatabaseError

from portal import __version__, backup, check, example, up
from portal.accounts.actors import actor_of
from portal.accounts.commands import users
from portal.accounts.models import User
from portal.accounts.names import name_key
from portal.accounts.permissions import SYSTEM, Actor, Permission
from portal.accounts.tokens.commands import token
from portal.artifacts.handouts import Handouts
from portal.artifacts.intakes import Intakes
from portal.assembly import BATCH_KINDS, HANDOUTS, INTAKES, KINDS, PLUGINS, processors_for
from portal.datacenter.commands import datacenter
from portal.delivery.commands import delivery
from portal.errors import ForbiddenError, PortalError
from portal.first_start import make_first_admin, migrate
from portal.imports.commands import imports
from portal.jobs.commands import jobs
from portal.jobs.kinds import Kinds
from portal.jobs.wake import RedisWaker, Waker
from portal.logs import configure_logging
from portal.projects.commands import projects
from portal.rows.batch_kinds import BatchKinds
from portal.rows.processors import Processors
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tables.commands import tables

ANYWHERE = {"--json": 0, "--as": 1}  # options of every command, with the number of their values


@dataclass(frozen=True)
class Shell:
    """What commands work with. The database is opened, and brought up to date, on first use."""

    settings: Settings
    as_user: str | None
    json: bool

    @cached_property
    def runtime(self) -> Runtime:
        """The open parts; a new data folder gets its schema here."""
        migrate(self.settings)
        return Runtime.open(self.settings)

    @cached_property
    def actor(self) -> Actor:
        """Who acts: the user of `--as`, else the system."""
        if self.as_user is None:
            return SYSTEM
        with self.runtime.reads() as session:
            user = session.scalar(select(User).where(User.name_key == name_key(self.as_user)))
            if user is None or not user.enabled:
                raise PortalError(f"There is no enabled user {self.as_user!r}; see `portal users`.")
            return actor_of(user)

    @property
    def kinds(self) -> Kinds:
        """The kinds of jobs of all areas."""
        return KINDS

    @property
    def intakes(self) -> Intakes:
        """Where fetched files can go by themselves."""
        return INTAKES

    @property
    def handouts(self) -> Handouts:
        """What areas hand out of their finished files."""
        return HANDOUTS

    @property
    def batch_kinds(self) -> BatchKinds:
        """What kinds of batches there are."""
        return BATCH_KINDS

    @cached_property
    def processors(self) -> Processors:
        """What the rows of files can become, tables included."""
        return processors_for(self.runtime)

    @cached_property
    def waker(self) -> Waker:
        """Wakes the workers of this portal."""
        return RedisWaker(self.runtime.redis)

    @property
    def address(self) -> str:
        """What the audit log keeps as the place: the operating system's user."""
        return f"shell:{getpass.getuser()}"


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="portal")
@click.option("--as", "as_user", metavar="USER", help="Act as this user, with his rights.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for machines.")
@click.pass_context
def portal(context: click.Context, as_user: str | None, as_json: bool) -> None:
    """Portal: the work that still travels as files, done by workers and watched live.

    --json and --as may stand anywhere in the command.
    """
    settings = Settings.from_environment()
    if context.invoked_subcommand != "up":
        configure_logging(settings, stream=sys.stderr)
    context.obj = Shell(settings, as_user, as_json)


@portal.command("up")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, type=click.IntRange(1, 65535))
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Bulk workers."
)
@click.pass_obj
def up_command(shell: Shell, host: str, port: int, workers: int) -> None:
    """Start web, workers, scheduler and Redis in the foreground, until Ctrl-C."""
    for broken in PLUGINS.broken:
        click.echo(str(broken), err=True)
    sys.exit(
        up.run(
            shell.settings,
            host=host,
            port=port,
            workers=workers,
            migrate=migrate,
            first_password=make_first_admin,
            reporter=click.echo,
        )
    )


@portal.command("check")
@click.option("--running", is_flag=True, help="A part that does not run is an error, too.")
@click.pass_obj
def check_command(shell: Shell, running: bool) -> None:
    """Say what is missing or unsafe here; exit 1 if anything is."""
    findings = check.run(shell.settings)
    if shell.json:
        click.echo(json.dumps([asdict(finding) for finding in findings], indent=2))
    else:
        for finding in findings:
            click.echo(f"{finding.level.upper()}: {finding.sentence} {finding.remedy}".rstrip())
    if check.fails(findings, running=running):
        sys.exit(1)
    if not findings and not shell.json:
        click.echo("All is well.")


@portal.command("example")
@click.pass_obj
def example_command(shell: Shell) -> None:
    """Load the example content."""
    project_id = example.load_example(shell.runtime, shell.actor)
    _say(shell, f"The example project is {project_id}.", project=project_id)


@portal.command("backup")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.pass_obj
def backup_command(shell: Shell, file: Path) -> None:
    """Write databases and files into one verified FILE; the portal may go on running."""
    if not shell.actor.may(Permission.BACKUPS_WRITE):
        raise ForbiddenError("A backup holds everything; only an administrator may write one.")
    report = backup.write_backup(shell.settings, file, actor=shell.actor, address=shell.address)
    if shell.json:
        click.echo(json.dumps(asdict(report), default=str))
        return
    for name in report.missing:
        click.echo(f"Not in the backup, its file is gone: {name}.", err=True)
    for name in report.damaged:
        click.echo(f"In the backup, but changed on disk since it was recorded: {name}.", err=True)
    click.echo(f"The backup of {report.files} files is in {file}.")


@portal.command("restore")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.pass_obj
def restore_command(shell: Shell, file: Path) -> None:
    """Restore FILE into an empty data folder and database."""
    report = backup.restore_backup(shell.settings, file, address=shell.address)
    sentence = f"The portal of {report.made_at} is restored into {shell.settings.data}."
    _say(shell, sentence, **asdict(report))


users.add_command(token)
for area in (users, jobs, projects, datacenter, tables, imports, delivery):
    portal.add_command(area)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """The program: one sentence and an exit status for whatever goes wrong, never a traceback."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    try:
        portal.main(args=hoisted(given), prog_name="portal")
    except PortalError as error:
        _fail(str(error))
    except DatabaseError as error:
        _fail(f"Portal cannot reach its database: {error.orig}")
    except UnicodeEncodeError as error:
        _fail(f"This is no text in UTF-8: {error.object!a}")
    except RedisError as error:
        _fail(f"Portal cannot reach Redis: {error} Is `portal up` running?")
    except OSError as error:
        _fail(f"{error.strerror or error}: {error.filename or ''}".rstrip(": "))
    sys.exit(0)


def hoisted(arguments: Sequence[str]) -> list[str]:
    """Move the options that may stand anywhere before the command; nothing after `--` is moved."""
    front: list[str] = []
    rest = list(arguments)
    end = rest.index("--") if "--" in rest else len(rest)
    position = 0
    while position < end:
        name, joined, _ = rest[position].partition("=")
        values = ANYWHERE.get(name)
        if values is not None and joined:
            values = 0
        if values is None:
            position += 1
            continue
        front += rest[position : position + 1 + values]
        del rest[position : position + 1 + values]
        end -= 1 + values
    return front + rest


def _say(shell: Shell, sentence: str, **facts: object) -> None:
    click.echo(json.dumps(facts) if shell.json else sentence)


def _fail(sentence: str) -> NoReturn:
    click.echo(f"Error: {sentence}", err=True)
    sys.exit(1)


if __name__ == "__main__":
    main()
