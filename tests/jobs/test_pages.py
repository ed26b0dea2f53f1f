"""The pages of jobs: who sees which, what they filter, and what one can do there."""

import pytest
from sqlalchemy import event, select, update

from portal.accounts.permissions import Role
from portal.jobs.dashboard import look
from portal.jobs.models import Job, JobAttempt, Notification
from portal.jobs.queries import PAGE, JobFilter, count_ended, list_jobs
from tests.jobs.kinds import SECRET


@pytest.mark.parametrize("url", ["/", "/jobs", "/notifications", "/jobs?scope=all"])
def test_pages_ask_strangers_to_sign_in(guest, url):
    answer = guest.get(url)
    assert (answer.status_code, answer.headers["Location"][:6]) == (303, "/login")


@pytest.mark.parametrize("url", ["/", "/jobs", "/notifications"])
def test_pages_without_anything_to_show_say_what_to_do(browse, anna, url):
    answer = browse(anna).get(url)
    assert answer.status_code == 200
    assert "empty" in answer.text


def test_the_list_shows_ones_own_jobs_only(browse, make_actor, jobs, anna):
    jobs.queued(title="Hers", subject="1", actor=anna)
    mia = make_actor("mia", Role.MEMBER)
    jobs.queued(title="Mine", subject="2", actor=mia)
    text = browse(mia).get("/jobs?scope=all").text
    assert "Mine" in text
    assert "Hers" not in text


def test_who_sees_all_jobs_can_switch_to_them(browse, boss, anna, jobs):
    jobs.queued(title="Hers", actor=anna)
    browser = browse(boss)
    assert "Hers" not in browser.get("/jobs").text
    assert "Hers" in browser.get("/jobs?scope=all").text


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("state=failed", {"broken"}),
        ("state=queued", {"waiting"}),
        ("text=WAIT", {"waiting"}),
        ("area=test", {"waiting", "broken"}),
        ("area=projects", set()),
        ("user=anna", {"waiting"}),
        ("user=system", {"broken"}),
        ("user=nobody", set()),
        ("text=100%25", set()),
    ],
)
def test_a_filter_is_an_address(browse, boss, anna, jobs, query, shown):
    jobs.queued(title="waiting", subject="1", actor=anna)
    jobs.ended("fail", title="broken", subject="2")
    text = browse(boss).get(f"/jobs?scope=all&{query}").text
    assert {title for title in ("waiting", "broken") if f">{title}</a>" in text} == shown


def test_the_list_is_paged_by_number_in_both_directions(runtime, jobs, anna):
    for number in range(5):
        jobs.queued(subject=str(number), actor=anna)
    with runtime.reads() as session:
        first = list_jobs(session, actor=anna, wanted=JobFilter(), size=2)
        older = JobFilter(older_than=first.rows[-1].number)
        second = list_jobs(session, actor=anna, wanted=older, size=2)
        newer = JobFilter(newer_than=second.rows[0].number)
        back = list_jobs(session, actor=anna, wanted=newer, size=2)
    assert (first.newer, first.older) == (False, True)
    assert (second.newer, second.older) == (True, True)
    assert [row.number for row in back.rows] == [row.number for row in first.rows]


def test_a_poll_keeps_the_rows_that_are_shown(browse, anna, jobs, runtime):
    jobs.queued(title="shown", subject="1", actor=anna)
    with runtime.reads() as session:
        number = session.scalar(select(Job.number))
    jobs.queued(title="later", subject="2", actor=anna)
    text = browse(anna).htmx("GET", f"/jobs?until={number}").text
    assert "shown" in text
    assert ">later</a>" not in text
    assert "Newer" in text


def test_a_list_without_active_jobs_does_not_poll(browse, anna, jobs):
    jobs.ended(actor=anna)
    assert "every 3s" not in browse(anna).get("/jobs").text


def test_a_page_is_full_at_its_size(browse, anna, jobs):
    for number in range(PAGE + 1):
        jobs.queued(subject=str(number), actor=anna)
    text = browse(anna).get("/jobs").text
    assert text.count('<tr id="job-row-') == PAGE
    assert "Older" in text


def test_a_unique_beginning_of_an_id_leads_to_the_job(browse, anna, jobs):
    job_id = jobs.queued(actor=anna)
    answer = browse(anna).get(f"/jobs/{job_id[:8]}")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/jobs/{job_id}")


def test_the_page_of_a_job_shows_log_result_and_attempts(browse, anna, jobs):
    text = browse(anna).get(f"/jobs/{jobs.ended('talk', actor=anna)}").text
    for shown in ("three pages are written", "Pages", "Attempts", "Succeeded"):
        assert shown in text


def test_a_traceback_is_for_admins_only(browse, anna, boss, jobs):
    job_id = jobs.ended("fail", actor=anna)
    assert SECRET not in browse(anna).get(f"/jobs/{job_id}").text
    assert SECRET in browse(boss).get(f"/jobs/{job_id}").text


def test_the_log_goes_on_after_the_line_that_the_page_has(browse, anna, jobs):
    job_id = jobs.ended("talk", actor=anna)
    browser = browse(anna)
    assert "three pages" in browser.htmx("GET", f"/jobs/{job_id}/log?after=0").text
    assert "three pages" not in browser.htmx("GET", f"/jobs/{job_id}/log?after=999999").text


def test_the_log_of_running_work_without_news_changes_nothing(browse, anna, jobs):
    job_id = jobs.running(actor=anna)
    assert browse(anna).htmx("GET", f"/jobs/{job_id}/log?after=0").status_code == 204


def test_a_queued_job_can_be_cancelled_without_scripts(browse, anna, jobs, runtime):
    job_id = jobs.queued(actor=anna)
    answer = browse(anna).post(f"/jobs/{job_id}/cancel")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/jobs/{job_id}")
    assert state_of(runtime, job_id) == "cancelled"


def test_cancelling_over_htmx_answers_with_the_fragment(browse, anna, jobs):
    answer = browse(anna).htmx("POST", f"/jobs/{jobs.queued(actor=anna)}/cancel")
    assert answer.status_code == 200
    assert "Cancelled" in answer.text
    assert "<html" not in answer.text


def test_a_retry_makes_a_second_attempt_and_is_told_on_the_page(browse, anna, jobs, runtime):
    job_id = jobs.ended("fail", actor=anna)
    browser = browse(anna)
    assert browser.post(f"/jobs/{job_id}/retry").status_code == 303
    with runtime.reads() as session:
        numbers = session.scalars(select(JobAttempt.number).where(JobAttempt.job_id == job_id))
        assert sorted(numbers) == [1, 2]
    assert "tried it again" in browser.get(f"/jobs/{job_id}").text


def test_a_retry_while_an_equal_job_is_active_joins_it(browse, anna, jobs):
    job_id = jobs.ended("fail", actor=anna)
    other = jobs.queued("fail", actor=anna)
    answer = browse(anna).htmx("POST", f"/jobs/{job_id}/retry")
    assert f"job-{other}" in answer.text
    assert "asked for already" in answer.headers["HX-Trigger"]


def test_who_may_see_but_not_manage_is_refused(browse, make_actor, jobs):
    mia = make_actor("mia", Role.MEMBER)
    assert browse(mia).post(f"/jobs/{jobs.queued(actor=mia)}/cancel").status_code == 403


def test_a_job_of_others_can_neither_be_seen_nor_cancelled(browse, make_actor, jobs, anna):
    browser = browse(make_actor("mia", Role.MEMBER))
    job_id = jobs.queued(actor=anna)
    assert browser.get(f"/jobs/{job_id}").status_code == 404
    assert browser.post(f"/jobs/{job_id}/cancel").status_code == 404


def test_the_dashboard_names_what_needs_attention(browse, anna, jobs):
    jobs.ended("fail", title="Broken thing", actor=anna)
    text = browse(anna).get("/").text
    assert "One job needs attention" in text or "No worker is running" in text
    assert "Broken thing" in text


def test_the_dashboard_counts_what_its_list_leaves_out(browse, anna, jobs, runtime):
    for number in range(11):
        jobs.ended("fail", subject=str(number), actor=anna)
    with runtime.reads() as session:
        facts = look(session, runtime=runtime, actor=anna)
    assert (facts.attention_count, len(facts.troubled), facts.unlisted_count) == (11, 8, 3)
    assert "and 3 more" in browse(anna).get("/").text


def test_the_dashboard_does_not_read_every_job_there_ever_was(runtime, boss, clock):
    asked = []
    event.listen(runtime.engine, "before_cursor_execute", lambda *call: asked.append(call[2:4]))
    with runtime.reads() as session:
        count_ended(session, actor=boss, since=clock())
        (statement, parameters) = asked[-1]
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            connection.exec_driver_sql("SET enable_seqscan = off")
        how = "EXPLAIN QUERY PLAN " if connection.dialect.name == "sqlite" else "EXPLAIN "
        plan = connection.exec_driver_sql(how + statement, parameters).all()
    assert "ix_job_state_ended_at" in str(plan)


def test_the_dashboard_leads_to_the_areas(browse, anna):
    text = browse(anna).get("/").text
    assert '<nav class="stats" aria-label="Areas">' in text
    assert 'class="card stat " href="/projects"' in text


def test_the_dashboards_poll_brings_a_fragment(browse, anna):
    answer = browse(anna).htmx("GET", "/")
    assert "<html" not in answer.text
    assert 'id="dashboard"' in answer.text


def test_a_message_is_unread_until_it_is_marked(browse, anna, jobs, runtime):
    jobs.ended("fail", actor=anna)
    browser = browse(anna)
    assert "1 unread" in browser.get("/notifications").text
    with runtime.reads() as session:
        message_id = session.scalar(select(Notification.id))
    assert browser.post(f"/notifications/{message_id}/read").status_code == 303
    assert "All read" in browser.get("/notifications").text


def test_all_messages_can_be_marked_at_once(browse, anna, jobs):
    jobs.ended("fail", actor=anna)
    browser = browse(anna)
    browser.post("/notifications/read")
    assert "All read" in browser.get("/notifications").text


def test_the_messages_of_others_cannot_be_marked(browse, anna, boss, jobs, runtime):
    jobs.ended("fail", actor=anna)
    with runtime.reads() as session:
        message_id = session.scalar(select(Notification.id))
    assert browse(boss).post(f"/notifications/{message_id}/read").status_code == 404


def test_a_job_whose_title_is_markup_is_shown_as_text(browse, anna, jobs, runtime):
    job_id = jobs.queued(actor=anna)
    with runtime.sessions.begin() as session:
        session.execute(update(Job).values(title="<script>alert(1)</script>"))
    for url in ("/", "/jobs", f"/jobs/{job_id}"):
        assert "<script>alert" not in browse(anna).get(url).text


def state_of(runtime, job_id):
    with runtime.reads() as session:
        return session.scalar(select(Job.state).where(Job.id == job_id))
