"""The Flask extensions and what they are told; `services()` is the one door from routes to them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from flask import Flask, current_app, g, has_request_context, request
from flask_login import LoginManager
from flask_sqlalchemy import SQLAlchemy
from flask_sqlalchemy.session import Session as FlaskSession
from flask_wtf.csrf import CSRFProtect
from htmx_flask import Htmx
from sqlalchemy import Connection, Engine
from sqlalchemy.orm import Session

from portal.accounts.permissions import Actor, Permission
from portal.accounts.sessions import open_look_up
from portal.accounts.tokens.bearer import open_look_up as open_bearers
from portal.artifacts.handouts import Handouts
from portal.artifacts.owners import OwnerKinds
from portal.artifacts.sources import NO_SOURCES, FileSources
from portal.db import Base, engine_options, looking, prepare, reading
from portal.jobs.concerns import Concern
from portal.jobs.kinds import Kinds
from portal.jobs.wake import Waker
from portal.lookups import LookUp
from portal.rows.batch_kinds import BatchKinds
from portal.rows.processors import Processors
from portal.runtime import Runtime
from portal.web.paths import below_api

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class RequestSession(FlaskSession):
    """The session of a request; on SQLite a GET takes no write lock."""

    def get_bind(self, *args: Any, **options: Any) -> Any:
        """The engine that reads for GET, the one that writes for the rest."""
        bind = super().get_bind(*args, **options)
        if has_request_context() and request.method in SAFE_METHODS and isinstance(bind, Engine):
            return services().reading
        return bind


class PagesOnly(CSRFProtect):  # type: ignore[misc]  # Flask-WTF is untyped
    """Asks for the page's token wherever the cookie counts, which it does not below /api."""

    def protect(self, *args: Any, **options: Any) -> None:
        """Refuse an unsafe request without the token."""
        if not below_api():
            super().protect(*args, **options)


class CookieOrToken(LoginManager):  # type: ignore[misc]  # Flask-Login is untyped
    """Below /api the Authorization header says who asks, and no cookie; elsewhere the cookie."""

    def _load_user(self) -> None:
        if below_api():
            self._update_request_context_with_user(self._load_user_from_request(request))
        else:
            super()._load_user()


db = SQLAlchemy(model_class=Base, session_options={"class_": RequestSession})
csrf = PagesOnly()
login_manager = CookieOrToken()


@dataclass(frozen=True, kw_only=True)
class NavigationItem:
    """A place in the left navigation; `count(session, actor)` may tell how much there is."""

    label: str
    url: str
    icon: str
    permission: Permission = Permission.SIGN_IN
    count: Callable[[Session, Actor], int] | None = None


@dataclass(frozen=True, kw_only=True)
class AreaCard:
    """An area on the dashboard: the way there, and how much one finds (`count(session, actor)`)."""

    label: str
    url: str
    note: str
    count: Callable[[Session, Actor], int]
    permission: Permission = Permission.SIGN_IN


@dataclass(frozen=True, kw_only=True)
class Services:
    """What routes work with besides the session."""

    runtime: Runtime
    kinds: Kinds
    owners: OwnerKinds
    waker: Waker
    processors: Processors
    batch_kinds: BatchKinds
    reading: Engine
    looking: Engine
    sign_ins: LookUp
    bearers: LookUp
    handouts: Handouts
    sources: FileSources = NO_SOURCES
    navigation: tuple[NavigationItem, ...] = ()
    administration: tuple[NavigationItem, ...] = ()
    cards: tuple[AreaCard, ...] = ()
    unread: Callable[[Session, Actor], int] = field(default=lambda _session, _actor: 0)
    concerns: Callable[[Session, Actor], Sequence[Concern]] = field(
        default=lambda _session, _actor: ()
    )


def services() -> Services:
    """The services of the application that answers this request."""
    return cast("Services", current_app.extensions["portal"])


def session() -> Session:
    """The database session of this request."""
    return cast("Session", db.session)


def reader() -> Connection:
    """A connection of this request for single look-ups; it costs half of a session.

    What every request looks up goes through it. It is given back when the request ends.
    """
    connection = g.get("reader")
    if connection is None:
        connection = g.reader = services().looking.connect()
    return cast("Connection", connection)


def _give_back(_error: BaseException | None) -> None:
    connection = g.pop("reader", None)
    if connection is not None:
        connection.close()


def connect_extensions(
    app: Flask,
    *,
    runtime: Runtime,
    kinds: Kinds,
    owners: OwnerKinds,
    waker: Waker,
    processors: Processors,
    batch_kinds: BatchKinds,
    **shell: Any,
) -> None:
    """Give `app` its extensions; `shell` is what Services has for the pages' frame."""
    url = runtime.settings.database
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = engine_options(url)
    db.init_app(app)
    csrf.init_app(app)
    # The context processor would load the user for every template, fragments included.
    login_manager.init_app(app, add_context_processor=False)
    # A session is the row of its token; tied to an address it would only sign out who roams.
    login_manager.session_protection = None
    Htmx(app)
    app.teardown_request(_give_back)
    with app.app_context():
        prepare(db.engine)
        app.extensions["portal"] = Services(
            runtime=runtime,
            kinds=kinds,
            owners=owners,
            waker=waker,
            processors=processors,
            batch_kinds=batch_kinds,
            reading=reading(db.engine),
            looking=looking(db.engine),
            sign_ins=open_look_up(db.engine),
            bearers=open_bearers(db.engine),
            **shell,
        )
