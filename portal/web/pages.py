"""Rendering: pages get the frame's facts, fragments get only what they are given."""

import hashlib
from typing import Any

from flask import Response, current_app, g, make_response, render_template, request
from flask import session as cookie
from flask_login import current_user
from flask_wtf.csrf import generate_csrf

from portal import __version__
from portal.accounts.permissions import Actor
from portal.web.extensions import NavigationItem, services, session


def page(template: str, status: int = 200, **context: Any) -> Response:
    """A full page: the frame's facts (navigation, unread messages, who is signed in) come along."""
    actor = current_user.actor if current_user.is_authenticated else None
    return make_response(
        render_template(template, **frame(actor), portal_version=__version__, **context), status
    )


def fragment(template: str, status: int = 200, **context: Any) -> Response:
    """A fragment. With an ETag of its content: a poll that would change nothing is answered 304.

    The token in its forms is written anew each time; the secret that it stands for counts.
    """
    text = current_app.jinja_env.get_template(template).render(context)
    response = make_response(text, status)
    if request.method == "GET" and status == 200:
        response.set_etag(_tag(text))
        response.headers["Cache-Control"] = "private, no-cache"
        response.make_conditional(request)
    return response


def frame(actor: Actor | None) -> dict[str, Any]:
    """What base.html shows around every page for `actor`."""
    if actor is None:
        return {"actor": None, "navigation": [], "administration": [], "unread": 0}
    return {
        "actor": actor,
        "navigation": _items(services().navigation, actor),
        "administration": _items(services().administration, actor),
        "unread": services().unread(session(), actor),
    }


def area_cards(actor: Actor) -> list[dict[str, Any]]:
    """The areas that `actor` may enter, as the dashboard shows them."""
    return [
        {
            "label": card.label,
            "url": card.url,
            "note": card.note,
            "count": card.count(session(), actor),
        }
        for card in services().cards
        if actor.may(card.permission)
    ]


def csrf_token() -> str:
    """The token that unsafe requests of this browser carry; fragments with forms need it too."""
    token: str = generate_csrf()
    return token


def _tag(text: str) -> str:
    token = g.get("csrf_token")
    shown = text.replace(token, str(cookie.get("csrf_token"))) if token else text
    return hashlib.blake2b(shown.encode(errors="surrogatepass"), digest_size=16).hexdigest()


def _items(items: tuple[NavigationItem, ...], actor: Actor) -> list[dict[str, Any]]:
    return [
        {
            "label": item.label,
            "url": item.url,
            "icon": item.icon,
            "active": _is_active(item.url, request.path),
            "count": item.count(session(), actor) if item.count else None,
        }
        for item in items
        if actor.may(item.permission)
    ]


def _is_active(url: str, path: str) -> bool:
    return path == url if url == "/" else path == url or path.startswith(f"{url}/")
