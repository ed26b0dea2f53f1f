"""The servers that partners run, from Debian: vsftpd, pure-ftpd, OpenSSH."""

import getpass
import os
import pwd
import secrets
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.certificates import make_certificate
from tests.waiting import wait_until

UNPACKED = Path(__file__).parents[2] / ".venv" / "servers"
# Of the password "secret". pure-ftpd's own hash takes seconds at each sign-in.
_HASH = (
    "$6$rounds=1000$portaltest$/RFSntTrm/fJDCFMwmHNuH5W"
    "/f6jYBgxiKBePr3V4T5oGm6sYLVMjl12tI7L2hpqiiSD/k8DihSp6P87dT3KY."
)


@dataclass
class RealServer:
    """A running server; `folder` is what its users see."""

    url: str
    port: int
    folder: Path
    certificate: str = ""
    key: str = ""
    host_key: str = ""
    process: subprocess.Popen[bytes] | None = None
    passive: range = range(0)


@contextmanager
def running_vsftpd(
    *, tls: bool = False, implicit: bool = False, **more: object
) -> Iterator[RealServer]:
    """vsftpd as strict as it gets: TLS for all, sessions used again, no plain data.

    `more` are settings of its own.
    """
    with _folders() as (home, files):
        certificate = make_certificate(home / "server.pem") if tls else ""
        port, passive = free_port(), passive_ports()
        settings: dict[str, object] = {
            "listen": "YES",
            "listen_ipv6": "NO",
            "listen_address": "127.0.0.1",
            "listen_port": port,
            "background": "NO",
            "anonymous_enable": "YES",
            "no_anon_password": "YES",
            "anon_root": home,
            "anon_upload_enable": "YES",
            "anon_mkdir_write_enable": "YES",
            "anon_other_write_enable": "YES",
            "anon_world_readable_only": "NO",
            "anon_umask": "022",
            "write_enable": "YES",
            "seccomp_sandbox": "NO",
            "secure_chroot_dir": home / "empty",
            "run_as_launching_user": "NO" if os.geteuid() == 0 else "YES",
            "xferlog_enable": "NO",
            "pasv_min_port": passive.start,
            "pasv_max_port": passive.stop - 1,
            **more,
        }
        if tls:
            settings |= {
                "ssl_enable": "YES",
                "allow_anon_ssl": "YES",
                "force_anon_logins_ssl": "YES",
                "force_anon_data_ssl": "YES",
                "require_ssl_reuse": "YES",
                "ssl_ciphers": "HIGH",
                "implicit_ssl": "YES" if implicit else "NO",
                "rsa_cert_file": home / "server.pem",
                "rsa_private_key_file": home / "server.pem",
            }
        (home / "empty").mkdir()
        config = home / "vsftpd.conf"
        config.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        scheme = ("ftps" if implicit else "ftpes") if tls else "ftp"
        url = f"{scheme}://anonymous@127.0.0.1:{port}/files"
        with _process([_found("vsftpd"), str(config)], port) as process:
            yield RealServer(
                url, port, files, certificate=certificate, process=process, passive=passive
            )


@contextmanager
def running_pure_ftpd(*, tls: bool = False) -> Iterator[RealServer]:
    """pure-ftpd with one virtual user."""
    with _folders() as (home, files):
        certificate = make_certificate(home / "server.pem") if tls else ""
        port = free_port()
        owner = pwd.getpwuid(files.stat().st_uid)
        passwords, database = home / "passwords", home / "users.pdb"
        passwords.write_text(f"test:{_HASH}:{owner.pw_uid}:{owner.pw_gid}::{files}/./{':' * 12}\n")
        make = [_unpacked("usr/bin/pure-pw"), "mkdb", str(database), "-f", str(passwords)]
        subprocess.run(make, check=True, capture_output=True)
        command = [_unpacked("usr/sbin/pure-ftpd"), "-l", f"puredb:{database}", "-E", "-H", "-A"]
        command += ["-S", f"127.0.0.1,{port}", "-c", "30", "-C", "30", "-u", "1"]
        command += ["-g", str(home / "pid")]
        command += ["-Y", "3", "-2", str(home / "server.pem")] if tls else []
        scheme = "ftpes" if tls else "ftp"
        with _process(command, port) as process:
            yield RealServer(
                f"{scheme}://test:secret@127.0.0.1:{port}/",
                port,
                files,
                certificate=certificate,
                process=process,
            )


@contextmanager
def running_sshd(*, host_key: Path | None = None) -> Iterator[RealServer]:
    """OpenSSH for the user who runs the tests, by a key of his."""
    with _folders() as (home, files):
        port = free_port()
        key, host = home / "user_key", host_key or home / "host_key"
        for path in (key, host):
            if not path.exists():
                make = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)]
                subprocess.run(make, check=True)
        config = home / "sshd_config"
        config.write_text(
            f"Port {port}\nListenAddress 127.0.0.1\nHostKey {host}\nPidFile none\nUsePAM no\n"
            f"AuthorizedKeysFile {key}.pub\nStrictModes no\nPermitRootLogin prohibit-password\n"
            "PasswordAuthentication yes\nSubsystem sftp internal-sftp\n"
        )
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        with _process([_found("sshd"), "-D", "-e", "-f", str(config)], port) as process:
            yield RealServer(
                f"sftp://{getpass.getuser()}@127.0.0.1:{port}{files}",
                port,
                files,
                key=key.read_text(),
                host_key=" ".join(Path(f"{host}.pub").read_text().split()[:2]),
                process=process,
            )


def free_port() -> int:
    """A port below those that the kernel gives to connections (found in use: the next one)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def passive_ports() -> range:
    """A range that is not the kernel's own, or vsftpd now and then finds its port taken."""
    first = 24_000 + secrets.randbelow(30) * 250
    return range(first, first + 250)


@contextmanager
def _folders() -> Iterator[tuple[Path, Path]]:
    """A folder for the server's own files, and in it the one that its users see."""
    home = Path(tempfile.mkdtemp(prefix="portal-delivery-", dir="/var/tmp"))
    home.chmod(0o755)
    files = home / "files"
    files.mkdir(mode=0o755)
    if os.geteuid() == 0:
        account = pwd.getpwnam("ftp")
        os.chown(files, account.pw_uid, account.pw_gid)
    try:
        yield home, files
    finally:
        shutil.rmtree(home)


@contextmanager
def _process(command: list[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: _answers(port))
        assert process.poll() is None
        yield process
    finally:
        process.terminate()
        process.wait()


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), 1):
            return True
    except OSError:
        return False


def _found(name: str) -> str:
    path = shutil.which(name) or shutil.which(name, path="/usr/sbin:/sbin")
    assert path is not None, f"{name} is not installed; run `make test-setup`"
    return path


def _unpacked(path: str) -> str:
    found = UNPACKED / path
    assert found.exists(), "pure-ftpd is not unpacked; run `make test-setup`"
    return str(found)
