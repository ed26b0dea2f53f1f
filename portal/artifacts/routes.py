"""Handing out artifacts."""

from flask import Blueprint, Response

from portal.accounts.permissions import Permission
from portal.artifacts.service import artifact_path, get_artifact
from portal.web.access import answers_file, current_actor, protect
from portal.web.api import api_blueprint, describes
from portal.web.extensions import services, session
from portal.web.files import send_file

bp = Blueprint("artifacts", __name__)
protect(bp, Permission.SIGN_IN)
api = api_blueprint("artifacts_api", __name__)
protect(api, Permission.SIGN_IN)


@bp.get("/artifacts/<artifact_id>")
@answers_file
def download_artifact(artifact_id: str) -> Response:
    """The file, if the right to it stands now; a cut download may go on where it ended."""
    return _file(artifact_id)


@api.get("/artifacts/<artifact_id>")
@describes("The file that a job made, or a part of it", media_type="*/*", also=(206, 304),
           refuses=(416,))  # fmt: skip
def download_for_program(artifact_id: str) -> Response:
    """The same file for a token."""
    response = _file(artifact_id)
    response.headers["Cache-Control"] = "no-store"
    return response


def _file(artifact_id: str) -> Response:
    runtime = services().runtime
    artifact = get_artifact(
        session(),
        owners=services().owners,
        actor=current_actor(),
        artifact_id=artifact_id,
        now=runtime.clock(),
    )
    return send_file(
        artifact_path(runtime.settings, artifact.id),
        name=artifact.name,
        size=artifact.size,
        sha256=artifact.sha256,
        media_type=artifact.media_type,
    )
