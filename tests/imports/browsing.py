"""Somebody at the pages of imports, and the worker that does what he asks for."""

import html
import io
import re
from dataclasses import dataclass
from typing import Any

from flask import Flask

from portal.accounts.permissions import Role
from portal.assembly import KINDS
from portal.jobs.engine import JobEngine
from portal.jobs.models import Job
from portal.jobs.runner import perform
from portal.tables.actions import Action
from portal.tables.grants import set_grants
from tests.browser_like import Browser
from tests.imports.scenes import Desk

HTMX = {"HX-Request": "true"}


@dataclass(frozen=True)
class Clerk:
    """A browser in which a user is signed in, and his desk."""

    browser: Browser
    desk: Desk

    def send(self, name: str, text: str | bytes, **more: str) -> str:
        """Send a file; returns the address of its page without what was chosen."""
        content = text if isinstance(text, bytes) else text.encode()
        self.browser.get("/imports")
        answer = self.browser.post("/imports", {"file": (io.BytesIO(content), name), **more})
        assert answer.status_code == 303, answer.text
        return str(answer.location)

    def ask(self, name: str, text: str | bytes, **form: str) -> str:
        """Send a file and ask for what the form says; returns the address of the import."""
        return self.ask_again(self.send(name, text), **form)

    def ask_again(self, page: str, **form: str) -> str:
        table = form.pop("table", "trunk")
        said = {"processor": f"table:{table}", "mode": "create", "action": "import"} | form
        answer = self.browser.post(page.partition("?")[0], said)
        assert answer.status_code == 303, answer.text
        return str(answer.location)

    def do(self, location: str) -> Job:
        """Let a worker do the job of an import."""
        job_id = location.rpartition("/")[2]
        perform(job_id, engine=JobEngine(runtime=self.desk.runtime, kinds=KINDS))
        return self.desk.job(job_id)

    def run(self, name: str, text: str | bytes, **form: str) -> str:
        """Ask and let it be done; returns the address."""
        location = self.ask(name, text, **form)
        self.do(location)
        return location

    def press(self, location: str, action: str) -> str:
        """Press a button of an import's page, and let its job be done."""
        self.browser.get(location)
        answer = self.browser.post(f"{location}/{action}")
        assert answer.status_code == 303, answer.text
        self.do(str(answer.location))
        return str(answer.location)


def clerk_of(app: Flask, desk: Desk, name: str = "clara", *roles: Role) -> Clerk:
    """A clerk with these roles; without, one who imports."""
    person = desk.person(name, *(roles or (Role.IMPORT_MANAGER,)))
    browser = Browser(app)
    assert browser.sign_in(name).status_code == 303
    return Clerk(browser, person)


def grant(desk: Desk, table: str, *actions: Action) -> None:
    """Let who imports do exactly this with a table; the desk is an administrator's."""
    allowed = [one for one in actions if one is not Action.EXPORT]
    with desk.runtime.sessions.begin() as session:
        set_grants(
            session,
            settings=desk.runtime.settings,
            actor=desk.actor,
            table=table,
            grants=frozenset((Role.IMPORT_MANAGER, action) for action in allowed),
            now=desk.runtime.clock(),
        )


def words(text: str) -> str:
    """What stands on a page, as one line."""
    body = re.sub(r"(?s)<(script|style|select|svg).*?</\1>", " ", text.partition("<main")[2])
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def rows_of(text: str) -> list[list[str]]:
    """The cells of all tables of a page, row by row."""
    rows = re.findall(r"(?s)<tr>(.*?)</tr>", text)
    cells: list[Any] = [re.findall(r"(?s)<td[^>]*>(.*?)</td>", row) for row in rows]
    return [[" ".join(re.sub(r"<[^>]+>", " ", c).split()) for c in row] for row in cells if row]
