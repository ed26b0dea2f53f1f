"""Answering with a file: resumable, checked by its digest, shown by the browser only where safe."""

from pathlib import Path

import structlog
from flask import Response, request

from portal.artifacts.downloads import Answer, FilePart, decide, digest_header, disposition
from portal.errors import NotFoundError

INLINE_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
SANDBOX = "default-src 'none'; sandbox; frame-ancestors 'none'"

log = structlog.get_logger("portal.web")


def send_file(
    path: Path, *, name: str, size: int, sha256: str, media_type: str, inline: bool = False
) -> Response:
    """The file at `path`, or the part that was asked for; `inline` pictures may be shown.

    Whatever is not a plain picture is a download. Raises NotFoundError where the file is gone.
    """
    shown = inline and media_type in INLINE_TYPES
    etag = f'"{sha256}"'
    answer = decide(
        size=size,
        etag=etag,
        if_none_match=request.headers.get("If-None-Match", ""),
        asked=request.headers.get("Range", "") if request.method == "GET" else "",
        if_range=request.headers.get("If-Range", ""),
    )
    response = _with_body(path, answer)
    response.headers.update(
        {
            "Content-Type": media_type if shown or not inline else "application/octet-stream",
            "Content-Disposition": disposition(name, inline=shown),
            "Content-Security-Policy": SANDBOX,
            "Accept-Ranges": "bytes",
            "ETag": etag,
            "Repr-Digest": digest_header(sha256),
            "Cache-Control": "private, no-cache",
        }
    )
    if answer.status == 206:
        stop = answer.start + answer.length - 1
        response.headers["Content-Range"] = f"bytes {answer.start}-{stop}/{size}"
    elif answer.status == 416:
        response.headers["Content-Range"] = f"bytes */{size}"
    if answer.status != 304:
        response.headers["Content-Length"] = str(answer.length)
    return response


def _with_body(path: Path, answer: Answer) -> Response:
    if request.method == "HEAD" or answer.status in (304, 416):
        return Response(status=answer.status)
    try:
        part = FilePart(path, answer)
    except OSError as error:
        log.warning("file is gone", file=path.name, error=type(error).__name__)
        raise NotFoundError("This file is not on disk any more; tell an administrator.") from error
    return Response(part, answer.status, direct_passthrough=True)
