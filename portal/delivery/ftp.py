"""FTP and FTPS: a folder of a server, by ftplib."""

import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from ftplib import Error, error_perm
from types import TracebackType
from typing import Self

from portal.delivery.faults import AbsentError, DeliveryError, HostKeyError, LostError
from portal.delivery.ftp_control import Control, shown_certificate
from portal.delivery.ftp_replies import FAULTS, code_of, fault_of
from portal.delivery.host_keys import fingerprint
from portal.delivery.remote import Read, RemoteFile, RenameRefusedError, Server, Told, Watch

AT_ONCE = 50
_RENAME = ("RNFR", "RNTO")


class FtpRemote:
    """An open connection by FTP or FTPS; see `Remote`."""

    def __init__(self, control: Control, *, protection: str) -> None:
        self._control = control
        self._protection = protection

    @classmethod
    def open(cls, server: Server, watch: Watch) -> Self:
        """Connect, sign in and go to the folder. Raises DeliveryError."""
        control = Control(server)
        where = f"Connecting to {server.address.host}"
        try:
            with watch("Connect"), _told(where), _certified(server):
                control.reach()
            with watch("Protect the connection"), _told(where), _certified(server):
                protection = control.encrypt()
            with watch("Sign in"), _told(f"Signing in as {server.address.user or 'anonymous'}"):
                control.sign_in()
            with watch("Go to the folder"), _told(f"Going to the folder {server.address.folder}"):
                control.enter(server.address.folder)
        except BaseException:
            control.close()
            raise
        return cls(control, protection=protection)

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
        """Whether `store` can go on where an earlier one ended."""
        return "STREAM" in self._control.features.get("REST", "")

    @property
    def algorithm(self) -> str:
        """Which sums of files the server tells; empty: none."""
        asked = self._control.sums
        return asked.algorithm if asked is not None else ""

    def facts(self) -> dict[str, str]:
        """The greeting, what protects the line, how folders are listed, what else is known."""
        listing = "MLSD" if self._lists_facts else "NLST"
        known = " ".join(sorted(self._control.features))
        return {
            "greeting": self._control.welcome or "",
            "protection": self._protection,
            "listing": listing,
            "features": known,
            "certificate": self._control.certificate,
        }

    def files(self) -> list[RemoteFile]:
        """The files of the folder, by name."""
        with _told("Listing the folder"):
            found = self._by_facts() if self._lists_facts else self._by_names()
        return sorted(found, key=lambda file: file.name)

    def find(self, name: str) -> RemoteFile | None:
        """The file with this name, None where there is none."""
        with _told(f"Looking for {name}"):
            return next(self._look_for([name]), None)

    def sizes(self, names: Sequence[str]) -> dict[str, int]:
        """How long these files are; the questions go in few writes."""
        with _told("Comparing sizes"):
            return {
                name: int(reply[4:].split()[0])
                for start in range(0, len(names), AT_ONCE)
                for name, reply in self._ask("SIZE", names[start : start + AT_ONCE])
                if _is_size(reply)
            }

    def sums(self, sizes: Mapping[str, int]) -> dict[str, str]:
        """The sums of these files; the server reads them all before it answers."""
        asked = self._control.sums
        if asked is None:
            return {}
        names = list(sizes)
        with _told("Comparing sums"), self._control.patient(sum(sizes.values())):
            told = [
                (name, asked.sum_in(reply))
                for start in range(0, len(names), AT_ONCE)
                for name, reply in self._ask(asked.command, names[start : start + AT_ONCE])
            ]
        return {name: found for name, found in told if found is not None}

    def store(self, name: str, read: Read, *, told: Told, offset: int = 0) -> None:
        """Write what `read` gives to a file, from its byte `offset` on."""
        with _told(f"Sending {name}"):
            self._control.send(f"STOR {name}", read, told, offset=offset)

    def retrieve(self, name: str, *, told: Told, offset: int = 0) -> None:
        """Read a file from its byte `offset` on; `told` is called with each block."""
        with _told(f"Fetching {name}"), self._known(name):
            self._control.receive(f"RETR {name}", told, offset=offset)

    def rename_new(self, source: str, target: str) -> None:
        """Rename; whether a file called `target` is there is the server's affair."""
        self.rename(source, target)

    def rename(self, source: str, target: str) -> None:
        """Rename over `target`. Raises RenameRefusedError where the server does not."""
        fault = self.rename_all([(source, target)])[0]
        if fault is not None:
            raise fault

    def rename_all(self, pairs: Sequence[tuple[str, str]]) -> list[DeliveryError | None]:
        """Rename each over its target; many commands go in one write."""
        faults: list[DeliveryError | None] = []
        for start in range(0, len(pairs), AT_ONCE):
            some = pairs[start : start + AT_ONCE]
            asked = [
                f"{word} {name}" for pair in some for word, name in zip(_RENAME, pair, strict=True)
            ]
            with _told("Renaming"):
                replies = self._control.many(asked)
            faults += map(self._judged, some, replies[::2], replies[1::2])
        return faults

    def remove(self, name: str) -> None:
        """Delete a file. Raises AbsentError where there is none."""
        with _told(f"Deleting {name}"), self._known(name):
            self._control.voidcmd(f"DELE {name}")

    def close(self) -> None:
        """Say goodbye; never raises."""
        with suppress(*FAULTS):
            self._control.quit()
        self._control.close()

    @property
    def _lists_facts(self) -> bool:
        return "MLST" in self._control.features or "MLSD" in self._control.features

    def _by_facts(self) -> list[RemoteFile]:
        return [file for line in self._control.lines("MLSD") for file in _from_facts(line)]

    def _by_names(self) -> list[RemoteFile]:
        try:
            names = self._control.lines("NLST")
        except Error as error:
            if code_of(error) not in ("450", "550"):
                raise
            return []  # so some say that a folder is empty
        plain = [name for name in names if name not in (".", "..")]
        return [
            file
            for start in range(0, len(plain), AT_ONCE)
            for file in self._look_for(plain[start : start + AT_ONCE])
        ]

    def _look_for(self, names: Sequence[str]) -> Iterator[RemoteFile]:
        """What is a file has a size; the questions go in one write."""
        asked = [f"{command} {name}" for name in names for command in ("SIZE", "MDTM")]
        replies = self._control.many(asked)
        for name, size, modified in zip(names, replies[::2], replies[1::2], strict=True):
            if _is_size(size):
                told = _time(modified[4:]) if modified.startswith("213") else None
                yield RemoteFile(name=name, size=int(size[4:].split()[0]), modified=told)

    def _ask(self, command: str, names: Sequence[str]) -> Iterator[tuple[str, str]]:
        replies = self._control.many([f"{command} {name}" for name in names])
        return zip(names, replies, strict=True)

    def _judged(self, pair: tuple[str, str], begun: str, ended: str) -> DeliveryError | None:
        """What the replies to RNFR and RNTO say; a goodbye in between breaks all off."""
        source, target = pair
        if ended.startswith("2"):
            return None
        if "421" in (begun[:3], ended[:3]):
            raise LostError(f"Renaming to {target}: the server closed the connection.")
        if begun.startswith("550") and self.find(source) is None:
            return AbsentError(f"The server has no file {source!r}.")
        said = ended if begun.startswith("3") else begun
        return RenameRefusedError(f"Renaming to {target}: the server said “{said}”.")

    @contextmanager
    def _known(self, name: str) -> Iterator[None]:
        """A refusal with 550 says many things; that the file is not there is found by looking."""
        try:
            yield
        except error_perm as error:
            if code_of(error) == "550" and next(self._look_for([name]), None) is None:
                raise AbsentError(f"The server has no file {name!r}.") from error
            raise


def _is_size(reply: str) -> bool:
    """550 says that it is no file; all else is a fault."""
    if reply[:3] not in ("213", "550"):
        raise error_perm(reply)
    return reply.startswith("213")


def _from_facts(line: str) -> Iterator[RemoteFile]:
    """A line of MLSD: facts, a space, the name; only files count."""
    told, _, name = line.partition(" ")
    facts = dict(_fact(fact) for fact in told.split(";") if "=" in fact)
    if facts.get("type", "").lower() == "file":
        size = int(facts.get("size", "0"))
        yield RemoteFile(name=name, size=size, modified=_time(facts.get("modify", "")))


def _fact(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.lower(), value


@contextmanager
def _certified(server: Server) -> Iterator[None]:
    """A certificate that is not trusted can be approved by who compares it."""
    try:
        yield
    except ssl.SSLCertVerificationError as error:
        shown = ""
        with suppress(*FAULTS, DeliveryError):
            shown = shown_certificate(server)
        said = f"The server's certificate is not trusted ({error.verify_message})."
        raise HostKeyError(
            f"{said} Compare its sum {fingerprint(shown)} with what its operator says and approve "
            "it, or enter the certificate of the authority that issued it.",
            shown=shown,
        ) from error


@contextmanager
def _told(doing: str) -> Iterator[None]:
    """Faults of ftplib become ours."""
    try:
        yield
    except FAULTS as error:
        raise fault_of(error, doing=doing) from error


def _time(text: str) -> datetime | None:
    digits = text.strip()[:14]
    try:
        return datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError:
        return None
