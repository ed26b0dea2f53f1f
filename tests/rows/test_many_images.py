"""Images and hashes worked out column by column are those of one record after another."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from portal.rows.images import hash_of, image_of
from portal.rows.many_images import hashes, images, images_of_some, pieces_of, settled_pieces

ZONES = st.sampled_from([None, UTC, timezone(timedelta(hours=2))])
COLUMNS = st.sampled_from(
    [
        st.text(),
        st.integers(),
        st.booleans(),
        st.dates(),
        st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=ZONES),
        st.decimals(allow_nan=False, allow_infinity=False, places=3),
        st.lists(st.text()).map(tuple),
        st.none(),
    ]
)


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[Any]]:
    """Columns of one kind each, some cells of which are empty."""
    rows = draw(st.integers(0, 5))
    names = draw(st.lists(st.text(), min_size=1, max_size=4, unique=True))
    kinds = [draw(COLUMNS) for _ in names]
    cells = (st.lists(kind | st.none(), min_size=rows, max_size=rows) for kind in kinds)
    return {name: draw(column) for name, column in zip(names, cells, strict=True)}


def rows_of(table: dict[str, list[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]


@given(tables())
def test_images_and_hashes_are_those_of_one_record_after_another(table: Any) -> None:
    pieces = {name: pieces_of(values) for name, values in table.items()}
    settled = {name: settled_pieces(values, pieces[name]) for name, values in table.items()}
    assert list(map(json.loads, images(pieces))) == list(map(image_of, rows_of(table)))
    assert hashes(settled) == list(map(hash_of, rows_of(table)))


def test_an_image_may_lack_fields_in_some_rows() -> None:
    pieces = {"a": pieces_of(["x", "y", "z"]), "100%": pieces_of([Decimal("1.50"), None, None])}
    given = {"a": [True, False, True], "100%": [True, True, False]}
    told = list(map(json.loads, images_of_some(pieces, given)))
    assert told == [{"a": "x", "100%": {"decimal": "1.50"}}, {"100%": None}, {"a": "z"}]


def test_texts_with_the_ends_of_lines_stay_one() -> None:
    values = ["a\nb", 'q"', None, "\\n", " "]
    assert list(map(json.loads, pieces_of(values))) == values
    assert pieces_of([date(2020, 1, 31)]) == ['{"date":"2020-01-31"}']
