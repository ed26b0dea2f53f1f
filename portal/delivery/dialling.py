"""Opening a connection to whatever kind of server it is."""

from typing import TYPE_CHECKING

from portal.delivery.addresses import Transport
from portal.delivery.ftp import FtpRemote
from portal.delivery.remote import Remote, Server, Watch, unwatched
from portal.later import later

if TYPE_CHECKING:
    from portal.delivery.sftp import open_sftp
else:
    open_sftp = later("portal.delivery.sftp:open_sftp")


def open_remote(server: Server, watch: Watch = unwatched) -> Remote:
    """Connect, sign in and go to the folder, each step inside of `watch`. Raises DeliveryError."""
    if server.address.transport is Transport.SFTP:
        return open_sftp(server, watch)
    return FtpRemote.open(server, watch)
