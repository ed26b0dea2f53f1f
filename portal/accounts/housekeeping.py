"""What the reconciler does for accounts: forget sessions and counts that are over."""

from portal.accounts.sessions import remove_old_sessions
from portal.accounts.throttle import remove_old_failures
from portal.runtime import Runtime


def forget_what_is_over(runtime: Runtime) -> None:
    """Delete the rows of ended sessions and of counts whose window is over."""
    now = runtime.clock()
    with runtime.sessions.begin() as session:
        remove_old_failures(session, now=now)
        remove_old_sessions(session, now=now, settings=runtime.settings)
