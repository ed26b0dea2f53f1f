"""SFTP: a folder of a server, by paramiko. Whose key nobody approved is not signed in to."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import StringIO
from stat import S_ISREG
from types import TracebackType
from typing import Self

import paramiko

from portal.delivery.faults import AbsentError, DeliveryError, LostError, Reason
from portal.delivery.host_keys import PRIVATE_KEY, check_key, fingerprint
from portal.delivery.hosts import dial
from portal.delivery.remote import BLOCK, Read, RemoteFile, RenameRefusedError, Server, Told, Watch

_FAULTS = (OSError, EOFError, paramiko.SSHException)


class SftpRemote:
    """An open connection by SFTP; see `Remote`."""

    def __init__(self, transport: paramiko.Transport, folder: paramiko.SFTPClient) -> None:
        self._transport = transport
        self._folder = folder

    @classmethod
    def open(cls, server: Server, watch: Watch) -> Self:
        """Connect, compare the server's key, sign in, go to the folder. Raises DeliveryError."""
        address = server.address
        with watch("Connect"):
            connection = dial(
                address.host, address.port, allowed=server.allowed, timeout=server.timeout
            )
        transport = paramiko.Transport(connection)
        try:
            with watch("Protect the connection"), _told(f"Connecting to {address.host}"):
                _prefer(transport, server.host_key)
                transport.start_client(timeout=server.timeout)
            with watch("Compare the server's key"):
                check_key(key_text(transport.get_remote_server_key()), approved=server.host_key)
            with watch("Sign in"):
                _sign_in(transport, server)
            with watch("Go to the folder"), _told(f"Going to the folder {address.folder}"):
                folder = _open_folder(transport, server)
        except BaseException:
            transport.close()
            raise
        return cls(transport, folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def resumes(self) -> bool:
        """Whether `store` can go on where an earlier one ended; here it always can."""
        return True

    @property
    def algorithm(self) -> str:
        """SFTP, as servers have it, tells no sums."""
        return ""

    def sums(self, sizes: Mapping[str, int]) -> dict[str, str]:  # noqa: ARG002 (as the protocol has it)
        """No sums."""
        return {}

    def facts(self) -> dict[str, str]:
        """What protects the line, and the server's key."""
        return {
            "greeting": self._transport.remote_version,
            "protection": f"SSH, {self._transport.remote_cipher}",
            "listing": "SFTP",
            "features": fingerprint(key_text(self._transport.get_remote_server_key())),
        }

    def files(self) -> list[RemoteFile]:
        """The files of the folder, by name."""
        with _told("Listing the folder"):
            found = self._folder.listdir_attr(".")
        files = [_file(facts.filename, facts) for facts in found if S_ISREG(facts.st_mode or 0)]
        return sorted(files, key=lambda file: file.name)

    def find(self, name: str) -> RemoteFile | None:
        """The file with this name, None where there is none."""
        try:
            with _told(f"Looking for {name}"):
                facts = self._folder.lstat(name)
        except AbsentError:
            return None
        return _file(name, facts) if S_ISREG(facts.st_mode or 0) else None

    def sizes(self, names: Sequence[str]) -> dict[str, int]:
        """How long these files are."""
        found = [self.find(name) for name in names]
        return {file.name: file.size for file in found if file is not None}

    def store(self, name: str, read: Read, *, told: Told, offset: int = 0) -> None:
        """Write what `read` gives to a file, from its byte `offset` on."""
        with _told(f"Sending {name}"), self._folder.open(name, "r+" if offset else "w") as remote:
            remote.seek(offset)
            remote.set_pipelined(True)
            while block := read(BLOCK):
                remote.write(block)
                told(block)

    def retrieve(self, name: str, *, told: Told, offset: int = 0) -> None:
        """Read a file from its byte `offset` on; `told` is called with each block."""
        with _told(f"Fetching {name}"), self._folder.open(name, "r") as remote:
            remote.seek(offset)
            remote.prefetch()
            while block := remote.read(BLOCK):
                told(block)

    def rename_new(self, source: str, target: str) -> None:
        """Rename where no file called `target` is; the server decides between two who try."""
        self._rename(self._folder.rename, source, target)

    def rename(self, source: str, target: str) -> None:
        """Rename over `target`. Raises RenameRefusedError where the server does not."""
        self._rename(self._folder.posix_rename, source, target)

    def rename_all(self, pairs: Sequence[tuple[str, str]]) -> list[DeliveryError | None]:
        """Rename each over its target, in this order."""
        return [self._renamed(source, target) for source, target in pairs]

    def remove(self, name: str) -> None:
        """Delete a file. Raises AbsentError where there is none."""
        with _told(f"Deleting {name}"):
            self._folder.remove(name)

    def close(self) -> None:
        """Say goodbye; never raises."""
        with suppress(*_FAULTS):
            self._folder.close()
        self._transport.close()

    def _rename(self, how: Callable[[str, str], None], source: str, target: str) -> None:
        try:
            with _told(f"Renaming to {target}"):
                how(source, target)
        except (AbsentError, LostError):
            raise
        except DeliveryError as error:
            raise RenameRefusedError(str(error)) from error

    def _renamed(self, source: str, target: str) -> DeliveryError | None:
        try:
            self.rename(source, target)
        except (AbsentError, RenameRefusedError) as fault:
            return fault
        return None


def open_sftp(server: Server, watch: Watch) -> SftpRemote:
    """Connect, sign in and go to the folder. Raises DeliveryError."""
    return SftpRemote.open(server, watch)


def key_text(key: paramiko.PKey) -> str:
    """A server's key as `name base64`, the way files of known hosts have it."""
    return f"{key.get_name()} {key.get_base64()}"


def _prefer(transport: paramiko.Transport, approved: str) -> None:
    """Of a server's several keys, ask for the one that was approved."""
    kind = approved.partition(" ")[0]
    options = transport.get_security_options()
    names = {kind, "rsa-sha2-512", "rsa-sha2-256"} if kind == "ssh-rsa" else {kind}
    wanted = [name for name in options.key_types if name in names]
    if wanted:
        options.key_types = wanted


def _sign_in(transport: paramiko.Transport, server: Server) -> None:
    address = server.address
    doing = f"Signing in as {address.user}"
    try:
        with _told(doing):
            if address.password.startswith(PRIVATE_KEY):
                transport.auth_publickey(address.user, private_key(address.password))
            else:
                transport.auth_password(address.user, address.password, fallback=True)
    except paramiko.AuthenticationException as error:
        raise DeliveryError(
            Reason.AUTHENTICATION, f"{doing}: the server refused the name or the password."
        ) from error


def private_key(text: str) -> paramiko.PKey:
    """A private key, in the form that `ssh-keygen` writes. Raises DeliveryError."""
    kinds: tuple[type[paramiko.PKey], ...] = (
        paramiko.Ed25519Key,
        paramiko.ECDSAKey,
        paramiko.RSAKey,
    )
    for kind in kinds:
        with suppress(paramiko.SSHException, ValueError):
            return kind.from_private_key(StringIO(text))
    raise DeliveryError(
        Reason.AUTHENTICATION,
        "The private key cannot be read; enter one of kind Ed25519, ECDSA or RSA without a "
        "passphrase.",
    )


def _open_folder(transport: paramiko.Transport, server: Server) -> paramiko.SFTPClient:
    folder = paramiko.SFTPClient.from_transport(transport)
    if folder is None:
        raise LostError("The server offers no SFTP.")
    channel = folder.get_channel()
    if channel is not None:
        channel.settimeout(server.timeout)
    folder.chdir(server.address.folder)
    return folder


@contextmanager
def _told(doing: str) -> Iterator[None]:
    """Faults of paramiko become ours."""
    try:
        yield
    except paramiko.AuthenticationException:
        raise
    except FileNotFoundError as error:
        raise AbsentError(f"{doing}: the server has no such file or folder.") from error
    except PermissionError as error:
        raise DeliveryError(Reason.PERMISSION, f"{doing}: the server refused.") from error
    except _FAULTS as error:
        raise _fault(error, doing) from error


def _fault(error: BaseException, doing: str) -> DeliveryError:
    """A server's refusal has no errno; a broken line has one, or is an EOFError or SSHException."""
    said = " ".join(str(error).split())[:300]
    if not isinstance(error, OSError) or isinstance(error, (TimeoutError, ConnectionError)):
        return LostError(f"{doing}: the connection broke ({said or type(error).__name__}).")
    if error.errno is not None or said == "Socket is closed":
        return LostError(f"{doing}: the connection broke ({said}).")
    space = any(word in said.lower() for word in ("space", "quota"))
    return DeliveryError(
        Reason.SPACE if space else Reason.PERMISSION, f"{doing}: the server said “{said}”."
    )


def _file(name: str, facts: paramiko.SFTPAttributes) -> RemoteFile:
    modified = datetime.fromtimestamp(facts.st_mtime, UTC) if facts.st_mtime is not None else None
    return RemoteFile(name=name, size=facts.st_size or 0, modified=modified)
