"""The embedding map in a real browser: a lasso around a cluster shows its figures below."""

import re

import numpy as np
import pytest
from pages_in_browser import settle, where_it_stays

from fervt.checkpoint import shipped_checkpoints
from fervt.evaluation.store import EvaluationStore

TIMEOUT_MS = 120_000


def test_a_lasso_around_a_cluster_reads_its_accuracy(app_server, browser_page) -> None:
    name = next(iter(shipped_checkpoints()))
    saved = EvaluationStore().find(name, "PrivateTest")
    browser_page.set_default_timeout(TIMEOUT_MS)
    browser_page.goto(
        f"{app_server}/evaluation?checkpoint={name}&split=PrivateTest&view=Map&drag=lasso&maps=0"
    )
    plot = browser_page.locator(".st-key-face_map .js-plotly-plot .nsewdrag").first
    plot.wait_for()
    settle(browser_page)
    plot.scroll_into_view_if_needed()
    box = where_it_stays(browser_page, plot)
    # Where the plot has the left half of the faces, from its own axes.
    corners = [(0.02, 0.02), (0.45, 0.02), (0.45, 0.98), (0.02, 0.98), (0.02, 0.05)]
    points = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in corners]
    browser_page.mouse.move(*points[0])
    browser_page.mouse.down()
    for point in points[1:]:
        browser_page.mouse.move(*point, steps=8)
    browser_page.mouse.up()
    heading = browser_page.get_by_text(re.compile(r"^[\d,]+ selected faces$"))
    heading.wait_for()
    count = int(heading.inner_text().split()[0].replace(",", ""))

    # The same faces, from the layout and the axes that are drawn.
    ranges = browser_page.evaluate(
        """() => { const l = document.querySelector('.st-key-face_map .js-plotly-plot')._fullLayout;
                   return [...l.xaxis.range, ...l.yaxis.range]; }"""
    )
    left, right, bottom, top = ranges
    plane = saved.layout("pca")
    x = (plane[:, 0] - left) / (right - left)
    y = 1 - (plane[:, 1] - bottom) / (top - bottom)
    inside = (x > 0.02) & (x < 0.45) & (y > 0.02) & (y < 0.98)
    assert 300 < count < len(plane) - 300
    assert count == pytest.approx(int(inside.sum()), abs=25)
    accuracy = 100 * float(np.mean(saved.rows().right[inside]))
    shown = browser_page.locator("[data-testid=stMetric]", has_text="All other faces")
    shown.wait_for()
    metrics = browser_page.locator("[data-testid=stMetric]").all_inner_texts()
    value = [float(re.search(r"([\d.]+)%", m).group(1)) for m in metrics if "Accuracy" in m][-1]
    assert value == pytest.approx(accuracy, abs=1.0)
    browser_page.get_by_role("button", name="Clear the selection").click()
    heading.wait_for(state="detached")
