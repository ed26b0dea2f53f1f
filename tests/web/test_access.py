"""Where a sign-in may lead."""

import pytest

from portal.web.access import safe_next


@pytest.mark.parametrize(
    "target",
    [
        None,
        "",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " //evil.example",
        "/ /evil.example",
        "/%0a\r\n/evil.example",
        "https://evil.example",
        "https:evil.example",
        "http:/evil.example",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "data:text/html,x",
        "evil.example",
        "@evil.example",
        "?next=//evil.example",
        "/\x00/evil.example",
        "/\x7f/evil.example",
        "/jobs\\..\\evil",
    ],
)
def test_what_could_lead_elsewhere_leads_to_the_dashboard(target: str | None) -> None:
    assert safe_next(target) == "/"


@pytest.mark.parametrize(
    "target",
    ["/", "/jobs", "/jobs?state=failed&text=a%20b", "/projects/x/pages/%C3%A9.html#top", "/%2F/x"],
)
def test_a_path_of_our_own_is_kept(target: str) -> None:
    assert safe_next(target) == target
