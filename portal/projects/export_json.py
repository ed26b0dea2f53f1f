"""A project's settings, members and page versions as JSON that people can read."""

import json
from collections.abc import Iterable

from portal.projects.export_content import ExportedMember, ExportedProject, ExportedVersion


def settings(project: ExportedProject) -> bytes:
    """Return the project's own facts."""
    return _readable(
        {
            "id": project.id,
            "title": project.title,
            "policy": project.policy,
            "home": project.home,
            "created_at": project.created_at.isoformat(),
            "created_by": project.created_by,
            "updated_at": project.updated_at.isoformat(),
        }
    )


def members(team: Iterable[ExportedMember]) -> bytes:
    """Return who is in the project, with role and since when."""
    return _readable(
        [
            {"user": member.user, "role": member.role, "joined_at": member.joined_at.isoformat()}
            for member in team
        ]
    )


def version_line(version: ExportedVersion) -> bytes:
    """Return one version of a page as one line."""
    facts = {
        "page": version.page,
        "number": version.number,
        "title": version.title,
        "format": version.format,
        "written_at": version.written_at.isoformat(),
        "written_by": version.written_by,
        "comment": version.comment,
        "source": version.source,
    }
    return json.dumps(facts, ensure_ascii=False).encode(errors="replace") + b"\n"


def _readable(value: object) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode(errors="replace")
