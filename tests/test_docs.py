"""The documentation's links, paths, names and commands lead to something that exists."""

import argparse
import importlib
import json
import re
from pathlib import Path

import pytest

from fervt.__main__ import VERBS
from fervt.checkpoint import shipped_checkpoints
from fervt.resources import FAITHFULNESS
from scripts.faithfulness import as_markdown

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
IDS = [page.name for page in PAGES]
# A command may go on in the next line after a backslash.
COMMAND = re.compile(r"^(?:(?:\S*python|torchrun .*) -m )?fervt (\w+)((?:.*\\\n)*.*)", re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """The names that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_relative_links_resolve(page: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_readme_links_every_page_of_the_documentation() -> None:
    linked = re.findall(r"\]\((docs/[^)]+)\)", (ROOT / "README.md").read_text())
    pages = [*(ROOT / "docs").glob("*.md"), *(ROOT / "docs").glob("*.ipynb")]
    assert {f"docs/{page.name}" for page in pages} <= set(linked)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_paths_exist(page: Path) -> None:
    inside = r"`((?:fervt|pages|configs|docs|scripts|tests|assets)/[\w./-]*|streamlit_app\.py)`"
    for path in re.findall(inside, page.read_text()):
        assert (ROOT / path).exists(), path
    for module in re.findall(r"-m (scripts\.\w+)", page.read_text()):
        assert (ROOT / (module.replace(".", "/") + ".py")).is_file(), module


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_and_their_options_exist(page: Path) -> None:
    blocks = re.findall(r"```(?:sh)?\n(.*?)```", page.read_text(), re.DOTALL)
    for verb, rest in COMMAND.findall("\n".join(blocks)):
        parser = argparse.ArgumentParser()
        assert verb in VERBS, verb
        importlib.import_module(f"fervt.cli.{verb}").add_arguments(parser)
        known = set(re.findall(r"--[\w-]+", parser.format_help()))
        options = re.findall(r"(--[a-z][\w-]+)", rest.split("#")[0])
        assert set(options) <= known, (verb, rest)
    for verb in re.findall(r"-m fervt (\w+)", page.read_text()):
        assert verb in VERBS, verb


def test_names_are_defined_where_the_table_says() -> None:
    table = (ROOT / "docs" / "names.md").read_text().split("## Where things are")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]
    assert len(rows) >= 17
    checked = 0
    for _, here in rows:
        # Names stand before the file that defines them ("`A`, `B` in `fervt/x.py`"), or say that it
        # is the same file.
        quoted = re.findall(r"`([^`]+)`", here)
        files = [name for name in quoted if (ROOT / name).is_file()]
        assert files, here
        names: list[str] = []
        for name in [*quoted, files[-1]]:
            if name in files:
                source = (ROOT / name).read_text()
                for known in names:
                    found = re.search(rf"^\s*(?:class|def) {known}\b", source, re.MULTILINE)
                    assert found, (known, name)
                checked += len(names)
                names = []
            elif re.fullmatch(r"\w+", name) and name not in VERBS:
                names.append(name)
    assert checked >= 25


def test_the_page_on_faithfulness_is_what_its_script_writes() -> None:
    entries = json.loads(FAITHFULNESS.read_text())["checkpoints"]
    assert (ROOT / "docs" / "faithfulness.md").read_text() == as_markdown(entries)
    measured = [entry["checkpoint"] for entry in entries]
    assert measured == [name for name in shipped_checkpoints() if name in measured]
    for row in entries[0]["sources"].values():
        row["over_mean_map"] |= {
            "deletion_gain": 0.01234,
            "deletion_interval_95": [-0.001, 0.02],
            "insertion_gain": -0.05,
            "insertion_interval_95": [-0.06, -0.04],
        }
    said = as_markdown(entries[:1])
    own = entries[0]["sources"]["gwa"]["deletion_gain"] - 0.01234
    assert f"| GWA | {own:+.4f} | +0.0123 (-0.0010 to +0.0200) | " in said
    assert " | -0.0500 (-0.0600 to -0.0400) |" in said
