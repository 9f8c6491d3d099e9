"""What axe-core finds on a page in a browser."""

from axe_playwright_python.sync_playwright import Axe


def serious_findings(page, view: str) -> list[str]:
    """What axe-core holds to be serious or critical on the page, in a line each."""
    found = Axe().run(page).response["violations"]
    return [f"{view}: {_describe(one)}" for one in found if one["impact"] in _SERIOUS]


def assert_accessible(page, view: str) -> None:
    """Fails with all serious findings."""
    found = serious_findings(page, view)
    assert not found, "\n".join(found)


_SERIOUS = ("serious", "critical")


def _describe(violation: dict) -> str:
    places = [f"{node['target']}: {node['html'][:160]}" for node in violation["nodes"][:3]]
    return f"{violation['id']} ({violation['impact']}): " + "; ".join(places)
