"""`portal delivery endpoint` and `portal delivery channel`."""

import sys
from pathlib import Path
from typing import Any

import click

from portal.delivery import channels, endpoints, telling
from portal.delivery.channels import ChannelOptions
from portal.delivery.credentials import open_vault
from portal.delivery.endpoints import Options
from portal.delivery.passing_on import set_intake
from portal.delivery.retiring import retire_channel
from portal.delivery.shell.commands import asking_of
from portal.delivery.states import AfterFetch, Direction
from portal.jobs.shell.commands import tell

_DIRECTIONS = click.Choice([str(direction) for direction in Direction])
_AFTER = click.Choice([str(after) for after in AfterFetch])
KILOBYTE = 1000
_PEM = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.group()
def endpoint() -> None:
    """Servers with their credentials."""


@endpoint.command("add")
@click.argument("name")
@click.option("--url", required=True, help="Like ftps://user@host/folder; also ftp, ftpes, sftp.")
@click.option("--password-stdin", is_flag=True, help="Read the password from the input.")
@click.option("--key-file", type=_PEM, help="A private key for SFTP.")
@click.option("--ca-file", type=_PEM, help="Certificates to trust besides the system's.")
@click.option("--no-verify", is_flag=True, help="Accept any certificate; unsafe.")
@click.option("--encoding", default="utf-8", show_default=True, help="Of names on the server.")
@click.option("--connections", default=1, show_default=True, help="How many at once, at most.")
@click.option("--limit", type=click.IntRange(1), help="Kilobytes a second, of all connections.")
@click.option("--active", is_flag=True, help="Let the server make the connections for data.")
@click.pass_obj
def add_endpoint_command(
    shell: Any,
    /,
    name: str,
    url: str,
    password_stdin: bool,
    key_file: Path | None,
    **given: Any,
) -> None:
    """Record a server under NAME. Its password is encrypted and never shown again."""
    secret = sys.stdin.readline().rstrip("\n") if password_stdin else ""
    with shell.runtime.sessions.begin() as session:
        added = endpoints.add_endpoint(
            session,
            actor=shell.actor,
            name=name,
            url=url,
            secret=key_file.read_text() if key_file is not None else secret,
            options=_options(**given),
            vault=open_vault(shell.settings),
            now=shell.runtime.clock(),
            place=shell.address,
        )
        tell(shell, telling.endpoint_facts(added), [telling.endpoint_line(added)])


@endpoint.command("list")
@click.pass_obj
def list_endpoints_command(shell: Any) -> None:
    """Show the endpoints by name."""
    with shell.runtime.reads() as session:
        found = endpoints.list_endpoints(session, actor=shell.actor)
    lines = [telling.endpoint_line(one) for one in found] or ["There are no endpoints yet."]
    tell(shell, [telling.endpoint_facts(one) for one in found], lines)


@endpoint.command("remove")
@click.argument("name")
@click.pass_obj
def remove_endpoint_command(shell: Any, name: str) -> None:
    """Forget the server NAME."""
    with shell.runtime.sessions.begin() as session:
        endpoints.remove_endpoint(
            session,
            actor=shell.actor,
            name=name,
            now=shell.runtime.clock(),
            place=shell.address,
        )
    tell(shell, {"name": name}, [f"{name} is forgotten."])


@endpoint.command("approve-key")
@click.argument("name")
@click.argument("fingerprint")
@click.pass_obj
def approve_key_command(shell: Any, name: str, fingerprint: str) -> None:
    """Trust the key or certificate with this FINGERPRINT, which NAME showed in its last test."""
    with shell.runtime.sessions.begin() as session:
        approved = endpoints.approve_key(
            session,
            actor=shell.actor,
            name=name,
            shown=fingerprint,
            now=shell.runtime.clock(),
            place=shell.address,
        )
        tell(shell, telling.endpoint_facts(approved), [telling.endpoint_line(approved)])


@endpoint.command("forget-key")
@click.argument("name")
@click.pass_obj
def forget_key_command(shell: Any, name: str) -> None:
    """Trust no certain key or certificate of the server NAME any more."""
    with shell.runtime.sessions.begin() as session:
        changed = endpoints.forget_key(
            session, actor=shell.actor, name=name, now=shell.runtime.clock(), place=shell.address
        )
        tell(shell, telling.endpoint_facts(changed), [telling.endpoint_line(changed)])


@endpoint.command("renew-passwords")
@click.pass_obj
def renew_command(shell: Any) -> None:
    """Encrypt all passwords with the first of PORTAL_CREDENTIAL_KEYS."""
    with shell.runtime.sessions.begin() as session:
        number = endpoints.renew_secrets(
            session,
            actor=shell.actor,
            vault=open_vault(shell.settings),
            now=shell.runtime.clock(),
            place=shell.address,
        )
    tell(shell, {"renewed": number}, [f"{number} passwords are encrypted with the first key."])


@click.group()
def channel() -> None:
    """Spools bound to endpoints."""


@channel.command("add")
@click.argument("name")
@click.option("--endpoint", required=True, help="The server's name.")
@click.option("--spool", required=True, help="A folder, or a name for one of the data folder.")
@click.option("--direction", required=True, type=_DIRECTIONS)
@click.option("--include", multiple=True, metavar="PATTERN", help="Only files like *.xml.")
@click.option("--exclude", multiple=True, metavar="PATTERN", help="No files like draft-*.")
@click.option("--after", type=_AFTER, default=str(AfterFetch.REMOVE), help="What was fetched.")
@click.option("--done-folder", default="", help="Where --after move puts it on the server.")
@click.option("--keep-days", type=click.IntRange(1), help="How long files stay in cur.")
@click.option("--ordered", is_flag=True, help="One file after the other, by name.")
@click.pass_obj
def add_channel_command(shell: Any, /, name: str, **given: Any) -> None:
    """Bind a spool to an endpoint under NAME."""
    spool = given["spool"]
    options = ChannelOptions(
        include="\n".join(given["include"]),
        exclude="\n".join(given["exclude"]),
        after_fetch=AfterFetch(given["after"]),
        done_folder=given["done_folder"],
        keep_days=given["keep_days"],
        ordered=given["ordered"],
    )
    with shell.runtime.sessions.begin() as session:
        added = channels.add_channel(
            session,
            actor=shell.actor,
            name=name,
            endpoint=given["endpoint"],
            spool=str(Path(spool).absolute()) if "/" in spool else spool,
            direction=Direction(given["direction"]),
            options=options,
            settings=shell.settings,
            now=shell.runtime.clock(),
            place=shell.address,
        )
        tell(shell, telling.channel_facts(added), [telling.channel_line(added)])


@channel.command("list")
@click.pass_obj
def list_channels_command(shell: Any) -> None:
    """Show the channels and how they stand."""
    with shell.runtime.reads() as session:
        found = channels.list_channels(session, actor=shell.actor)
    lines = [telling.channel_line(one) for one in found] or ["There are no channels yet."]
    tell(shell, [telling.channel_facts(one) for one in found], lines)


@channel.command("intake")
@click.argument("name")
@click.argument("area", default="")
@click.pass_obj
def intake_command(shell: Any, name: str, area: str) -> None:
    """Let files that NAME fetches go to AREA (datacenter) by themselves; without it they stay."""
    with shell.runtime.sessions.begin() as session:
        changed = set_intake(
            session,
            actor=shell.actor,
            name=name,
            intake=area,
            intakes=shell.intakes,
            now=shell.runtime.clock(),
            place=shell.address,
        )
        tell(shell, telling.channel_facts(changed), [telling.channel_line(changed)])


@channel.command("pause")
@click.argument("name")
@click.pass_obj
def pause_command(shell: Any, name: str) -> None:
    """Let the channel NAME rest."""
    _pause(shell, name, paused=True)


@channel.command("resume")
@click.argument("name")
@click.pass_obj
def resume_command(shell: Any, name: str) -> None:
    """Let the channel NAME go on."""
    _pause(shell, name, paused=False)


@channel.command("remove")
@click.argument("name")
@click.pass_obj
def remove_channel_command(shell: Any, name: str) -> None:
    """Forget the channel NAME, its schedules and its history; the files of its spool stay."""
    with shell.runtime.sessions.begin() as session:
        retire_channel(session, asking_of(shell), name=name)
    tell(shell, {"name": name}, [f"{name} is forgotten; the files of its spool are kept."])


def _options(
    *,
    ca_file: Path | None,
    no_verify: bool,
    encoding: str,
    connections: int,
    limit: int | None,
    active: bool,
) -> Options:
    return Options(
        encoding=encoding,
        tls_verify=not no_verify,
        tls_ca=ca_file.read_text() if ca_file is not None else "",
        connections=connections,
        rate_limit=limit * KILOBYTE if limit is not None else None,
        active=active,
    )


def _pause(shell: Any, name: str, *, paused: bool) -> None:
    with shell.runtime.sessions.begin() as session:
        changed = channels.pause_channel(
            session,
            actor=shell.actor,
            name=name,
            paused=paused,
            now=shell.runtime.clock(),
            place=shell.address,
        )
        tell(shell, telling.channel_facts(changed), [telling.channel_line(changed)])
