"""What a reference to another table's row could mean, for those who repair rows."""

from collections.abc import Sequence

from sqlalchemy import ColumnClause, Text, cast, column, select, table
from sqlalchemy.orm import Session

from portal.rows.processors import SUGGESTED
from portal.tables.natural_keys import Reference
from portal.tabular.fields import Choice


def suggest_words(
    session: Session, reference: Reference, text: str, *, limit: int = SUGGESTED
) -> Sequence[Choice]:
    """The first words of the table referred to that have `text` in them, at most `limit`."""
    word: ColumnClause[str] = column(reference.word.name)
    shown = cast(word, Text)
    query = (
        select(shown)
        .select_from(table(reference.table, word))
        .where(word.is_not(None))
        .distinct()
        .order_by(shown)
        .limit(limit)
    )
    if text:
        query = query.where(shown.icontains(text, autoescape=True))
    return [Choice(value=value) for value in session.scalars(query)]
