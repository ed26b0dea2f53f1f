"""Who may see the records that a batch met: their keys, what stood in them, their backups."""

from collections.abc import Iterable

from portal.accounts.permissions import Actor, Permission, Role
from portal.rows.processors import Processor, Processors, Store


def may_see_records(
    processors: Processors, actor: Actor, name: str, *, owner_id: int | None = None
) -> bool:
    """Whether `actor` may see records of the processor called `name`.

    He must be allowed to use it. Where its records decide by row, what a batch met was told to the
    one who asked for it (`owner_id`), and is for him and for those who manage all that is in
    projects. What nobody can tell any more is for administrators.
    """
    own = owner_id is not None and owner_id == actor.user_id
    return bool(seen_among([name], processors, actor, own=own))


def seen_among(
    names: Iterable[str], processors: Processors, actor: Actor, *, own: bool = False
) -> list[str]:
    """Those of the processors called `names` whose records `actor` may see."""
    if Role.ADMIN in actor.roles:
        return list(names)
    whole = own or actor.may(Permission.PROJECTS_MANAGE_ALL)
    offered = {one.name for one in processors.offered(actor) if whole or not _decides_by_row(one)}
    return [name for name in names if name in offered]


def _decides_by_row(processor: Processor) -> bool:
    return processor.permission is None and processor.store is Store.PORTAL
