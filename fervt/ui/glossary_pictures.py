"""The glossary's pictures: small drawings, so that a word is seen before it is read."""

import cv2
import numpy as np
from numpy.typing import NDArray

from fervt.draw import draw_graph, draw_overlay
from fervt.examples import load_example
from fervt.explain import cell_attention, edge_attention
from fervt.ui.home.hero import Shown

_SIDE_PX = 336
_INK, _PALE, _ACCENT = (60, 62, 90), (222, 223, 240), (84, 87, 205)


def picture_of(term: str, shown: Shown) -> NDArray[np.uint8] | None:
    """(336, 336, 3) uint8 RGB for a term; None if it needs no picture or has no map."""
    seen: NDArray[np.uint8] = cv2.resize(shown.seen, (_SIDE_PX, _SIDE_PX))  # type: ignore[assignment]
    maps = shown.explanation.maps(shown.explanation.predicted)
    trace = shown.explanation.trace
    if term == "grid_cell":
        return draw_overlay(seen, np.zeros((7, 7)), 0, 1, opacity=0) // 2 + _grid() // 2
    if term == "occlusion":
        hidden = seen.copy()
        step = _SIDE_PX // 7
        hidden[5 * step : 6 * step, 2 * step : 5 * step] = 128
        return hidden
    if term == "gat" and trace.gat_attention is not None and trace.edge_index is not None:
        return draw_graph(seen, trace.edge_index, edge_attention(trace.gat_attention), strongest=10)
    if term == "attention" and trace.gat_attention is not None and trace.edge_index is not None:
        received = cell_attention(edge_attention(trace.gat_attention), trace.edge_index)
        return draw_overlay(seen, received)
    if term == "gwa" and "gwa" in maps:
        return draw_overlay(seen, maps["gwa"])
    if term == "grad_cam":
        return draw_overlay(seen, maps[term], 0, float(maps[term].max()) or 1.0)
    if term == "faithfulness":
        return _curves()
    if term == "calibration":
        return _diagonal()
    if term == "mcnemar":
        return _circles()
    if term == "confidence_interval":
        return _interval()
    if term == "apparent":
        return cv2.resize(load_example("grace hopper")[60:430, 85:455], (_SIDE_PX, _SIDE_PX))  # type: ignore[return-value]
    return None


def _paper() -> NDArray[np.uint8]:
    return np.full((_SIDE_PX, _SIDE_PX, 3), 250, np.uint8)


def _grid() -> NDArray[np.uint8]:
    canvas, step = np.full((_SIDE_PX, _SIDE_PX, 3), 200, np.uint8), _SIDE_PX // 7
    for at in range(0, _SIDE_PX + 1, step):
        canvas[max(0, at - 1) : at + 1] = 20
        canvas[:, max(0, at - 1) : at + 1] = 20
    canvas[5 * step : 6 * step, 3 * step : 4 * step] = (255, 212, 0)
    return canvas


def _axes(canvas: NDArray[np.uint8]) -> None:
    cv2.line(canvas, (40, 296), (306, 296), _INK, 2, cv2.LINE_AA)
    cv2.line(canvas, (40, 30), (40, 296), _INK, 2, cv2.LINE_AA)


def _trace_line(canvas: NDArray[np.uint8], ys: NDArray[np.floating], rgb: tuple, px: int) -> None:
    xs = np.linspace(40, 306, len(ys))
    points = np.stack([xs, 296 - 260 * ys], axis=1).round().astype(np.int32)
    cv2.polylines(canvas, [points], False, rgb, px, cv2.LINE_AA)


def _curves() -> NDArray[np.uint8]:
    canvas, share = _paper(), np.linspace(0, 1, 60)
    _axes(canvas)
    _trace_line(canvas, 0.95 - 0.8 * share, (170, 172, 190), 3)
    _trace_line(canvas, 0.1 + 0.85 * np.exp(-5 * share), _ACCENT, 5)
    return canvas


def _diagonal() -> NDArray[np.uint8]:
    canvas, share = _paper(), np.linspace(0, 1, 10)
    _axes(canvas)
    _trace_line(canvas, share, (170, 172, 190), 3)
    for at, value in zip(share, np.clip(share**1.25 + 0.02, 0, 1), strict=True):
        center = round(40 + 266 * at), round(296 - 260 * value)
        cv2.circle(canvas, center, 7, _ACCENT, cv2.FILLED, cv2.LINE_AA)
    return canvas


def _circles() -> NDArray[np.uint8]:
    canvas = _paper()
    both = np.zeros(canvas.shape[:2], np.uint8)
    for x, rgb in ((128, (84, 87, 205)), (208, (230, 159, 0))):
        disc = np.zeros_like(both)
        cv2.circle(disc, (x, 168), 96, 1, cv2.FILLED, cv2.LINE_AA)
        both += disc
        canvas[disc > 0] = rgb
    canvas[both > 1] = _PALE
    return canvas


def _interval() -> NDArray[np.uint8]:
    canvas = _paper()
    for y, x, half in ((110, 190, 40), (190, 160, 40), (270, 205, 90)):
        cv2.line(canvas, (x - half, y), (x + half, y), _INK, 4, cv2.LINE_AA)
        for end in (x - half, x + half):
            cv2.line(canvas, (end, y - 12), (end, y + 12), _INK, 4, cv2.LINE_AA)
        cv2.circle(canvas, (x, y), 11, _ACCENT, cv2.FILLED, cv2.LINE_AA)
    return canvas
