"""A page as the portal shows it: safe HTML whose links and pictures lead to the portal."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.projects.markup import render_page
from portal.projects.models import ProjectFile, ProjectPage
from portal.projects.relink import Links, relink_online


def show_online(session: Session, page: ProjectPage, *, portal_url: str) -> str:
    """The sanitised body of `page`, its links alive on the portal at `portal_url`."""
    links = _links(session, page.project_id, portal_url=portal_url)
    body = render_page(page.source, page_format=page.format)
    return relink_online(body, page=page.name, links=links).html


def _links(session: Session, project_id: str, *, portal_url: str) -> Links:
    pages = session.execute(
        select(ProjectPage.name, ProjectPage.file_name).where(ProjectPage.project_id == project_id)
    ).all()
    paths = session.scalars(select(ProjectFile.path).where(ProjectFile.project_id == project_id))
    return Links(
        project_id=project_id,
        portal_url=portal_url,
        pages={row.name: row.name for row in pages},
        sources={row.file_name: row.name for row in pages},
        files={path: path for path in paths},
    )
