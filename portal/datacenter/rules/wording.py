"""What a rule makes of a file: who asks, and the order to process it."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from portal.accounts.actors import find_actor
from portal.accounts.permissions import Permission
from portal.datacenter.disk import digest_of
from portal.datacenter.folders import DataCenterFile
from portal.datacenter.mapping import Wording, order_of
from portal.datacenter.orders import Asking, ProcessOrder
from portal.datacenter.picking import Picked, pick_processor
from portal.datacenter.rules.models import WatchRule
from portal.datacenter.steps import Folder
from portal.errors import ForbiddenError, InvalidError, NotFoundError, PortalError
from portal.jobs.engine import JobEngine
from portal.jobs.wake import RedisWaker
from portal.rows.looking import Remembered
from portal.rows.mapping import as_saved
from portal.rows.processors import Mode, Processor, Processors
from portal.rows.profiles import Profile, get_profile

NO_OWNER = "Its owner's account is disabled or gone."
NO_RIGHT = "Its owner no longer has the right to process files of the data centre."
NOT_HIS = "Whoever uploaded it may not process {title} himself; look at it and process it yourself."
HASHED_BYTES = 20_000_000


class RuleStoppedError(PortalError):
    """The rule cannot take any file; the message says why."""


def asking_as(
    session: Session, rule: WatchRule, *, engine: JobEngine, processors: Processors
) -> Asking:
    """The rule's owner as he stands now; raises RuleStoppedError where he may not ask any more."""
    owner = find_actor(session, rule.owner_id)
    if owner is None or not owner.enabled:
        raise RuleStoppedError(NO_OWNER)
    if not owner.may(Permission.IMPORTS_RUN):
        raise RuleStoppedError(NO_RIGHT)
    return Asking(
        actor=owner,
        now=engine.runtime.clock(),
        kinds=engine.kinds,
        waker=RedisWaker(engine.runtime.redis),
        processors=processors,
        address=f"rule:{rule.id}",
    )


def usable_processor(asking: Asking, *, name: str, mode: str) -> Processor:
    """The processor, which the actor may use in this mode; raises RuleStoppedError otherwise."""
    try:
        processor = pick_processor(asking, name)
    except (ForbiddenError, NotFoundError) as error:
        raise RuleStoppedError(str(error)) from error
    if mode not in processor.modes:
        raise RuleStoppedError(
            f"{processor.title} cannot be processed in mode {mode} by its owner."
        )
    return processor


def check_bringer(
    session: Session,
    bringer_id: int | None,
    *,
    rule: WatchRule,
    processor: Processor,
    asking: Asking,
) -> None:
    """Raise ForbiddenError where a file's rows may not be done with the rights of the rule's owner.

    A rule lends its owner's rights to whoever uploads a file for it; those to manage users, say,
    are not to be had that way. Files that came by another way (None) came by their owner's leave.
    """
    if bringer_id is None:
        return
    bringer, owner_id = find_actor(session, bringer_id), asking.actor.user_id
    mode = Mode(rule.mode)
    if bringer is None or not asking.processors.lends(
        bringer, processor.name, mode, owner_id=owner_id
    ):
        raise ForbiddenError(NOT_HIS.format(title=processor.title))


def find_mapping(session: Session, rule: WatchRule) -> Profile | None:
    """The rule's saved mapping, None where it has none; RuleStoppedError where it is gone."""
    if not rule.profile:
        return None
    try:
        return get_profile(session, name=rule.profile)
    except NotFoundError as error:
        raise RuleStoppedError(str(error)) from error


def order_for(
    file: DataCenterFile,
    rule: WatchRule,
    *,
    processor: Processor,
    mapping: Profile | None,
    sha256: str,
) -> ProcessOrder:
    """The order that the rule gives for `file`, which must still be the one with `sha256`.

    Raises InvalidError where the file's header does not do.
    """

    def known(header: Sequence[str], _processor: str, _mode: Mode) -> Remembered | None:
        if mapping is not None and not mapping.is_for(header):
            raise InvalidError(f"Its columns are not those of the saved mapping {mapping.name!r}.")
        return None if mapping is None else as_saved(mapping)

    expected = sha256 or _small_digest(file)
    wording = Wording(processor=processor, mode=Mode(rule.mode), reason=Folder(rule.reason))
    order = order_of(Picked(folder=Folder.ROOT, file=file), wording, known=known)
    return replace(order, sha256=expected)


def _small_digest(file: DataCenterFile) -> str:
    """The SHA-256 of a file that is read in a moment; a large one goes without."""
    return (digest_of(file.path) or "") if file.entry.size <= HASHED_BYTES else ""
