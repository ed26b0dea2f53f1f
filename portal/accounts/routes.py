"""Signing in and out, one's own account, and the administration of users."""

from collections.abc import Sequence
from urllib.parse import urlencode

from flask import Blueprint, Response, request
from flask_login import current_user
from flask_wtf import FlaskForm

from portal.accounts import service, sessions
from portal.accounts.forms import ROLE_LABELS, NewUserForm, PasswordForm, RolesForm, SignInForm
from portal.accounts.models import User
from portal.accounts.passwords import make_one_time_password
from portal.accounts.permissions import Permission, Role
from portal.accounts.sign_in import (
    TooManyAttemptsError,
    WrongPasswordError,
    change_own_password,
    sign_in,
    sign_out,
)
from portal.accounts.tokens.routes import bp as tokens
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.web.access import (
    Access,
    current_actor,
    go,
    protect,
    requires,
    safe_next,
    with_one_time_password,
)
from portal.web.extensions import services, session
from portal.web.pages import page
from portal.web.signed_in import address, carry, drop, signed_in, visitor

bp = Blueprint("accounts", __name__)
protect(bp, Permission.USERS_MANAGE)
bp.register_blueprint(tokens)


@bp.get("/login")
@requires(Access.PUBLIC)
def show_sign_in() -> Response:
    """The form; whoever is signed in already goes on."""
    if current_user.is_authenticated:
        return go(safe_next(request.args.get("next")))
    return page("accounts/login.html", form=SignInForm(next=request.args.get("next", "")))


@bp.post("/login")
@requires(Access.PUBLIC)
def begin_session() -> Response:
    """Sign in: a new token, a new cookie, and on to where one wanted to go."""
    form = SignInForm()
    if not form.validate_on_submit():
        return page("accounts/login.html", 422, form=form)
    try:
        token = sign_in(
            services().runtime,
            name=form.name.data,
            password=form.password.data,
            visitor=visitor(),
        )
    except WrongPasswordError as error:
        form.password.errors = [str(error)]
        return page("accounts/login.html", 422, form=form)
    except TooManyAttemptsError as error:
        return _too_many("accounts/login.html", form, error)
    carry(token)
    return go(safe_next(form.next.data))


@bp.post("/logout")
@requires(Permission.SIGN_IN)
@with_one_time_password
def end_session() -> Response:
    """Sign out: the session's row goes, so the cookie is worth nothing, wherever it was copied."""
    sign_out(services().runtime, signed_in(), visitor=visitor())
    drop()
    return go("/login")


@bp.get("/accounts/me")
@requires(Permission.SIGN_IN)
def show_me() -> Response:
    """One's own account and the browsers that are signed in to it."""
    runtime = services().runtime
    return page(
        "accounts/me.html",
        user=service.get_user(session(), _own_id()),
        role_labels=ROLE_LABELS,
        open_sessions=sessions.list_open(
            session(), user_id=_own_id(), now=runtime.clock(), settings=runtime.settings
        ),
        this_session=signed_in().token_hash,
    )


@bp.post("/accounts/me/sessions/<token_hash>/end")
@requires(Permission.SIGN_IN)
def end_own_session(token_hash: str) -> Response:
    """Sign another browser of one's own out."""
    service.end_session(
        session(),
        token_hash,
        actor=current_actor(),
        now=services().runtime.clock(),
        address=address(),
    )
    session().commit()
    return go("/accounts/me")


@bp.post("/accounts/me/sessions/end")
@requires(Permission.SIGN_IN)
def end_other_sessions() -> Response:
    """Sign all browsers of one's own out, except this one."""
    service.end_other_sessions(
        session(),
        signed_in().token_hash,
        actor=current_actor(),
        now=services().runtime.clock(),
        address=address(),
    )
    session().commit()
    return go("/accounts/me")


@bp.get("/accounts/password")
@requires(Permission.SIGN_IN)
@with_one_time_password
def show_password() -> Response:
    """The form for another password; the first page of whoever has a one-time password."""
    return page("accounts/password.html", form=PasswordForm(), **_forced())


@bp.post("/accounts/password")
@requires(Permission.SIGN_IN)
@with_one_time_password
def change_password() -> Response:
    """Change one's own password; every other browser is signed out."""
    form = PasswordForm()
    if not form.validate_on_submit():
        return page("accounts/password.html", 422, form=form, **_forced())
    try:
        token = change_own_password(
            services().runtime,
            signed_in(),
            current=form.current.data,
            new=form.new.data,
            visitor=visitor(),
        )
    except WrongPasswordError as error:
        form.current.errors = [str(error)]
    except InvalidError as error:
        form.new.errors = [str(error)]
    except TooManyAttemptsError as error:
        return _too_many("accounts/password.html", form, error, **_forced())
    else:
        carry(token)
        return go("/")
    return page("accounts/password.html", 422, form=form, **_forced())


@bp.get("/accounts")
def list_users() -> Response:
    """Everybody who may sign in, by name."""
    text = request.args.get("q", "")
    found = service.list_users(session(), text=text, after=request.args.get("after", ""))
    rest = urlencode({"q": text, "after": found[-1].name_key}) if _is_full(found) else None
    return page(
        "accounts/list.html",
        users=found,
        text=text,
        older_url=f"/accounts?{rest}" if rest else None,
    )


@bp.get("/accounts/new")
def show_new_user() -> Response:
    """The form for another user."""
    return page("accounts/new.html", form=NewUserForm())


@bp.post("/accounts/new")
def create_user() -> Response:
    """Make a user. The answer shows the one-time password, this one time."""
    form = NewUserForm()
    if not form.validate_on_submit():
        return page("accounts/new.html", 422, form=form)
    password = make_one_time_password()
    try:
        user = service.create_user(
            session(),
            actor=current_actor(),
            name=form.name.data,
            display_name=form.display_name.data or "",
            email=form.email.data or "",
            roles=[Role(role) for role in form.roles.data],
            password=password,
            now=services().runtime.clock(),
            address=address(),
        )
    except (ConflictError, InvalidError) as error:
        form.name.errors = [str(error)]
        return page("accounts/new.html", 422, form=form)
    session().commit()
    return page("accounts/one_time_password.html", user=user, password=password, new=True)


@bp.get("/accounts/<int:user_id>")
def show_user(user_id: int) -> Response:
    """One user: roles, state, password."""
    return _user_page(service.get_user(session(), user_id))


@bp.post("/accounts/<int:user_id>/roles")
def set_roles(user_id: int) -> Response:
    """Give the user exactly these roles."""
    user, form = service.get_user(session(), user_id), RolesForm()
    if not form.validate_on_submit():
        return _user_page(user, form, status=422)
    service.set_roles(
        session(),
        user,
        actor=current_actor(),
        roles=[Role(role) for role in form.roles.data],
        now=services().runtime.clock(),
        address=address(),
    )
    session().commit()
    return go(f"/accounts/{user_id}")


@bp.post("/accounts/<int:user_id>/disable")
def disable_user(user_id: int) -> Response:
    """Shut the user out at once."""
    user = service.get_user(session(), user_id)
    now = services().runtime.clock()
    service.disable_user(session(), user, actor=current_actor(), now=now, address=address())
    session().commit()
    return go(f"/accounts/{user_id}")


@bp.post("/accounts/<int:user_id>/enable")
def enable_user(user_id: int) -> Response:
    """Let the user sign in again."""
    user = service.get_user(session(), user_id)
    now = services().runtime.clock()
    service.enable_user(session(), user, actor=current_actor(), now=now, address=address())
    session().commit()
    return go(f"/accounts/{user_id}")


@bp.post("/accounts/<int:user_id>/one-time-password")
def give_one_time_password(user_id: int) -> Response:
    """Replace the user's password. The answer shows the new one, this one time."""
    user, password = service.give_one_time_password(
        session(),
        user_id,
        actor=current_actor(),
        now=services().runtime.clock(),
        address=address(),
    )
    session().commit()
    return page("accounts/one_time_password.html", user=user, password=password, new=False)


def _user_page(user: User, form: RolesForm | None = None, *, status: int = 200) -> Response:
    filled = form or RolesForm(roles=[row.role for row in user.roles])
    return page("accounts/show.html", status, user=user, form=filled)


def _too_many(
    template: str, form: FlaskForm, error: TooManyAttemptsError, **more: bool
) -> Response:
    form.form_errors.append(str(error))
    response = page(template, 429, form=form, **more)
    response.headers["Retry-After"] = str(error.seconds)
    return response


def _is_full(found: Sequence[User]) -> bool:
    return len(found) == service.LISTED


def _own_id() -> int:
    user_id = current_actor().user_id
    if user_id is None:
        raise NotFoundError("Portal itself has no account.")
    return user_id


def _forced() -> dict[str, bool]:
    return {"forced": signed_in().must_change_password}
