"""Drawing on pictures: RGB arrays in, RGB arrays out; for pages, webcam, video and PNG files.

Not with plotly, whose own PNG export needs Chrome.
"""

from collections.abc import Sequence

import cv2
import numpy as np

from fervt.grid import GRID

_SCREEN_PX = 960
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LINE_SHARE = 0.004  # a line's thickness as a share of the image's longer side
_TEXT_SHARE = 0.022  # a caption's height, as a share of the same
_TEXT_PX = 21  # what OpenCV's font measures at scale 1

# One language for all maps on a face, wherever they are drawn. The face stays visible: the more a
# cell counts, the more opaque its color.
MORE_RGB, LESS_RGB = (255, 98, 0), (0, 92, 255)  # counts for more, or counts against
EDGE_RGB = (255, 242, 179), (255, 136, 51)  # from the weakest edge to the strongest
MAP_OPACITY = 0.66  # of the strongest cell


def draw_boxes(
    image_rgb: np.ndarray,
    boxes_xyxy_px: Sequence[tuple[int, int, int, int]],
    captions: Sequence[str],
    colors: Sequence[str],
    angles_deg: Sequence[float] | None = None,
) -> np.ndarray:
    """Draws captioned boxes.

    Args:
        image_rgb: (h, w, 3) uint8; not modified.
        boxes_xyxy_px: Left, top, right, bottom in pixels of the image.
        captions: One per box, in ASCII, which is all that OpenCV's font has; "" draws none.
        colors: One `#RRGGBB` per box.
        angles_deg: How far each box is tilted clockwise about its center; None for not at all.

    Returns:
        (h, w, 3) uint8, a copy.
    """
    canvas = np.array(image_rgb)
    longer_px = max(canvas.shape[:2])
    line_px = max(1, round(_LINE_SHARE * longer_px))
    scale = max(0.35, _TEXT_SHARE * longer_px / _TEXT_PX)
    angles = [0.0] * len(boxes_xyxy_px) if angles_deg is None else angles_deg
    boxes = zip(boxes_xyxy_px, captions, colors, angles, strict=True)
    for (left, top, right, bottom), caption, color, angle in boxes:
        rgb = parse_color(color)
        corners = box_corners((left, top, right - 1, bottom - 1), angle).round().astype(np.int32)
        smooth = cv2.LINE_AA if angle else cv2.LINE_8
        cv2.polylines(canvas, [corners], True, rgb, line_px, smooth)
        if caption:
            at = left, max(top, 0) if not angle else max(int(corners[:, 1].min()), 0)
            _draw_tag(canvas, caption, at, rgb, scale, line_px)
    return canvas


def box_corners(box_xyxy_px: tuple[float, float, float, float], angle_deg: float) -> np.ndarray:
    """(4, 2): the corners of a box that is tilted clockwise about its center, as x and y."""
    left, top, right, bottom = box_xyxy_px
    center = (left + right) / 2, (top + bottom) / 2
    return cv2.boxPoints((center, (right - left, bottom - top), angle_deg))


def fit_for_screen(image_rgb: np.ndarray) -> tuple[np.ndarray, float]:
    """Scales an image so that a screen shows it well: smaller smoothly, larger pixel by pixel.

    Args:
        image_rgb: (h, w, 3) uint8.

    Returns:
        The image, its longer side between half of 960 pixels and 960, and the factor.
    """
    height, width = image_rgb.shape[:2]
    factor = _SCREEN_PX / max(height, width)
    if factor < 1:
        size = max(1, round(width * factor)), max(1, round(height * factor))
        return cv2.resize(image_rgb, size, interpolation=cv2.INTER_AREA), factor
    times = int(factor)
    return image_rgb.repeat(times, axis=0).repeat(times, axis=1), times


def jpeg_bytes(picture_rgb: np.ndarray, quality: int = 95) -> bytes:
    """A picture (h, w, 3) uint8 RGB as a JPEG, which looks the same at the quality of 95."""
    bgr = cv2.cvtColor(picture_rgb, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def png_bytes(picture_rgb: np.ndarray) -> bytes:
    """A picture (h, w, 3) uint8 RGB as a PNG, exactly."""
    return cv2.imencode(".png", cv2.cvtColor(picture_rgb, cv2.COLOR_RGB2BGR))[1].tobytes()


def parse_color(color: str) -> tuple[int, int, int]:
    """`#RRGGBB` as three numbers, 0..255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def _draw_tag(
    canvas: np.ndarray,
    caption: str,
    corner_px: tuple[int, int],
    rgb: tuple[int, int, int],
    scale: float,
    line_px: int,
) -> None:
    """A filled label on a box's upper left corner: above it, or inside at the image's edge."""
    weight = max(1, round(1.6 * scale))
    (text_width, text_height), below = cv2.getTextSize(caption, _FONT, scale, weight)
    pad = max(2, round(0.4 * text_height))
    height = text_height + below // 2 + 2 * pad
    width = text_width + 2 * pad
    left = max(0, min(corner_px[0] - line_px // 2, canvas.shape[1] - width))
    top = corner_px[1] - height if corner_px[1] >= height else corner_px[1]
    cv2.rectangle(canvas, (left, top), (left + width, top + height), rgb, cv2.FILLED)
    dark = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2] < 140
    ink = (255, 255, 255) if dark else (20, 20, 20)
    at = left + pad, top + pad + text_height
    cv2.putText(canvas, caption, at, _FONT, scale, ink, weight, cv2.LINE_AA)


# Evidence on a face: the same 7x7 grid as the model's, its row 0 at the top.


def draw_overlay(
    face_rgb: np.ndarray,
    values: np.ndarray,
    low: float = 1.0,
    high: float = 2.0,
    opacity: float = MAP_OPACITY,
    signed: bool = False,
) -> np.ndarray:
    """Colors the cells of a face by their values; by default, those above an average of 1.

    Args:
        face_rgb: (h, w, 3) uint8, what the model sees of a face: its crop's central part.
        values: (7, 7).
        low: Cells up to this value stay clear; ignored if `signed`.
        high: From this value on, the color is full.
        opacity: Of the full color, 0..1.
        signed: Whether 0 stays clear, and cells below it are blue.

    Returns:
        (h, w, 3) uint8, a copy. Cell (r, c) covers exactly the pixels whose row y has
        7 * y // h = r and whose column x has 7 * x // w = c.
    """
    height, width = face_rgb.shape[:2]
    low, least = (0.0, -1.0) if signed else (low, 0.0)
    share = np.clip((values - low) / max(high - low, 1e-9), least, 1)[..., None]
    rows, columns = (GRID * np.arange(size) // size for size in (height, width))
    at = rows[:, None], columns[None]
    colors, opaque = np.where(share > 0, MORE_RGB, LESS_RGB)[at], opacity * np.abs(share)[at]
    return np.rint((1 - opaque) * face_rgb + opaque * colors).astype(np.uint8)


def draw_graph(
    face_rgb: np.ndarray,
    edge_index: np.ndarray,
    attention: np.ndarray,
    high: float = 0.5,
    dimming: float = 0.5,
    strongest: int | None = None,
) -> np.ndarray:
    """Draws graph attention over a dimmed face: an edge's width and color are its attention.

    Args:
        face_rgb: (h, w, 3) uint8, what the model sees of a face; at least 300 pixels are legible.
        edge_index: (2, E), rows source and target; node = 7 * row + column.
        attention: (E,), 0..1; a self-loop is drawn as a ring.
        high: The attention of the fullest color and the widest line.
        dimming: How dark the face gets, 0..1.
        strongest: Only this many edges between cells, those with the most attention; None for all,
            self-loops too.

    Returns:
        (h, w, 3) uint8, a copy. Each edge keeps to its right and its arrow points at the target.
    """
    canvas = np.rint(face_rgb * (1 - dimming)).astype(np.uint8)
    height, width = canvas.shape[:2]
    cell = np.array([width, height]) / GRID
    share = np.clip(attention / high, 0, 1)
    weak, strong = np.array(EDGE_RGB)
    colors = weak + share[:, None] * (strong - weak)
    unit = max(1.0, min(height, width) / 400)
    order = np.argsort(attention)
    if strongest is not None:
        order = order[edge_index[0, order] != edge_index[1, order]][-strongest:]
    for index in order:
        rgb = tuple(int(v) for v in colors[index])
        start, end = (np.array([n % GRID, n // GRID]) + 0.5 for n in edge_index[:, index])
        line_px = max(1, round(unit * (1 + 4 * share[index])))
        if (start == end).all():
            center = _at(start * cell)
            cv2.circle(canvas, center, round(0.13 * cell.min()), rgb, line_px, cv2.LINE_AA)
            continue
        along = end - start
        aside = 0.085 * np.array([-along[1], along[0]])
        tail, head = start + 0.2 * along + aside, end - 0.2 * along + aside
        cv2.arrowedLine(
            canvas, _at(tail * cell), _at(head * cell), rgb, line_px, cv2.LINE_AA, tipLength=0.25
        )
    return canvas


def _at(point: np.ndarray) -> tuple[int, int]:
    return round(float(point[0])), round(float(point[1]))
