"""A click selects a moment of a timeline, without a mark for each of a long film's."""

import numpy as np

from fervt.figures.timeline import timeline_figure


def test_every_moment_can_be_clicked_and_almost_none_is_drawn() -> None:
    times, values = np.arange(15_000) / 25, np.full((15_000, 2), 0.5)
    values[100:200] = np.nan  # the face was away: its moments can be clicked, too
    *lines, moments = timeline_figure(times, values, ("happiness", "sadness"), clickable=True).data
    assert list(moments.customdata) == list(times) and moments.marker.maxdisplayed == 1
    assert moments.mode == "markers" and moments.hoverinfo == "none" and len(lines) == 2
    assert len(timeline_figure(times, values, ("happiness", "sadness")).data) == 2
