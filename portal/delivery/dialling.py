"""Opening a connection to whatever kind of server it is."""

from portal.delivery.addresses import Transport
from portal.delivery.ftp import FtpRemote
from portal.delivery.remote import Remote, Server, Watch, unwatched
from portal.delivery.sftp import SftpRemote


def open_remote(server: Server, watch: Watch = unwatched) -> Remote:
    """Connect, sign in and go to the folder, each step inside of `watch`. Raises DeliveryError."""
    if server.address.transport is Transport.SFTP:
        return SftpRemote.open(server, watch)
    return FtpRemote.open(server, watch)
