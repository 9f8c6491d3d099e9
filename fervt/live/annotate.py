"""The annotated frame: evidence on the face, a box in the person's color, bars next to it."""

from collections.abc import Sequence
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from fervt.amounts import percent
from fervt.draw import box_corners, draw_boxes, draw_graph, draw_overlay, parse_color
from fervt.faces import Box, crop_face
from fervt.labels import expression
from fervt.live.readings import Evidence, FaceReading

Overlay = Literal["none", "gwa", "graph"]
OVERLAYS: tuple[Overlay, ...] = get_args(Overlay)

# One per person; they differ from the expressions' colors, which the bars use.
_TRACK_COLOURS = ("#6568DC", "#2BB3A3", "#E5446D", "#A3C614", "#B26BD9", "#F7F7F7")
STRONGEST_EDGES = 10  # showing all 168 would be illegible
_GRAPH_PX = 280  # the side on which the graph's arrows are legible
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_BAR_ROW_PX, _BAR_WIDTH_PX, _NAME_WIDTH_PX = 15, 56, 74


def track_color(number: int) -> str:
    """A person's `#RRGGBB`, by number."""
    return _TRACK_COLOURS[(number - 1) % len(_TRACK_COLOURS)]


def annotate_frame(
    frame_rgb: NDArray[np.uint8],
    faces: Sequence[FaceReading],
    evidence: Sequence[Evidence | None],
    seen_share: float,
    overlay: Overlay,
    bars: bool,
) -> NDArray[np.uint8]:
    """Draws a reading.

    Args:
        frame_rgb: (h, w, 3) uint8; not modified.
        faces: Those in the frame.
        evidence: One per face; None draws none.
        seen_share: The share of a face's square that the model sees.
        overlay: Which evidence is drawn, where there is any.
        bars: Whether to draw the probabilities next to each face.

    Returns:
        (h, w, 3) uint8, a copy.
    """
    canvas = np.array(frame_rgb)
    for face, found in zip(faces, evidence, strict=True):
        if found is not None:
            box = _seen_box(face.box_xyxy_px, seen_share)
            _draw_evidence(canvas, frame_rgb, box, face.angle_deg, found, overlay)
    captions = [f"{f.number} {expression(f.label).name} {percent(f.confidence)}" for f in faces]
    colors = [track_color(face.number) for face in faces]
    boxes = [face.box_xyxy_px for face in faces]
    angles = [face.angle_deg for face in faces]
    canvas = draw_boxes(canvas, boxes, captions, colors, angles)
    if bars and len(faces) == 1:  # with several faces they would cover the others
        _draw_bars(canvas, faces[0])
    return canvas


def _seen_box(box_xyxy_px: Box, share: float) -> Box:
    """The square in the frame that reaches the model."""
    left, top, right, bottom = box_xyxy_px
    side = max(1, round(share * max(right - left, bottom - top)))
    x, y = round((left + right - side) / 2), round((top + bottom - side) / 2)
    return x, y, x + side, y + side


def _draw_evidence(
    canvas: NDArray[np.uint8],
    frame_rgb: NDArray[np.uint8],
    box: Box,
    angle_deg: float,
    evidence: Evidence,
    overlay: Overlay,
) -> None:
    left, top, right, bottom = box
    part = crop_face(frame_rgb, box, angle_deg)
    edges, attention = evidence.edge_index, evidence.attention
    if overlay == "gwa" and evidence.gwa_weights is not None:
        drawn = draw_overlay(part, evidence.gwa_weights)
    elif overlay == "graph" and edges is not None and attention is not None:
        side = max(part.shape[0], _GRAPH_PX)
        large = cv2.resize(part, (side, side), interpolation=cv2.INTER_LINEAR)
        drawn = draw_graph(large, edges, attention, strongest=STRONGEST_EDGES)
        drawn = cv2.resize(drawn, part.shape[1::-1], interpolation=cv2.INTER_AREA)
    else:
        return
    if angle_deg:
        _lay_tilted(canvas, drawn, box, angle_deg)
        return
    height, width = canvas.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    if x0 < x1 and y0 < y1:
        canvas[y0:y1, x0:x1] = drawn[y0 - top : y1 - top, x0 - left : x1 - left]


def _lay_tilted(
    canvas: NDArray[np.uint8], drawn: NDArray[np.uint8], box: Box, angle_deg: float
) -> None:
    """Draws a square picture on the canvas, tilted clockwise about the box's center."""
    # All but the lower left corner; OpenCV counts from the middle of the first pixel.
    target = (box_corners(box, angle_deg)[1:] - 0.5).astype(np.float32)
    side = len(drawn)
    source = np.array([(0, 0), (side, 0), (side, side)], np.float32) - np.float32(0.5)
    move = cv2.getAffineTransform(source, target)
    size = canvas.shape[1::-1]
    inside = cv2.warpAffine(np.full((side, side), 255, np.uint8), move, size) > 127
    canvas[inside] = cv2.warpAffine(drawn, move, size)[inside]


def _draw_bars(canvas: NDArray[np.uint8], face: FaceReading) -> None:
    """A small panel of bars to the right of the box, or to the left where there is no room."""
    height, width = canvas.shape[:2]
    pad = 6
    panel_width = _NAME_WIDTH_PX + _BAR_WIDTH_PX + 2 * pad
    panel_height = _BAR_ROW_PX * len(face.classes) + 2 * pad
    left, top, right, _ = face.box_xyxy_px
    x = right + pad if right + pad + panel_width <= width else left - pad - panel_width
    x, y = max(0, min(x, width - panel_width)), max(0, min(top, height - panel_height))
    if panel_width > width or panel_height > height:
        return
    panel = canvas[y : y + panel_height, x : x + panel_width]
    panel[:] = panel // 3
    for row, (label, share) in enumerate(zip(face.classes, face.probabilities, strict=True)):
        shown = expression(label)
        base = pad + row * _BAR_ROW_PX
        ink = (255, 255, 255) if label == face.label else (190, 190, 190)
        at = pad, base + _BAR_ROW_PX - 4
        cv2.putText(panel, shown.name, at, _FONT, 0.34, ink, 1, cv2.LINE_AA)
        start = pad + _NAME_WIDTH_PX, base + 3
        end = start[0] + round(float(share) * _BAR_WIDTH_PX), base + _BAR_ROW_PX - 3
        cv2.rectangle(panel, start, end, parse_color(shown.color), cv2.FILLED)
