"""A server of files over TLS, as partners run one, with answers that a test chooses."""

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from portal.imports.fetching import Trust
from tests.certificates import make_certificate

Answer = Callable[[BaseHTTPRequestHandler], None]


@dataclass
class FileServer:
    """A running server: what it answers by path, and what it was told by who asked."""

    port: int
    certificate: str
    answers: dict[str, Answer] = field(default_factory=dict)
    hosts: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)

    def url(self, path: str) -> str:
        return f"https://localhost:{self.port}{path}"

    def trust(self, **more: float) -> Trust:
        """Its certificate, and this machine, which nobody else may fetch from."""

        def context() -> ssl.SSLContext:
            return ssl.create_default_context(cadata=self.certificate)

        return Trust(may_connect=lambda ip: ip.is_loopback, context=context, **more)


def sending(content: bytes, headers: Mapping[str, str] | None = None, status: int = 200) -> Answer:
    """Answer with these bytes."""

    def answer(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | dict(headers or {})).items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(content)

    return answer


def leading_to(address: str) -> Answer:
    return sending(b"", {"Location": address}, status=302)


@contextmanager
def running_server(folder: Path) -> Iterator[FileServer]:
    certificate = make_certificate(folder / "server.pem")
    known = FileServer(port=0, certificate=certificate)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            known.hosts.append(self.headers["Host"])
            known.answers.get(self.path, sending(b"", status=404))(self)

        def log_message(self, *_: object) -> None:
            pass

    server = _Server(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "server.pem")
    context.sni_callback = lambda _socket, name, _context: known.names.append(name)
    server.context = context
    known.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield known
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    """The handshake is a thing of each connection's own thread."""

    context: ssl.SSLContext

    def finish_request(self, request, client_address):
        with self.context.wrap_socket(request, server_side=True) as spoken:
            super().finish_request(spoken, client_address)

    def handle_error(self, request, client_address):
        pass
