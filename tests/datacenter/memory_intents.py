"""Intents kept in memory: the port's other side, for tests that need no database."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from portal.datacenter.intents import IntentLostError, Standing
from portal.datacenter.steps import Intent


class MemoryIntents:
    def __init__(self) -> None:
        self.standing: dict[str, Standing] = {}

    def find(self, occasion: str) -> Standing | None:
        found = (one for one in self.standing.values() if one.intent.occasion == occasion)
        return next(found, None)

    def open(self, intent: Intent) -> Standing:
        return self.standing.setdefault(intent.id, Standing(intent=intent, token=1, result=None))

    def take(self, intent_id: str) -> Standing:
        known = self.standing[intent_id]
        self.standing[intent_id] = replace(known, token=known.token + 1)
        return self.standing[intent_id]

    def keep(self, standing: Standing) -> None:
        if self.standing[standing.intent.id].token != standing.token:
            raise IntentLostError("taken over")

    def done(self, standing: Standing, result: Mapping[str, Any]) -> None:
        self.keep(standing)
        self.standing[standing.intent.id] = replace(standing, result=result)

    def forgotten(self) -> list[str]:
        return [one.intent.id for one in self.standing.values() if one.result is None]
