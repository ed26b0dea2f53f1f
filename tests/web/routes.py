"""The application's own map: every rule with every method, and addresses for them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask import Flask

from portal.web.access import Declared, declared

SAFE = ("GET",)
_WORD = re.compile(r"<(?:(?P<kind>\w+)(?:\((?P<choice>\w+)[^)]*\))?:)?(?P<name>\w+)>")
_UNKNOWN = {"int": "4711", "path": "no/such.html"}
STATIC = {"filename": "portal.css"}


@dataclass(frozen=True)
class Route:
    endpoint: str
    method: str
    rule: str
    needs: Declared | None

    def url(self, known: Mapping[str, str] | None = None) -> str:
        """An address that fits; what is not in `known` does not exist."""

        def fill(word: re.Match[str]) -> str:
            default = word["choice"] or _UNKNOWN.get(word["kind"] or "", "f" * 64)
            return (STATIC | dict(known or {})).get(word["name"], default)

        return _WORD.sub(fill, self.rule)

    @property
    def for_programs(self) -> bool:
        """Whether it stands below /api, where tokens count and cookies do not."""
        return self.rule.startswith("/api/")

    def words(self) -> set[str]:
        return {word["name"] for word in _WORD.finditer(self.rule)}

    def __str__(self) -> str:
        return f"{self.method} {self.rule}"


def routes(app: Flask) -> Iterator[Route]:
    for rule in app.url_map.iter_rules():
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield Route(rule.endpoint, method, rule.rule, declared(app, rule.endpoint))
