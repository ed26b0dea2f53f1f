"""An FTP server that does what a script says: breaks, refuses, lies, stalls."""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.ioloop import IOLoop
from pyftpdlib.servers import FTPServer

PASSWORD = "test pass/word"


@dataclass
class Script:
    """What goes wrong. Each fault of `once` happens the next time its command comes.

    With `armed_by`, nothing goes wrong before a line that begins so.
    """

    once: dict[str, str] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    drop_at_byte: int | None = None
    truncate_to: int | None = None
    truncate_always: int | None = None
    refuse_rename_over: bool = False
    refuse_target: str = ""
    take: str = ""
    on_retrieve: Callable[[], object] | None = None
    on_rename: dict[str, bytes] = field(default_factory=dict)
    on_store: Callable[[], object] | None = None
    armed_by: str = ""
    sums: dict[str, Callable[[bytes], str]] = field(default_factory=dict)
    features: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    def fault(self, command: str) -> str:
        """What goes wrong with a command; its key is the beginning of the line."""
        if self.armed_by:
            if command.startswith(self.armed_by):
                self.armed_by = ""
            return ""
        for faults in (self.once, self.always):
            for key in list(faults):
                if command.startswith(key):
                    return self.once.pop(key, "") or self.always.get(key, "")
        return ""


class _Faulty:
    """What the handlers of plain and encrypted connections share."""

    script: Script

    def pre_process_command(self: Any, line: str, cmd: str, arg: str) -> None:
        self.script.commands.append(line)
        fault = self.script.fault(f"{cmd} {arg}".strip())
        if cmd in self.script.sums and not fault:
            content = Path(self.fs.ftp2fs(arg)).read_bytes()
            self.respond(self.script.sums[cmd](content))
        elif fault == "drop":
            self.close()
        elif fault == "drop after":
            with _mute(self):
                super().pre_process_command(line, cmd, arg)
            self.close()
        elif fault[:3].isdigit():
            self.respond(fault)
        elif fault != "stall":
            super().pre_process_command(line, cmd, arg)

    def ftp_FEAT(self: Any, line: str) -> Any:  # noqa: N802
        self._extra_feats = [*self._extra_feats, *self.script.features]
        return super().ftp_FEAT(line)

    def ftp_STOR(self: Any, file: str, mode: str = "w") -> Any:  # noqa: N802
        if self.script.on_store is not None and os.path.basename(file).startswith(".portal"):
            self.script.on_store()
        return super().ftp_STOR(file, mode)

    def ftp_RETR(self: Any, file: str) -> Any:  # noqa: N802
        if self.script.on_retrieve is not None and not file.endswith("read"):
            self.script.on_retrieve()
        return super().ftp_RETR(file)

    def ftp_RNTO(self: Any, path: str) -> Any:  # noqa: N802 (pyftpdlib's name)
        exists = self.script.refuse_rename_over and os.path.exists(path)
        if exists or os.path.basename(path) == self.script.refuse_target:
            self._rnfr = None
            self.respond("553 Not allowed.")
            return None
        done = super().ftp_RNTO(path)
        if self.script.take and os.path.basename(path) == self.script.take:
            os.remove(path)  # the receiver is fast
        content = self.script.on_rename.pop(os.path.basename(path), None)
        if content is not None:
            Path(path).write_bytes(content)
        return done

    def on_file_received(self: Any, file: str) -> None:
        length = self.script.truncate_to or self.script.truncate_always
        if length is not None and os.path.getsize(file) > length:
            os.truncate(file, length)
            self.script.truncate_to = None


@contextmanager
def _mute(handler: Any) -> Iterator[None]:
    handler.push = lambda data: None
    yield
    del handler.push


class _FaultyData:
    def handle_read(self: Any) -> None:
        super().handle_read()
        limit = self.cmd_channel.script.drop_at_byte
        if limit is not None and self.tot_bytes_received >= limit:
            self.cmd_channel.script.drop_at_byte = None
            self.cmd_channel.close()

    handle_read_event = handle_read  # what pyftpdlib calls

    def handle_close(self: Any) -> None:
        if self.receive and self.cmd_channel.script.fault("226") == "drop":
            self.file_obj.close()
            self.cmd_channel.close()
            return
        super().handle_close()


class _PlainData(_FaultyData, DTPHandler):
    ac_in_buffer_size = 1024


class _SecureData(_FaultyData, TLS_DTPHandler):
    pass


class _Plain(_Faulty, FTPHandler):
    dtp_handler = _PlainData


class _Secure(_Faulty, TLS_FTPHandler):
    dtp_handler = _SecureData
    tls_control_required = True
    tls_data_required = True


@dataclass
class ScriptedServer:
    host: str
    port: int
    folder: Path
    script: Script

    def url(self, scheme: str = "ftp", folder: str = "/") -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://test:{PASSWORD.replace('/', '%2F')}@{host}:{self.port}{folder}"

    def names(self) -> list[str]:
        return sorted(os.listdir(self.folder))


@contextmanager
def scripted_ftp(
    folder: Path, *, certificate: Path | None = None, host: str = "127.0.0.1", **options: Any
) -> Iterator[ScriptedServer]:
    folder.mkdir(exist_ok=True)
    script = Script()
    authorizer = DummyAuthorizer()
    authorizer.add_user("test", PASSWORD, str(folder), perm="elradfmwMT")
    base = _Secure if certificate else _Plain
    given = {"script": script, "authorizer": authorizer, "auth_failed_timeout": 0, **options}
    if certificate:
        given["certfile"] = str(certificate)
    handler = type("Handler", (base,), given)
    server = FTPServer((host, 0), handler, ioloop=IOLoop())
    over = threading.Event()
    thread = threading.Thread(target=_serve, args=(server, over))
    thread.start()
    try:
        yield ScriptedServer(host, server.address[1], folder, script)
    finally:
        over.set()
        thread.join()


def _serve(server: FTPServer, over: threading.Event) -> None:
    while not over.is_set():
        server.serve_forever(timeout=0.02, blocking=False, handle_exit=False)
    server.close_all()
