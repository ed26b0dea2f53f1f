"""Which addresses are the HTTP API's: those below /api, whatever answers there."""

from flask import request

API = "/api"


def below_api() -> bool:
    """Say whether a program asks: no cookie counts there, and every answer is JSON or a file."""
    return request.path == API or request.path.startswith(f"{API}/")
