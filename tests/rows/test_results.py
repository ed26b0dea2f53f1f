"""The files of a batch: what was done, what is still to be done and why."""

import io

import pytest

from portal.rows.processors import Mode
from portal.rows.results import write_failed, write_results
from portal.tabular.formats import Format
from tests.rows.people import NAMES, person


def results(batches, batch_id):
    """The finished and the pending file, None where there is none."""
    finished, pending = batches.folder / "finished.csv", batches.folder / "pending.csv"
    with batches.books.read() as session:
        written = write_results(
            session,
            tables=batches.books.tables,
            batch=batches.batch(batch_id),
            finished=finished,
            pending=pending,
            checkpoint=lambda: None,
        )
    assert written.finished == (finished if finished.exists() else None)
    assert written.pending == (pending if pending.exists() else None)
    return tuple(path.read_bytes() if path.exists() else None for path in (finished, pending))


def failed(batches, batch_id):
    stream = io.BytesIO()
    with batches.books.read() as session:
        batch = batches.batch(batch_id)
        write_failed(session, stream, tables=batches.books.tables, batch=batch)
    return stream.getvalue()


def file(batches, content, name="source.csv"):
    path = batches.folder / name
    path.write_bytes(content)
    return path


def test_good_and_bad_rows_part_in_the_order_of_the_file(each_way):
    source = b"code,name,age,born,city\r\na,Ann,1,,\r\nb,Bob,x,,\r\n,,,,\r\nc,Cy,3,,\r\n"
    batch = each_way.run(each_way.make(order=each_way.order_of(file(each_way, source))))
    finished, pending = results(each_way, batch.id)
    assert finished == b"code,name,age,born,city\r\na,Ann,1,,\r\nc,Cy,3,,\r\n"
    assert pending == (
        b"code,name,age,born,city,--ERRORS--\r\n"
        b"b,Bob,x,,,age: Invalid integer data: write a whole number such as 42\r\n"
    )
    assert failed(each_way, batch.id) == pending


def test_encoding_delimiter_quotes_and_line_ends_are_those_of_the_source(batches):
    source = 'code;name;age\na;"Müller; Ann";1\nb;Bäcker;ß\n'.encode("cp1252")
    order = batches.order_of(
        file(batches, source),
        columns=NAMES[:3],
        format=Format(encoding="cp1252", delimiter=";", line_end="\n"),
    )
    finished, pending = results(batches, batches.run(batches.make(order=order)).id)
    assert finished == 'code;name;age\na;"Müller; Ann";1\n'.encode("cp1252")
    assert pending.decode("cp1252").startswith("code;name;age;--ERRORS--\nb;Bäcker;ß;age: ")


def test_a_file_without_bad_rows_leaves_no_pending_file(batches):
    finished, pending = results(batches, batches.done([person(1)]).id)
    assert finished is not None
    assert pending is None


def test_a_pending_file_that_comes_back_has_its_errors_written_anew(batches):
    source = b"code,name,--ERRORS--\r\na,Nobody,old words\r\nb,Bob,older\r\nc,Row has 1 cell\r\n"
    order = batches.order_of(file(batches, source), columns=("code", "name", None))
    finished, pending = results(batches, batches.run(batches.make(order=order)).id)
    assert finished == b"code,name\r\nb,Bob\r\n"
    assert pending == (
        b"code,name,--ERRORS--\r\n"
        b"a,Nobody,name: Nobody may be called so\r\n"
        b'c,"Row has 2 cells, the header has 3"\r\n'
    )


def test_a_ragged_row_stays_ragged_however_often_it_comes_back(batches):
    cells, path = "a,b,c,d\r\nx\r\n", None
    for turn in range(3):
        columns = ("code", "name", None, None, None)[: 5 if turn else 4]
        path = file(batches, cells.encode(), f"turn-{turn}.csv")
        batch = batches.run(batches.make(order=batches.order_of(path, columns=columns)))
        assert batch.counts.failed == 1
        cells = results(batches, batch.id)[1].decode()


def test_rows_that_were_never_done_are_pending(batches):
    batch_id = batches.make([person(1), person(2)], total=2)
    finished, pending = results(batches, batch_id)
    assert finished is None
    assert pending.count(b"\r\n") == 3


def test_skipped_rows_are_in_neither_file(batches):
    batch = batches.done([person(1), person(2, age="x")])
    batches.skip(batch.id, [2])
    assert results(batches, batch.id)[1] is None


def test_edited_cells_are_what_is_written(batches):
    batch = batches.done([person(1, age="x"), person(2, age="y")])
    batches.edit(batch.id, 1, {2: "30"})
    batches.edit(batch.id, 2, {2: "thirty"})
    batch = batches.retry(batch.id)
    finished, pending = results(batches, batch.id)
    assert b"c1,Name 1,30," in finished
    assert b"c2,Name 2,thirty," in pending


@pytest.mark.parametrize("quote", ['"', ""])
def test_what_the_sources_format_cannot_hold_makes_it_utf_8(batches, quote):
    order = batches.order_of(
        file(batches, b"code,name,age\r\na,Ann,x\r\n"),
        columns=NAMES[:3],
        format=Format(encoding="cp1252", quote=quote),
    )
    batch = batches.run(batches.make(order=order))
    assert b"age: Invalid integer data" in failed(batches, batch.id)
    batches.edit(batch.id, 1, {1: "Ω"})
    assert "a,Ω,x," in failed(batches, batch.id).decode("utf-8-sig")


def test_a_long_file_is_written_whole(batches):
    rows = [person(number, age="x" if number % 3 == 0 else "7") for number in range(1_300)]
    batch = batches.done(rows, mode=Mode.CREATE)
    finished, pending = results(batches, batch.id)
    codes = [line.split(b",")[0] for line in (*finished.splitlines(), *pending.splitlines())]
    assert len(set(codes)) == 1_301
    assert len(codes) == 1_302


def test_what_a_spreadsheet_would_compute_is_marked_in_the_failing_rows_and_restored(batches):
    source = b"code,name,age,born,city\r\na,=1+1,x,,\r\n"
    first = batches.run(batches.make(order=batches.order_of(file(batches, source))))
    download = failed(batches, first.id)
    assert download.splitlines()[1].startswith(b"a,'=1+1,x,,,age: ")
    repaired = file(batches, download.replace(b",x,", b",7,"), "repaired.csv")
    order = batches.order_of(repaired, columns=("code", "name", "age", "born", "city", None))
    assert batches.run(batches.make(order=order)).counts.created == 1
    assert batches.people()["a"].name == "=1+1"


def test_files_that_go_on_in_the_data_centre_have_the_cells_of_their_source(batches):
    source = b"code,name,age,born,city\r\na,=1+1,1,,\r\nb,-@x,x,,\r\n"
    batch = batches.run(batches.make(order=batches.order_of(file(batches, source))))
    finished, pending = results(batches, batch.id)
    assert b"\na,=1+1,1" in finished
    assert b"\nb,-@x,x" in pending
