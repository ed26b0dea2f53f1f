"""The pages of API tokens: one's own, and for administrators anybody's."""

from flask import Blueprint, Response

from portal.accounts import service as users
from portal.accounts.models import ApiToken, User
from portal.accounts.permissions import Permission
from portal.accounts.tokens import service
from portal.accounts.tokens.forms import TokenForm
from portal.errors import ConflictError, InvalidError, NotFoundError
from portal.web.access import current_actor, go, protect, requires
from portal.web.extensions import services, session
from portal.web.pages import page
from portal.web.signed_in import address

bp = Blueprint("tokens", __name__)
protect(bp, Permission.SIGN_IN)


@bp.get("/accounts/me/tokens")
def list_own_tokens() -> Response:
    """One's own tokens, and the form of another."""
    return _own_page(_form())


@bp.post("/accounts/me/tokens")
def create_token() -> Response:
    """Make a token. The answer shows its secret, this one time."""
    form = _form()
    if not form.validate_on_submit():
        return _own_page(form, 422)
    try:
        token, secret = service.create_token(
            session(),
            _own_user(),
            actor=current_actor(),
            name=form.name.data,
            scopes=[Permission(scope) for scope in form.scopes.data],
            days=int(form.days.data) if form.days.data else None,
            now=services().runtime.clock(),
            address=address(),
        )
    except (ConflictError, InvalidError) as error:
        form.name.errors = [str(error)]
        return _own_page(form, 422)
    session().commit()
    return page("accounts/tokens/secret.html", token=token, secret=secret)


@bp.post("/accounts/me/tokens/<int:token_id>/revoke")
def revoke_own_token(token_id: int) -> Response:
    """End a token of one's own for ever."""
    _revoke(token_id, user=_own_user())
    return go("/accounts/me/tokens")


@bp.get("/accounts/<int:user_id>/tokens")
@requires(Permission.USERS_MANAGE)
def list_tokens(user_id: int) -> Response:
    """The tokens of a user."""
    user = users.get_user(session(), user_id)
    return page("accounts/tokens/list.html", user=user, tokens=_tokens(user), form=None)


@bp.post("/accounts/<int:user_id>/tokens/<int:token_id>/revoke")
@requires(Permission.USERS_MANAGE)
def revoke_token(user_id: int, token_id: int) -> Response:
    """End a token of somebody for ever."""
    _revoke(token_id, user=users.get_user(session(), user_id))
    return go(f"/accounts/{user_id}/tokens")


def _revoke(token_id: int, *, user: User) -> None:
    token = service.get_token(session(), token_id, actor=current_actor())
    if token.user_id != user.id:
        raise NotFoundError("There is no such token.")
    now = services().runtime.clock()
    service.revoke_token(session(), token, actor=current_actor(), now=now, address=address())
    session().commit()


def _form() -> TokenForm:
    return TokenForm(current_actor().permissions)


def _own_user() -> User:
    return users.get_user(session(), current_actor().user_id or 0)


def _own_page(form: TokenForm, status: int = 200) -> Response:
    user = _own_user()
    return page("accounts/tokens/list.html", status, user=user, tokens=_tokens(user), form=form)


def _tokens(user: User) -> list[tuple[ApiToken, str]]:
    now = services().runtime.clock()
    found = service.list_tokens(session(), user_id=user.id)
    return [(token, service.state_of(token, now=now)) for token in found]
