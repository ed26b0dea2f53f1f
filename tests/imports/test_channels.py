"""Files that a delivery's channel fetched: chosen on a page, or expected by a schedule."""

import html
import os
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask

from portal.accounts.models import User
from portal.accounts.permissions import SYSTEM, Role
from portal.accounts.service import set_roles
from portal.delivery.channels import ChannelOptions, add_channel
from portal.delivery.credentials import open_vault
from portal.delivery.endpoints import Options, add_endpoint
from portal.delivery.spool import Spool
from portal.delivery.states import Direction
from portal.errors import ForbiddenError, InvalidError
from portal.imports.offered import is_offered, parse
from portal.imports.orders import ImportOrder
from portal.imports.scheduled import schedule_import
from portal.jobs.models import Job, JobState
from portal.tables.actions import Action
from tests.imports.browsing import Clerk, clerk_of, grant, rows_of, words
from tests.imports.scenes import Desk, failed, succeeded

PAGE = "/imports/channels"
GOOD = "code,height\na,1\nb,2\n"
DONE = "Successfully imported 2 row(s)"


@dataclass(frozen=True)
class Fetched:
    """The spool of a channel, with files as runs leave them."""

    spool: Spool

    def put(self, name: str, text: str = GOOD, *, age: int = 0) -> None:
        with self.spool.create(name) as stream:
            stream.write(text.encode())
        path = self.spool.path(name, "tmp")
        os.utime(path, (1_700_000_000 - age,) * 2)
        self.spool.move(name, "tmp", "new")


@pytest.fixture
def orders(desk: Desk) -> Fetched:
    """A channel that fetches, beside one that sends."""
    runtime = desk.runtime
    with runtime.sessions.begin() as session:
        add_endpoint(
            session,
            actor=SYSTEM,
            name="partner",
            url="ftps://portal@partner.example.org/out",
            secret="seven brown otters",
            options=Options(),
            vault=open_vault(runtime.settings),
            now=runtime.clock(),
        )
        channels = [
            add_channel(
                session,
                actor=SYSTEM,
                name=name,
                endpoint="partner",
                spool=name,
                direction=direction,
                options=ChannelOptions(),
                settings=runtime.settings,
                now=runtime.clock(),
            )
            for name, direction in (("orders", Direction.FETCH), ("letters", Direction.SEND))
        ]
        return Fetched(Spool(Path(channels[0].spool)))


@pytest.fixture
def clerk(app: Flask, desk: Desk, orders: Fetched) -> Clerk:
    """Who imports, and works with channels too."""
    grant(desk, "trunk", *Action)
    return clerk_of(app, desk, "olga", Role.IMPORT_MANAGER, Role.OPERATOR)


def bring(desk: Desk, path: str, **more: object) -> Job:
    return desk.perform(desk.ask_for(ImportOrder.at(path, table="trunk", **more)))


def test_the_channels_that_fetch_are_shown(clerk: Clerk) -> None:
    text = clerk.browser.get(PAGE).text
    assert [row[0] for row in rows_of(text)] == ["orders from partner"]
    assert f'href="{PAGE}"' in clerk.browser.get("/imports").text


def test_the_files_of_a_channel_are_shown_the_newest_first(clerk: Clerk, orders: Fetched) -> None:
    orders.put("orders-1.csv", age=9)
    orders.put("orders-2.csv")
    orders.put("photo.jpg")
    orders.spool.move("orders-1.csv", "new", "cur")
    text = clerk.browser.get(f"{PAGE}?channel=orders").text
    assert [row[0] for row in rows_of(text)] == ["orders-2.csv", "orders-1.csv"]


def test_a_file_of_a_channel_is_mapped_like_one_that_was_sent(
    clerk: Clerk, orders: Fetched
) -> None:
    orders.put("orders.csv")
    clerk.browser.get(PAGE)
    answer = clerk.browser.post(PAGE, {"channel": "orders", "file": "orders.csv"})
    page = str(answer.location)
    assert page.startswith("/imports/new/")
    assert "orders.csv" in words(clerk.browser.get(page).text)
    assert succeeded(clerk.do(clerk.ask_again(page))) == DONE
    assert orders.spool.names("new") == ["orders.csv"]


@pytest.mark.parametrize(
    ("channel", "file", "said"),
    [
        ("orders", "gone.csv", "The expected file is not there: channel:orders/gone.csv"),
        ("orders", "../new/a.csv", "Write such a file as channel:NAME/FILE"),
        ("orders", "", "Choose a file first."),
    ],
)
def test_what_cannot_be_taken_is_told(clerk: Clerk, channel: str, file: str, said: str) -> None:
    clerk.browser.get(PAGE)
    answer = clerk.browser.post(PAGE, {"channel": channel, "file": file})
    assert said in html.unescape(words(clerk.browser.get(str(answer.location)).text))


@pytest.mark.parametrize("channel", ["letters", "none"])
def test_a_channel_that_fetches_nothing_is_not_found(clerk: Clerk, channel: str) -> None:
    assert clerk.browser.get(f"{PAGE}?channel={channel}").status_code == 404


def test_a_link_in_a_spool_leads_nowhere(clerk: Clerk, orders: Fetched, tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text(GOOD)
    orders.spool.path("link.csv", "new").symlink_to(secret)
    assert rows_of(clerk.browser.get(f"{PAGE}?channel=orders").text) == []
    job = bring(clerk.desk, "channel:orders/link.csv")
    assert failed(job).startswith("link.csv cannot be read")


def test_who_is_no_operator_is_told_so_and_takes_nothing(
    app: Flask, desk: Desk, orders: Fetched
) -> None:
    orders.put("orders.csv")
    grant(desk, "trunk", *Action)
    clara = clerk_of(app, desk)
    shown = words(clara.browser.get(f"{PAGE}?channel=orders").text)
    assert "Channels are for operators" in shown
    assert "orders.csv" not in shown
    assert f'href="{PAGE}"' not in clara.browser.get("/imports").text
    form = {"channel": "orders", "file": "orders.csv"}
    assert clara.browser.post(PAGE, form).status_code == 403
    with pytest.raises(ForbiddenError):
        clara.desk.ask_for(ImportOrder.at("channel:orders/orders.csv", table="trunk"))


def test_a_right_that_is_gone_when_the_worker_begins_counts(
    desk: Desk, clerk: Clerk, orders: Fetched
) -> None:
    orders.put("orders.csv")
    asked = clerk.desk.ask_for(ImportOrder.at("channel:orders/orders.csv", table="trunk"))
    with desk.runtime.sessions.begin() as session:
        olga = session.get_one(User, clerk.desk.actor.user_id)
        set_roles(
            session, actor=SYSTEM, user=olga, roles=[Role.IMPORT_MANAGER], now=desk.runtime.clock()
        )
    job = desk.perform(asked)
    assert job.state == JobState.FAILED
    assert desk.rows("SELECT * FROM trunk") == []


def test_the_newest_file_that_fits_is_imported_once(desk: Desk, orders: Fetched) -> None:
    orders.put("orders-1.csv", age=9)
    orders.put("orders-2.csv", "code,height\nc,3\n")
    job = bring(desk, "channel:orders/orders-*.csv")
    assert succeeded(job) == "Successfully imported 1 row(s)"
    assert desk.batch(job).order.file_name == "orders-2.csv"
    again = failed(bring(desk, "channel:orders/orders-*.csv"))
    assert "no new file is called like channel:orders/orders-*.csv" in again


def test_a_file_that_did_not_come_is_told_on_the_page_of_imports(clerk: Clerk) -> None:
    path = "channel:orders/orders-*.csv"
    clerk.browser.get("/imports/schedules/new")
    form = {"path": path, "table": "trunk", "mode": "insert", "cron": "0 6 * * *"}
    answer = clerk.browser.post("/imports/schedules", form | {"action": "once"})
    assert answer.status_code == 303, answer.text
    told = failed(clerk.do(str(answer.location)))
    assert told == f"The expected file is not there: no file is called like {path}"
    shown = words(clerk.browser.get("/imports").text)
    assert f"An expected file was not there: {path}, for the table trunk" in shown


def test_files_of_a_channel_are_put_on_a_schedule(clerk: Clerk, orders: Fetched) -> None:
    clerk.browser.get("/imports/schedules/new?path=channel:orders/orders-*.csv")
    form = {"path": "channel:orders/orders-*.csv", "table": "trunk", "mode": "insert"}
    form |= {"cron": "0 6 * * *", "action": "schedule"}
    assert clerk.browser.post("/imports/schedules", form).location == "/imports/schedules"
    shown = words(clerk.browser.get("/imports/schedules").text)
    assert "channel:orders/orders-*.csv into trunk" in shown
    wrong = clerk.browser.post("/imports/schedules", form | {"path": "channel:order/a.csv"})
    assert wrong.status_code == 422
    assert "There is no channel 'order' that fetches files." in html.unescape(words(wrong.text))


def test_who_is_no_operator_puts_no_channel_on_a_schedule(desk: Desk, orders: Fetched) -> None:
    grant(desk, "trunk", *Action)
    clara = desk.person("clara", Role.IMPORT_MANAGER)
    order = ImportOrder.at("channel:orders/a.csv", table="trunk")
    with desk.runtime.sessions.begin() as session, pytest.raises(ForbiddenError):
        schedule_import(session, order=order, cron="0 6 * * *", wish=clara.wish())


@pytest.mark.parametrize("path", ["channel:orders", "channel:/a.csv", "channel:a/b/c.csv"])
def test_a_path_that_lacks_a_part_is_refused(path: str) -> None:
    assert is_offered(path)
    with pytest.raises(InvalidError, match="channel:NAME/FILE"):
        parse(path)


@pytest.mark.parametrize("path", ["/drop/a.csv", "https://x.example/a.csv", "a.csv", "C/a:b.csv"])
def test_other_paths_are_not_taken_for_those_of_channels(path: str) -> None:
    assert not is_offered(path)
