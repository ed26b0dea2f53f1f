"""What is next with a file whose sending was cut off, by what the server may have."""

import pytest

from portal.delivery.recovering import Next, Seen, decide
from portal.delivery.states import FileState

SIZE = 10


@pytest.mark.parametrize("temporary", [None, 3, SIZE])
@pytest.mark.parametrize("target", [None, 3, SIZE])
@pytest.mark.parametrize("state", [FileState.SENDING, FileState.FAILED])
def test_before_the_rename_it_is_sent_anew(
    state: FileState, temporary: int | None, target: int | None
) -> None:
    assert decide(state, Seen(temporary=temporary, target=target), size=SIZE) is Next.SEND


@pytest.mark.parametrize(
    ("temporary", "target", "step"),
    [
        (SIZE, None, Next.RENAME),
        (SIZE, SIZE, Next.RENAME),
        (SIZE, 3, Next.RENAME),
        (3, None, Next.SEND),
        (3, SIZE, Next.SEND),
        (None, SIZE, Next.COMPARE),
        (None, 3, Next.UNCERTAIN),
        (None, None, Next.UNCERTAIN),
    ],
)
def test_once_the_rename_was_begun_the_server_decides(
    temporary: int | None, target: int | None, step: Next
) -> None:
    seen = Seen(temporary=temporary, target=target)
    assert decide(FileState.RENAMING, seen, size=SIZE) is step


@pytest.mark.parametrize(
    ("temporary", "target", "backup", "step"),
    [
        (SIZE, 3, None, Next.RENAME),
        (SIZE, None, 3, Next.PUBLISH),
        (SIZE, 3, 3, Next.UNCERTAIN),
        (None, SIZE, 3, Next.COMPARE),
        (None, SIZE, None, Next.COMPARE),
        (None, None, 3, Next.UNCERTAIN),
        (None, None, None, Next.UNCERTAIN),
        (3, 3, None, Next.SEND),
    ],
)
def test_while_an_old_file_makes_room_nothing_is_overwritten(
    temporary: int | None, target: int | None, backup: int | None, step: Next
) -> None:
    seen = Seen(temporary=temporary, target=target, backup=backup)
    assert decide(FileState.REPLACING, seen, size=SIZE) is step
