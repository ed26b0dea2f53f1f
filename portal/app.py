"""The web application: extensions, areas, navigation, guards."""

from functools import partial
from pathlib import Path
from typing import Any

from flask import Flask, g
from jinja2 import StrictUndefined
from sqlalchemy.orm import Session
from werkzeug.middleware.proxy_fix import ProxyFix

from portal import __version__
from portal.accounts.permissions import Actor, Permission
from portal.accounts.routes import bp as accounts
from portal.artifacts.routes import api as artifacts_api
from portal.artifacts.routes import bp as artifacts
from portal.assembly import BATCH_KINDS, HANDOUTS, KINDS, OWNERS, SOURCES, processors_for
from portal.audit.routes import bp as audit
from portal.datacenter import listing
from portal.datacenter.approving import concerns_of as approvals
from portal.datacenter.routes import bp as datacenter
from portal.delivery.concerns import concerns_of as delivery_concerns
from portal.delivery.concerns import count_to_send
from portal.delivery.routes import bp as delivery
from portal.imports.api.routes import bp as imports_api
from portal.imports.listing import count_active
from portal.imports.routes import bp as imports
from portal.jobs import views, watching
from portal.jobs.api.routes import bp as jobs_api
from portal.jobs.concerns import Concern
from portal.jobs.kinds import Kinds
from portal.jobs.monitoring.latency import LATENCY
from portal.jobs.routes import bp as jobs
from portal.jobs.views import JobView
from portal.jobs.wake import RedisWaker, Waker
from portal.jobs.watching import Watch
from portal.projects.routes import bp as projects
from portal.projects.service import count_projects
from portal.rows.processors import Processors
from portal.rows.routes import bp as rows
from portal.runtime import Runtime
from portal.settings import Settings
from portal.tables.routes import bp as tables
from portal.web.access import guard
from portal.web.bodies import InTime, limit_strangers, refuse_nul
from portal.web.errors import register_errors
from portal.web.extensions import (
    AreaCard,
    NavigationItem,
    Services,
    connect_extensions,
    login_manager,
)
from portal.web.filters import register_filters
from portal.web.headers import add_headers
from portal.web.numbers import NumberConverter
from portal.web.openapi import bp as api
from portal.web.poll_lane import PollLane
from portal.web.signed_in import load_bearer, load_signed_in

AREAS = (accounts, audit, jobs, artifacts, projects, datacenter, imports, rows, tables, delivery)
PROGRAMS = (api, jobs_api, artifacts_api, imports_api)
NAVIGATION = (
    NavigationItem(label="Dashboard", url="/", icon="layout-dashboard"),
    NavigationItem(label="Jobs", url="/jobs", icon="list-checks", count=views.active_count),
    NavigationItem(label="Projects", url="/projects", icon="folder-open"),
    NavigationItem(
        label="Data centre",
        url="/datacenter",
        icon="inbox",
        permission=Permission.DATACENTER_VIEW,
    ),
    NavigationItem(
        label="Imports", url="/imports", icon="upload", permission=Permission.IMPORTS_RUN
    ),
    NavigationItem(
        label="Tables", url="/tables", icon="table", permission=Permission.TABLES_BROWSE
    ),
    NavigationItem(
        label="Table exports",
        url="/table-exports",
        icon="download",
        permission=Permission.TABLES_EXPORT,
    ),
    NavigationItem(
        label="Delivery", url="/delivery", icon="send", permission=Permission.DELIVERY_OPERATE
    ),
)
ADMINISTRATION = (
    NavigationItem(
        label="Schedules",
        url="/schedules",
        icon="calendar-clock",
        permission=Permission.SCHEDULES_MANAGE,
    ),
    NavigationItem(
        label="Users", url="/accounts", icon="users", permission=Permission.USERS_MANAGE
    ),
    NavigationItem(
        label="Audit", url="/audit", icon="scroll-text", permission=Permission.AUDIT_VIEW
    ),
)


def create_app(
    settings: Settings,
    *,
    runtime: Runtime | None = None,
    waker: Waker | None = None,
    kinds: Kinds = KINDS,
) -> Flask:
    """The portal's web application for `settings`."""
    runtime = runtime or Runtime.open(settings)
    processors = processors_for(runtime)
    app = Flask("portal", template_folder=str(ui("templates")), static_folder=str(ui("static")))
    configure(app, settings)
    app.url_map.converters["int"] = NumberConverter
    app.before_request(limit_strangers)  # before the form's token is looked for in the body
    app.before_request(refuse_nul)
    connect_extensions(
        app,
        runtime=runtime,
        kinds=kinds,
        owners=OWNERS,
        processors=processors,
        batch_kinds=BATCH_KINDS,
        handouts=HANDOUTS,
        sources=SOURCES,
        waker=waker or RedisWaker(runtime.redis),
        navigation=NAVIGATION,
        administration=ADMINISTRATION,
        cards=area_cards(settings),
        unread=views.unread_count,
        concerns=partial(concerns_of, processors=processors),
    )
    login_manager.user_loader(load_signed_in)
    login_manager.request_loader(load_bearer)
    app.before_request(guard)
    app.url_defaults(add_version)
    app.after_request(add_headers)
    register_filters(app, zone=settings.zone)
    register_errors(app)
    for area in (*AREAS, *PROGRAMS):
        app.register_blueprint(area)
    app.wsgi_app = InTime(app.wsgi_app)  # type: ignore[method-assign]
    shorten_polls(app)
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def concerns_of(session: Session, actor: Actor, *, processors: Processors) -> list[Concern]:
    """What wants the attention of `actor`, in all areas."""
    return [*approvals(session, actor, processors=processors), *delivery_concerns(session, actor)]


def area_cards(settings: Settings) -> tuple[AreaCard, ...]:
    """The areas on the dashboard."""
    return (
        AreaCard(label="Projects", url="/projects", note="that you may see", count=count_projects),
        AreaCard(
            label="Data centre",
            url="/datacenter",
            note="files that wait",
            count=lambda session, _actor: listing.count_waiting(session, settings=settings),
            permission=Permission.DATACENTER_VIEW,
        ),
        AreaCard(
            label="To repair",
            url="/datacenter?text=.pending.csv",
            note="files with rows that failed",
            count=lambda session, _actor: listing.count_pending(session, settings=settings),
            permission=Permission.DATACENTER_VIEW,
        ),
        AreaCard(
            label="Imports",
            url="/imports",
            note="running or waiting",
            count=count_active,
            permission=Permission.IMPORTS_RUN,
        ),
        AreaCard(
            label="Delivery",
            url="/delivery",
            note="files to send",
            count=count_to_send,
            permission=Permission.DELIVERY_OPERATE,
        ),
    )


def shorten_polls(app: Flask) -> None:
    """Let polls of a job's status take the short way."""
    services: Services = app.extensions["portal"]
    runtime = services.runtime

    def render(job: JobView) -> str:
        with app.test_request_context():
            g.csrf_token = watching.TOKEN  # Flask-WTF takes what stands there
            return app.jinja_env.get_template("jobs/_job.html").render(job=job)

    def observe(status: int, seconds: float) -> None:
        LATENCY.observe(runtime.redis, endpoint="jobs.show_status", status=status, seconds=seconds)

    watch = Watch(
        runtime=runtime,
        looking=services.looking,
        kinds=services.kinds,
        version=__version__,
        render=render,
    )
    lane = PollLane(app, services=services, watch=watch, observe=observe)
    app.wsgi_app = lane  # type: ignore[method-assign]  # as Flask's documentation wraps it


def configure(app: Flask, settings: Settings) -> None:
    """Cookies, limits and templates as the safety page wants them."""
    behind_tls = settings.public_url.startswith("https://")
    app.config.update(
        DEBUG=settings.debug,  # said here, so that FLASK_DEBUG decides nothing
        SECRET_KEY=settings.key(),
        SESSION_COOKIE_NAME="__Host-portal" if behind_tls else "portal",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=behind_tls,
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as the sign-in session
        MAX_CONTENT_LENGTH=settings.upload_limit_mb * 1_000_000,
        MAX_FORM_MEMORY_SIZE=2_000_000,
        SEND_FILE_MAX_AGE_DEFAULT=3600,
    )
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True


def add_version(endpoint: str, values: dict[str, Any]) -> None:
    """Static files are kept by browsers; a new version of Portal gives them new addresses."""
    if endpoint == "static":
        values.setdefault("v", __version__)


def ui(name: str) -> Path:
    """Where the templates or static files are: in the wheel, else beside the package."""
    here = Path(__file__).parent
    inside = here / "_ui" / name
    return inside if inside.is_dir() else here.parent / name
