"""One run of a channel: send or fetch, then tell the channel how it went."""

import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update

from portal.artifacts.intakes import NO_INTAKES, Intakes
from portal.delivery.alerts import ALARM, LOCK, OVER, Alert, alert
from portal.delivery.credentials import open_vault
from portal.delivery.dialling import open_remote
from portal.delivery.endpoints import server_of
from portal.delivery.faults import DeliveryError, HostKeyError, Reason
from portal.delivery.fetching import fetch
from portal.delivery.ledger import Ledger
from portal.delivery.lock_notes import FETCHING, SENDING
from portal.delivery.models import Channel, Endpoint
from portal.delivery.passing_on import hand_over
from portal.delivery.patterns import chooser, patterns_of
from portal.delivery.policies import pause_before_run
from portal.delivery.remote_lock import LockedError, LockLostError, RemoteLock
from portal.delivery.run import Outcome, Route
from portal.delivery.sending import finish_moves, quarantine_refused, send
from portal.delivery.spool import Space, Spool, SpoolBusyError
from portal.delivery.states import AfterFetch, Direction
from portal.delivery.wanting import Fetching
from portal.errors import NotFoundError
from portal.jobs.work import UnsuccessfulError, Work

COME_BACK = timedelta(minutes=1)
PAUSED = "The channel is paused."


def run_channel(work: Work, *, channel_id: int, intakes: Intakes = NO_INTAKES) -> dict[str, Any]:
    """Send or fetch what is there. Where the server is locked, leave quietly and come back.

    Raises UnsuccessfulError with the reason; the channel then says when it is tried again.
    """
    with work.runtime.reads() as session:
        channel = session.scalar(select(Channel).where(Channel.id == channel_id))
    if channel is None:
        raise NotFoundError("The channel is gone.")
    if channel.paused:
        return {"message": PAUSED}
    outcome = Outcome()
    try:
        _transfer(work, channel, outcome, intakes)
    except LockedError as error:
        _note_lock(work, channel, error)
        return outcome.facts() | {"message": str(error), "locked": error.lock}
    except DeliveryError as fault:
        _note_fault(work, channel, fault)
        result = outcome.facts() | {"class": str(fault.reason)}
        raise UnsuccessfulError(str(fault), result=result, told=True) from fault
    except (LockLostError, SpoolBusyError):
        _write(work, channel, {"next_try_at": _soon(work)})
        raise
    _note_success(work, channel, outcome)
    return outcome.facts() | {"message": _sentence(channel, outcome)}


def _transfer(work: Work, channel: Channel, outcome: Outcome, intakes: Intakes) -> None:
    spool, ledger = Spool(Path(channel.spool)), Ledger(work, channel.id)
    spool.prepare()
    takes = chooser(patterns_of(channel.include), patterns_of(channel.exclude))
    with spool.held():
        if channel.direction == Direction.SEND:
            outcome.quarantined += quarantine_refused(ledger, spool)
            finish_moves(ledger, spool)
            names = [name for name in spool.names(Space.NEW) if takes(name)]
            send(work, ledger, _route(work, channel, ledger, spool, names), outcome)
        else:
            how = Fetching(
                wants=takes,
                after=AfterFetch(channel.after_fetch),
                done_folder=channel.done_folder,
            )
            fetch(work, ledger, _route(work, channel, ledger, spool, []), outcome, how=how)
            hand_over(work, channel, spool, outcome, intakes=intakes)
        _prune(work, channel, spool)


def _route(work: Work, channel: Channel, ledger: Ledger, spool: Spool, names: list[str]) -> Route:
    settings = work.runtime.settings
    lock = RemoteLock(
        name=SENDING if channel.direction == Direction.SEND else FETCHING,
        owner=f"Portal, channel {channel.name}",
        known=channel.lock_id,
        keep=ledger.keep_lock,
        clock=work.runtime.clock,
    )
    server = server_of(channel.endpoint, vault=open_vault(settings), settings=settings)
    return Route(
        server=server,
        spool=spool,
        names=names,
        lock=lock,
        dial=open_remote,
        connections=1 if channel.ordered else channel.endpoint.connections,
        rate_limit=channel.endpoint.rate_limit,
    )


def _prune(work: Work, channel: Channel, spool: Spool) -> None:
    if channel.keep_days is None:
        return
    before = work.runtime.clock() - timedelta(days=channel.keep_days)
    gone = spool.prune(Space.CUR, before=before)
    if gone:
        work.log(f"{len(gone)} delivered files were older than {channel.keep_days} days.")


def _note_lock(work: Work, channel: Channel, error: LockedError) -> None:
    first = channel.blocked.get("first") or error.lock["seen"]
    values = {"blocked": error.lock | {"first": first}, "next_try_at": _soon(work)}
    _write(work, channel, values)
    if error.lock["stale"]:
        said = f"{error} The lock shows no sign of life; look whether it can be broken."
        _tell_once(work, channel, LOCK, said)


def _soon(work: Work) -> datetime:
    return work.runtime.clock() + COME_BACK * (1 + random.random())  # noqa: S311


def _note_fault(work: Work, channel: Channel, fault: DeliveryError) -> None:
    failures = channel.failures + 1
    pause = pause_before_run(fault.reason, failures=failures, chance=random.random())  # noqa: S311
    values = {
        "failures": failures,
        "incident": f"{fault.reason}: {fault}",
        "next_try_at": work.runtime.clock() + pause,
    }
    _write(work, channel, values)
    _tell_once(work, channel, str(fault.reason), str(fault))
    if isinstance(fault, HostKeyError) and fault.shown:
        with work.effect() as session:
            session.execute(
                update(Endpoint)
                .where(Endpoint.id == channel.endpoint_id)
                .values(shown_key=fault.shown)
            )


def _note_success(work: Work, channel: Channel, outcome: Outcome) -> None:
    """Files that failed for themselves are tried again, too."""
    pause = pause_before_run(Reason.PERMISSION, failures=1, chance=random.random())  # noqa: S311
    again = work.runtime.clock() + pause if outcome.failed else None
    _write(work, channel, {"failures": 0, "incident": "", "blocked": {}, "next_try_at": again})
    if channel.told:
        _tell_once(work, channel, "", "It works again.")
    if outcome.quarantined or outcome.uncertain:
        _alert(work, Alert(channel=channel, state=ALARM, message=_sentence(channel, outcome)))


def _tell_once(work: Work, channel: Channel, trouble: str, message: str) -> None:
    """Tell of a trouble when it begins, and when it is over (an empty one); not each time."""
    if channel.told == trouble:
        return
    state = ALARM if trouble else OVER
    _write(work, channel, {"told": trouble})
    _alert(work, Alert(channel=channel, state=state, message=message))


def _alert(work: Work, told: Alert) -> None:
    with work.effect() as session:
        alert(session, told, settings=work.runtime.settings, now=work.runtime.clock())


def _write(work: Work, channel: Channel, values: Mapping[str, Any]) -> None:
    with work.effect() as session:
        session.execute(update(Channel).where(Channel.id == channel.id).values(**values))


def _sentence(channel: Channel, outcome: Outcome) -> str:
    done = "sent" if channel.direction == Direction.SEND else "fetched"
    parts = [f"{outcome.done} {'file' if outcome.done == 1 else 'files'} {done}"]
    parts += [f"{number} {word}" for number, word in _others(outcome) if number]
    return ", ".join(parts) + "."


def _others(outcome: Outcome) -> list[tuple[int, str]]:
    return [
        (outcome.failed, "failed"),
        (outcome.quarantined, "put into quarantine"),
        (outcome.uncertain, "uncertain"),
    ]
