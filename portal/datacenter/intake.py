"""Files that deliveries fetched come into the data centre by themselves, each once."""

from portal.accounts.permissions import Actor, Permission
from portal.artifacts.intakes import Incoming, Intake
from portal.datacenter.intents import find_intent
from portal.datacenter.service import finish_intended
from portal.datacenter.uploads import Upload, accept_upload
from portal.runtime import Runtime

PLACE = "delivery"


def take_in(runtime: Runtime, incoming: Incoming, actor: Actor) -> None:
    """Take a file in as an upload is; one that was intended before a crash only comes to its end.

    Raises RefusedUploadError, ConflictError, ForbiddenError.
    """
    with runtime.reads() as session:
        known = find_intent(session, occasion=incoming.mark)
    if known is not None:
        finish_intended(runtime)
        return
    with incoming.path.open("rb") as stream:
        upload = Upload(
            name=incoming.name,
            stream=stream,
            size=incoming.path.stat().st_size,
            occasion=incoming.mark,
        )
        accept_upload(runtime, upload=upload, actor=actor, address=PLACE)


INTAKE = Intake(
    name="datacenter",
    label="the data centre",
    may=lambda actor: actor.may(Permission.DATACENTER_EDIT),
    take=take_in,
)
