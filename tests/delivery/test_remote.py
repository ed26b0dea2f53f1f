"""What sending and fetching may rely on, of every kind of server."""

from dataclasses import replace
from io import BytesIO

import pytest

from portal.delivery.dialling import open_remote
from portal.delivery.faults import AbsentError, DeliveryError, Reason
from portal.delivery.remote import Remote, Server, read
from tests.delivery.real_servers import RealServer


def store(remote: Remote, name: str, content: bytes) -> None:
    remote.store(name, BytesIO(content).read, told=lambda _block: None)


def test_a_stored_file_is_there_with_its_size(server: Server, real: RealServer) -> None:
    content = bytes(range(256)) * 3000
    with open_remote(server) as remote:
        store(remote, "a file.bin", content)
        found = remote.find("a file.bin")
    assert found is not None
    assert found.size == len(content)
    assert (real.folder / "a file.bin").read_bytes() == content


def test_a_file_is_read_back_as_it_was_stored(server: Server) -> None:
    content = bytes(range(256)) * 3000
    blocks: list[bytes] = []
    with open_remote(server) as remote:
        store(remote, "a", content)
        remote.retrieve("a", told=blocks.append)
    assert b"".join(blocks) == content


def test_an_empty_file_is_a_file(server: Server) -> None:
    with open_remote(server) as remote:
        store(remote, "empty", b"")
        assert [(file.name, file.size) for file in remote.files()] == [("empty", 0)]


def test_storing_goes_on_where_it_ended(server: Server, real: RealServer) -> None:
    source = BytesIO(b"first second")
    with open_remote(server) as remote:
        store(remote, "a", b"first ")
        source.seek(6)
        remote.store("a", source.read, told=lambda _block: None, offset=6)
    assert (real.folder / "a").read_bytes() == b"first second"


def test_a_rename_replaces_what_stood_there(server: Server, real: RealServer) -> None:
    with open_remote(server) as remote:
        store(remote, "target", b"old and longer")
        store(remote, "temporary", b"new")
        remote.rename("temporary", "target")
        assert [file.name for file in remote.files()] == ["target"]
    assert (real.folder / "target").read_bytes() == b"new"


def test_files_are_listed_by_name_without_folders(server: Server, real: RealServer) -> None:
    (real.folder / "folder").mkdir()
    with open_remote(server) as remote:
        for name in ("b", "ä 2", "a"):
            store(remote, name, name.encode())
        found = [(file.name, file.size, file.modified is not None) for file in remote.files()]
    (real.folder / "folder").rmdir()
    assert found == [("a", 1, True), ("b", 1, True), ("ä 2", 4, True)]


def test_an_empty_folder_is_listed(server: Server) -> None:
    with open_remote(server) as remote:
        assert remote.files() == []


def test_what_is_not_there_is_not_found(server: Server) -> None:
    with open_remote(server) as remote:
        assert remote.find("nothing") is None
        with pytest.raises(AbsentError):
            remote.remove("nothing")
        with pytest.raises(AbsentError):
            read(remote, "nothing")
        with pytest.raises(AbsentError):
            remote.rename("nothing", "something")


def test_a_removed_file_is_gone(server: Server) -> None:
    with open_remote(server) as remote:
        store(remote, "a", b"content")
        remote.remove("a")
        assert remote.find("a") is None


def test_a_connection_goes_on_after_a_refusal(server: Server) -> None:
    with open_remote(server) as remote:
        with pytest.raises(DeliveryError):
            remote.remove("nothing")
        store(remote, "a", b"content")
        assert read(remote, "a") == b"content"


def test_a_missing_folder_is_said(server: Server) -> None:
    folder = f"{server.address.folder.rstrip('/')}/missing"
    with pytest.raises(DeliveryError) as caught:
        open_remote(_with_folder(server, folder))
    assert caught.value.reason in (Reason.NOT_FOUND, Reason.PERMISSION)
    assert "missing" in str(caught.value)


def _with_folder(server: Server, folder: str) -> Server:
    return replace(server, address=replace(server.address, folder=folder))
