"""Logs of processing: the original's lines, searched by expressions that come to an end."""

import threading
import time
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from portal.datacenter.log_search import NOTHING, search_logs
from portal.datacenter.logs import (
    Event,
    Processed,
    append_event,
    append_events,
    files_of,
    log_names,
    updated_message,
)
from portal.errors import InvalidError
from tests.datacenter.scenes import lay

NOW = datetime(2026, 5, 4, 12, 30, 1, 234567, tzinfo=UTC)


def write(folder: Path, *messages: str, processor: str = "users", limit: int = 10_000) -> None:
    for message in messages:
        event = Event(processor=processor, user="anna", message=message)
        append_event(folder, event, now=NOW, zone=UTC, limit=limit)


def found(folder: Path, expression: str, **values: object) -> dict[str, list[str]]:
    results = search_logs(folder, expression, **values)
    return {log.name: [line.split(" - ", 3)[3] for line in log.lines] for log in results.logs}


def test_a_line_tells_time_level_user_and_message(tmp_path: Path) -> None:
    event = Event(processor="users", user="anna", message="hello", level="WARNING")
    append_event(tmp_path, event, now=NOW, zone=ZoneInfo("Europe/Berlin"))
    line = "2026-05-04 14:30:01,234 - WARNING - anna - hello\n"
    assert (tmp_path / "users.log").read_text() == line


def test_a_runs_line_reads_as_the_original_wrote_it() -> None:
    processed = Processed(
        path=Path("/data/x.csv"), mode="create", lines=4, successful=4, failed=0, seconds=0.5
    )
    assert str(processed) == (
        "processed: /data/x.csv, create mode, 4 lines (4 successful/ 0 failed), "
        "0.500 s (0.1250 s/item)"
    )


def test_a_run_without_lines_takes_no_time_for_each() -> None:
    processed = Processed(
        path=Path("x.csv"), mode="update", lines=0, successful=0, failed=0, seconds=0.5
    )
    assert "0.500 s (0.0000 s/item)" in str(processed)


def test_a_records_line_reads_as_the_original_wrote_it() -> None:
    message = updated_message("Users", file="x.csv", key="anna", values={"age": 1, "name": "Anna"})
    assert message == "Users - x.csv - anna - updated: age=1, name=Anna"


@pytest.mark.parametrize("evil", ["a\nb", "a\r\nb", "a\u2028b", "a\x85b", "a\x1b[31mb", "a\0b"])
def test_nobody_can_forge_a_line(tmp_path: Path, evil: str) -> None:
    write(tmp_path, f"{evil} 2026-01-01 00:00:00,000 - INFO - root - all is well")
    assert len((tmp_path / "users.log").read_text().splitlines()) == 1


def test_a_processor_cannot_name_a_file_elsewhere(tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    write(folder, "hello", processor="../../etc/cron")
    assert [path.parent for path in tmp_path.rglob("*.log")] == [folder]


def test_a_long_log_is_put_by_and_goes_on(tmp_path: Path) -> None:
    write(tmp_path, *(f"message {number}" for number in range(6)), limit=90)
    assert log_names(tmp_path) == ["users.log"]
    assert [path.name for path in files_of(tmp_path, "users.log")] == [
        "users.log.1",
        "users.log.2",
        "users.log",
    ]


def test_writers_at_once_lose_no_line(tmp_path: Path) -> None:
    def log(writer: int) -> None:
        for number in range(50):
            write(tmp_path, f"{writer}-{number}", limit=500)

    threads = [threading.Thread(target=log, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    [messages] = found(tmp_path, ".").values()
    expected = {f"{writer}-{number}" for writer in range(4) for number in range(50)}
    assert (set(messages), len(messages)) == (expected, 200)


def test_many_events_are_one_write_each_a_line(tmp_path: Path) -> None:
    events = [Event(processor="users", user="anna", message=str(number)) for number in range(3)]
    append_events(tmp_path, events, now=NOW, zone=UTC)
    assert found(tmp_path, ".") == {"users.log": ["0", "1", "2"]}


def test_results_come_by_log_the_oldest_first_over_older_files_too(tmp_path: Path) -> None:
    write(tmp_path, *(f"row {number}" for number in range(12)), limit=90)
    write(tmp_path, "row x", processor="projects")
    assert found(tmp_path, "row") == {
        "projects.log": ["row x"],
        "users.log": [f"row {number}" for number in range(12)],
    }


def test_one_log_may_be_searched_alone(tmp_path: Path) -> None:
    write(tmp_path, "row 1")
    write(tmp_path, "row 2", processor="projects")
    assert found(tmp_path, "row", logs=["users.log"]) == {"users.log": ["row 1"]}


def test_letters_of_any_script_are_found(tmp_path: Path) -> None:
    write(tmp_path, "Müller", "名前", "Meier")
    assert found(tmp_path, "(?i)MÜLLER|^.*名.$") == {"users.log": ["Müller", "名前"]}


@pytest.mark.parametrize(
    "expression",
    ["(", "a{2,1}", "", r"(a)\1", "(?=a)", "x" * 501, "((a{100}){100}){100}", "\ud800"],
)
def test_what_is_no_expression_is_said(tmp_path: Path, expression: str) -> None:
    with pytest.raises(InvalidError, match=r"^Invalid search expression\.$"):
        search_logs(tmp_path, expression)


def test_where_nothing_is_found_that_is_said(tmp_path: Path) -> None:
    write(tmp_path, "hello")
    assert search_logs(tmp_path, "goodbye").message == NOTHING == "No search results found."


def test_no_expression_hangs(tmp_path: Path) -> None:
    write(tmp_path, "a" * 50_000 + "b", limit=10**9)
    began = time.monotonic()
    search_logs(tmp_path, "(a+)+$|(a|aa)+$|(.*a){20}$")
    assert time.monotonic() - began < 5


def test_a_search_with_too_many_results_says_that_there_are_more(tmp_path: Path) -> None:
    write(tmp_path, *("row" for _ in range(5)))
    assert search_logs(tmp_path, "row", limit=5).cut is False
    results = search_logs(tmp_path, "row", limit=3)
    assert (len(results.logs[0].lines), results.cut) == (3, True)


def test_a_search_out_of_time_says_that_there_may_be_more(tmp_path: Path) -> None:
    write(tmp_path, "row")
    assert search_logs(tmp_path, "row", seconds=-1).cut is True


def test_links_among_the_logs_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("2026 - INFO - x - password\n")
    lay(tmp_path / "logs", {"users.log": b"2026 - INFO - x - hello\n"})
    (tmp_path / "logs" / "evil.log").symlink_to(tmp_path / "secret")
    assert search_logs(tmp_path / "logs", "password").logs == ()


def test_a_binary_log_is_searched_too(tmp_path: Path) -> None:
    lay(tmp_path, {"users.log": b"2026 - INFO - x - \xff\xfe row\n"})
    assert found(tmp_path, "row") == {"users.log": ["\ufffd\ufffd row"]}
