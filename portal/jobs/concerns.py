"""What wants somebody's attention and is no job: areas offer it, the dashboard shows it."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Concern:
    """Something that waits for the one who looks; `word` names its state, `url` is its page."""

    title: str
    url: str
    word: str
    text: str
