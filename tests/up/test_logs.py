"""One stream of lines: readable or JSON, each with its time and its part."""

import io
import json
import subprocess
import sys

import pytest

from portal.logs import LogStream, as_text, parse_line

SPEAKING = """
import logging, structlog, sys
from portal.logs import configure_logging
from portal.settings import Settings
configure_logging(Settings.from_environment())
configure_logging(Settings.from_environment())
structlog.get_logger("portal.try").info("from structlog", job="j1")
logging.getLogger("portal.plain").info("from %s", "stdlib")
logging.getLogger("portal.plain").debug("unheard")
try:
    1 / 0
except ZeroDivisionError:
    structlog.get_logger("portal.try").exception("it broke")
"""


def speak(**environment):
    done = subprocess.run(
        [sys.executable, "-c", SPEAKING], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    return done.stderr.splitlines()


def relayed(line, log_format):
    stream = io.StringIO()
    LogStream(stream, log_format=log_format).relay("web", line)
    return stream.getvalue()


def test_json_lines_are_whole_and_alike_from_both_kinds_of_loggers():
    first, second, third = map(json.loads, speak(PORTAL_LOG_FORMAT="json"))
    assert (first["event"], first["job"], first["level"]) == ("from structlog", "j1", "info")
    assert (second["event"], second["logger"]) == ("from stdlib", "portal.plain")
    assert "ZeroDivisionError" in third["exception"]
    assert all(one["time"].endswith("Z") for one in (first, second, third))


def test_text_lines_are_readable_and_a_traceback_is_indented_below():
    first, second, third, *trace = speak()
    assert first.endswith("from structlog job=j1")
    assert second.endswith("from stdlib")
    assert third.endswith("ERROR it broke")
    assert all(line.startswith("    ") for line in trace)
    assert trace[-1].strip() == "ZeroDivisionError: division by zero"


def test_the_level_in_the_settings_holds():
    assert len(speak(PORTAL_LOG_LEVEL="ERROR", PORTAL_LOG_FORMAT="json")) == 1


def test_a_childs_json_line_is_passed_on_with_its_part():
    line = json.dumps({"time": "T", "event": "hello", "level": "info", "n": 1}).encode()
    passed = json.loads(relayed(line, "json"))
    assert passed == {"time": "T", "event": "hello", "level": "info", "n": 1, "part": "web"}


def test_a_childs_plain_line_becomes_an_event():
    passed = json.loads(relayed(b"Traceback: \xff", "json"))
    assert passed["event"] == "Traceback: \ufffd"
    assert passed["part"] == "web"


def test_a_relayed_line_reads_time_part_message():
    time, part, message = relayed(b'{"time": "T1", "event": "hello you"}', "text").split(maxsplit=2)
    assert (time, part, message) == ("T1", "web", "hello you\n")


def test_a_child_cannot_name_itself_another_part():
    assert json.loads(relayed(b'{"event": "x", "part": "redis"}', "json"))["part"] == "web"


@pytest.mark.parametrize(
    "broken", [b"{", b"{]", b'"text"', b"[1]", b'{"a":' * 5000, b"{" + b"1" * 9]
)
def test_what_is_no_json_object_stays_text(broken):
    assert parse_line(broken)["event"] == broken.decode()


@pytest.mark.parametrize("end", ["\n", "\r", "\x0b", "\u2028", "\x85"])
def test_a_message_cannot_forge_a_line_of_another_part(end):
    forged = as_text({"time": "T", "part": "web", "event": f"hello{end}T redis owned"})
    assert all(line.startswith("    ") for line in forged.splitlines()[1:])


def test_control_characters_are_spelt_out():
    text = as_text({"time": "T", "event": "red \x1b[31m", "name": "a\nb"})
    assert "\x1b" not in text
    assert "\n" not in text


def test_a_closed_stream_stops_nothing():
    stream = io.StringIO()
    stream.close()
    LogStream(stream, log_format="text").relay("web", b"hello")
