"""What the pages of a file are asked with."""

from urllib.parse import quote, urlencode

from portal.datacenter.batches import Run
from portal.rows.forms import mapping_query


def mapping_url(run: Run) -> str:
    """The page of a file that was tried out, filled in as it was for that; else empty."""
    order = run.order
    if order is None or not order.dry_run:
        return ""
    said = mapping_query(
        processor=order.processor,
        mode=order.mode,
        fmt=order.format,
        columns=order.columns,
        treatment=order.treatment,
    )
    path = f"{order.folder}/{order.name}" if order.folder else order.name
    return f"/datacenter/files/{quote(path)}?{urlencode(said | {'reason': order.reason})}"
