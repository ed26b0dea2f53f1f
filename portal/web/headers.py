"""The headers that every answer carries."""

from flask import Response, request

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'; manifest-src 'self'"
)
ALWAYS = (
    ("Content-Security-Policy", CSP),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "same-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(), geolocation=(), microphone=()"),
)
_PRIVATE = (("Cache-Control", "no-store"),)
HSTS = "max-age=31536000"


def add_headers(response: Response) -> Response:
    """Security headers on everything; pages are not stored, fragments are asked for again.

    What the view has set stays. The names are looked at once: this runs for every poll.
    """
    headers = response.headers
    present = {name.lower() for name, _ in headers}
    static = request.endpoint == "static"
    wanted = ALWAYS if static else ALWAYS + _PRIVATE
    if request.is_secure:
        wanted = (*wanted, ("Strict-Transport-Security", HSTS))
    headers.extend([(name, value) for name, value in wanted if name.lower() not in present])
    if not static:
        _vary(response, known="vary" in present)
    return response


def _vary(response: Response, *, known: bool) -> None:
    if known:
        response.vary.update(("Cookie", "HX-Request"))
    else:
        response.headers.add("Vary", "Cookie, HX-Request")
