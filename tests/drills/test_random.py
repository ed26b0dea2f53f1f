"""Kills at random moments (fixed seeds; DRILL_KILLS for more), judged by the history alone."""

import os
import random
import subprocess
import threading

import psutil
import pytest

from portal.jobs.models import JobState
from tests.drills.site import Site

SEEDS = (1, 2, 3, 4)
KILLS = int(os.environ.get("DRILL_KILLS", "120"))
KILLS_A_RUN = max(1, KILLS // (2 * len(SEEDS)))
STEPS = 8


class Chaos:
    """Kills a worker, a work-horse, the reconciler or Redis, and starts it again."""

    def __init__(self, site: Site, chance: random.Random) -> None:
        self.site = site
        self.chance = chance
        self.workers = [site.start_worker(), site.start_worker()]
        self.reconciler = site.start_reconciler()

    def strike(self) -> None:
        threading.Event().wait(self.chance.uniform(0.05, 0.4))
        self.chance.choices(
            (self._worker, self._horse, self._reconciler, self._redis), weights=(4, 4, 1, 1)
        )[0]()

    def _worker(self) -> None:
        index = self.chance.randrange(len(self.workers))
        self._kill(self.workers[index])
        self.workers[index] = self.site.start_worker()

    def _horse(self) -> None:
        for horse in psutil.Process(self.chance.choice(self.workers).pid).children():
            horse.kill()

    def _reconciler(self) -> None:
        self._kill(self.reconciler)
        self.reconciler = self.site.start_reconciler()

    def _redis(self) -> None:
        self.site.redis.kill()
        self.site.redis.start()

    def _kill(self, process: "subprocess.Popen[bytes]") -> None:
        process.kill()
        process.wait()


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.timeout(600 + 5 * KILLS_A_RUN)
def test_kills_at_random_moments_lose_nothing_and_repeat_nothing(site: Site, seed: int) -> None:
    patient = site.with_attempts(1000)
    chaos = Chaos(patient, random.Random(seed))
    jobs = []
    for number in range(KILLS_A_RUN):
        jobs += [
            patient.submit("count", subject=f"{number}/{part}", steps=STEPS) for part in range(2)
        ]
        chaos.strike()
    for job in jobs:
        patient.wait_for(job, JobState.SUCCEEDED)
        assert patient.effects(job) == dict.fromkeys(range(STEPS), 1)
    patient.check_history()
