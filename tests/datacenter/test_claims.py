"""Claims: two workers never take the same file."""

import threading

import pytest

from portal.datacenter.claims import claim_file, claims_of, refuse_claim, release_file
from portal.errors import ConflictError
from portal.runtime import Runtime
from tests.datacenter.jobs import end_job, make_job


def claim(runtime: Runtime, name: str, job_id: str) -> None:
    with runtime.sessions.begin() as session:
        claim_file(session, name=name, job_id=job_id, now=runtime.clock())


@pytest.mark.parametrize("name", ["x.csv", "X.CSV", "x.create.pending.csv"])
def test_a_file_that_a_job_has_is_refused_to_others(runtime: Runtime, name: str) -> None:
    claim(runtime, "x.csv", make_job(runtime))
    with pytest.raises(ConflictError, match=r"x\.csv is being processed"):
        claim(runtime, name, make_job(runtime))


def test_a_job_may_claim_its_file_again(runtime: Runtime) -> None:
    job_id = make_job(runtime)
    claim(runtime, "x.csv", job_id)
    claim(runtime, "x.csv", job_id)
    with runtime.reads() as session:
        assert claims_of(session) == {"x": job_id}


def test_the_claim_of_a_job_that_ended_counts_for_nothing(runtime: Runtime) -> None:
    first, second = make_job(runtime), make_job(runtime)
    claim(runtime, "x.csv", first)
    end_job(runtime, first)
    claim(runtime, "x.csv", second)
    with runtime.reads() as session:
        assert claims_of(session) == {"x": second}


def test_a_released_file_is_free(runtime: Runtime) -> None:
    job_id = make_job(runtime)
    claim(runtime, "x.csv", job_id)
    with runtime.sessions.begin() as session:
        release_file(session, name="x.create.pending.csv", job_id=job_id)
        refuse_claim(session, name="x.csv")


def test_of_many_workers_at_once_one_gets_the_file(runtime: Runtime) -> None:
    jobs = [make_job(runtime) for _ in range(4)]
    taken: list[str] = []
    start = threading.Barrier(len(jobs))

    def work(job_id: str) -> None:
        start.wait()
        try:
            claim(runtime, "x.csv", job_id)
            taken.append(job_id)
        except ConflictError:
            pass

    threads = [threading.Thread(target=work, args=(job_id,)) for job_id in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 1
