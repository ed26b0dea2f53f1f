"""Which rows of many are at fault: tried one by one up to a limit, then told by the rules.

Only the database's own words for a refusal name everything, but each trial is a savepoint. So not
more than SUSPECTS rows of a run are tried alone; of further ones it is worked out which rule they
break, many at a time. What no known rule explains is tried all the same: no row is refused on a
guess.
"""

from collections.abc import Iterator, Sequence

from sqlalchemy.orm import Session

from portal.rows.doing import FEW, derive, do_row, do_together
from portal.rows.fates import Fate, failed
from portal.rows.processors import RefusedRowError
from portal.rows.undertaking import Undertaking
from portal.tabular.fields import Values

SUSPECTS = 1_000


class Suspects:
    """How many rows of a run may still be tried one by one."""

    def __init__(self, most: int = SUSPECTS) -> None:
        self._left = most

    def do_rows(self, session: Session, run: Undertaking, rows: Sequence[Values]) -> list[Fate]:
        """Do rows that name different records; only those at fault are refused."""
        if len(rows) <= FEW:
            return [do_row(session, run, values) for values in rows]
        return do_together(session, run, rows) or self._apart(session, run, rows)

    def _apart(self, session: Session, run: Undertaking, rows: Sequence[Values]) -> list[Fate]:
        """Do rows of which at least one seems to be at fault."""
        if run.many is not None and self._left < min(len(rows), FEW):
            refusals = derive(session, run, rows)
            if any(refusals):
                return self._around(session, run, rows, refusals)
        if run.many is None or len(rows) <= FEW:
            self._left -= len(rows)
            return [do_row(session, run, values) for values in rows]
        half = len(rows) // 2
        return [
            fate for part in (rows[:half], rows[half:]) for fate in self._part(session, run, part)
        ]

    def _part(self, session: Session, run: Undertaking, rows: Sequence[Values]) -> list[Fate]:
        done = do_together(session, run, rows) if len(rows) > FEW else None
        return done or self._apart(session, run, rows)

    def _around(
        self,
        session: Session,
        run: Undertaking,
        rows: Sequence[Values],
        refusals: Sequence[RefusedRowError | None],
    ) -> list[Fate]:
        """Do the rows that are not refused."""
        rest = [row for row, refusal in zip(rows, refusals, strict=True) if refusal is None]
        done: Iterator[Fate] = iter(self.do_rows(session, run, rest))
        return [
            next(done) if refusal is None else failed(run.told(refusal), field=refusal.field)
            for refusal in refusals
        ]
