"""The peer of the fragment's bench: a Flask application whose only view answers nothing."""

from flask import Flask

app = Flask(__name__)


@app.get("/")
def empty() -> str:
    """Answer nothing."""
    return ""
