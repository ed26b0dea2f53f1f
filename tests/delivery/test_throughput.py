"""The chart of a channel's throughput: portions of time in the portal's zone, bars to scale."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import insert

from portal.delivery.chart import HEIGHT, draw, round_above
from portal.delivery.models import DeliveredFile
from portal.delivery.states import FileState
from portal.delivery.throughput import Portion, Span, portions, starts_of
from portal.runtime import Runtime
from tests.delivery.site import Site

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 30, 10, 20, tzinfo=UTC)


def portion(size: int, files: int = 1) -> Portion:
    return Portion(start=NOW, label="", files=files, bytes=size)


def test_a_day_is_told_by_full_hours_that_end_with_this_one() -> None:
    starts = starts_of(Span.DAY, now=NOW, zone=BERLIN)
    assert len(starts) == 24
    assert starts[-1].isoformat() == "2026-03-30T12:00:00+02:00"


def test_a_month_is_told_by_days_of_the_zone_also_where_the_clock_is_changed() -> None:
    starts = starts_of(Span.MONTH, now=NOW, zone=BERLIN)
    assert len(starts) == 30
    assert {start.hour for start in starts} == {0}
    assert starts[-2].astimezone(UTC) - starts[-3].astimezone(UTC) == timedelta(hours=24)
    assert starts[-1].astimezone(UTC) - starts[-2].astimezone(UTC) == timedelta(hours=23)


def test_each_file_counts_in_the_hour_in_which_it_ended(runtime: Runtime, tmp_path: Path) -> None:
    site = Site(runtime, url="ftp://test@127.0.0.1:9/", folder=tmp_path)
    common = {"channel_id": site.channel_id, "job_id": "f" * 32, "token": 1, "started_at": NOW}
    rows = [
        {"name": "a", "size": 5, "state": FileState.DELIVERED, "ended_at": NOW},
        {"name": "b", "size": 7, "state": FileState.RECEIVED, "ended_at": NOW},
        {"name": "c", "size": 9, "state": FileState.QUARANTINED, "ended_at": NOW},
        {
            "name": "d",
            "size": 3,
            "state": FileState.DELIVERED,
            "ended_at": NOW.replace(minute=0) - timedelta(microseconds=1),
        },
        {
            "name": "e",
            "size": 11,
            "state": FileState.DELIVERED,
            "ended_at": NOW - timedelta(days=2),
        },
    ]
    with runtime.sessions.begin() as session:
        session.execute(insert(DeliveredFile), [common | row for row in rows])
    with runtime.reads() as session:
        found = portions(session, channel_id=site.channel_id, span=Span.DAY, now=NOW, zone=BERLIN)
    assert [(one.label, one.files, one.bytes) for one in found[-2:]] == [
        ("11:00", 1, 3),
        ("12:00", 2, 12),
    ]
    assert sum(one.files for one in found) == 3


def test_bars_stand_side_by_side_below_a_round_number() -> None:
    chart = draw([portion(0, 0), portion(150), portion(300)])
    assert (chart.top, chart.files, chart.bytes) == (500, 2, 450)
    assert [bar.height for bar in chart.bars] == [0.0, 36.0, 72.0]
    assert all(bar.y + bar.height == HEIGHT for bar in chart.bars)


def test_little_is_seen_beside_much() -> None:
    chart = draw([portion(1), portion(1_000_000)])
    assert chart.bars[0].height >= 1


@pytest.mark.parametrize(
    ("number", "above"), [(0, 1), (1, 1), (3, 5), (11, 20), (50, 50), (51, 100)]
)
def test_the_upper_edge_is_a_round_number(number: int, above: int) -> None:
    assert round_above(number) == above
