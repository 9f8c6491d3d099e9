"""The HTML that notebooks show: templates that escape everything put into them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from jinja2 import Environment, PackageLoader
from numpy.typing import NDArray

from fervt.draw import draw_boxes, draw_overlay
from fervt.explain import SOURCES
from fervt.figures.grid import encode_picture, encode_png
from fervt.labels import NOTICE, expression

if TYPE_CHECKING:
    from fervt.api.faces import Face

_MOST_FACES = 8
_PICTURE_PX, _CROP_PX = 640, 128  # twice the size shown, for high-resolution screens
_templates = Environment(loader=PackageLoader("fervt.api"), autoescape=True, trim_blocks=True)


def face_cards(
    faces: Sequence[Face], image_rgb: NDArray[np.uint8] | None = None, name: str = ""
) -> str:
    """Cards of faces, with their picture (h, w, 3) uint8 RGB if it is given."""
    picture = caption = ""
    if image_rgb is not None:
        boxes = [face.box_xyxy_px for face in faces]
        colors = [expression(face.label).color for face in faces]
        angles = [face.angle_deg for face in faces]
        drawn = draw_boxes(image_rgb, boxes, [""] * len(boxes), colors, angles)
        picture = encode_picture(drawn, _PICTURE_PX)
        count = {0: "no face found", 1: "1 face"}.get(len(faces), f"{len(faces):,} faces")
        caption = f"{name}: {count}" if name else count
    return _templates.get_template("faces.html").render(
        picture=picture,
        caption=caption,
        faces=[_describe(face) for face in faces[:_MOST_FACES]],
        more=max(0, len(faces) - _MOST_FACES),
        notice=NOTICE,
    )


def _describe(face: Face) -> dict[str, object]:
    bars = [
        {
            "name": expression(label).name,
            "color": expression(label).color,
            "percent": round(100 * share, 1),
            "text": f"{share:.1%}",
            "leads": label == face.label,
        }
        for label, share in face.probabilities.items()
    ]
    return {
        "crop": encode_picture(face.crop, _CROP_PX),
        "name": expression(face.label).name,
        "label": face.label,
        "confidence": f"{face.confidence:.1%}",
        "bars": bars,
    }


def explanation_card(
    title: str, seen_rgb: NDArray[np.uint8], maps: Mapping[str, NDArray[np.float32]]
) -> str:
    """A card of (7, 7) maps, by key of `SOURCES`, over what the model saw (h, w, 3) uint8 RGB."""
    shown = []
    for key, values in maps.items():
        source = SOURCES[key]
        high = float(np.abs(values).max()) or 1.0
        drawn = draw_overlay(seen_rgb, values, source.neutral, high, signed=source.signed)
        row, column = divmod(int(values.argmax()), values.shape[1])
        shown.append(
            {
                "title": source.title,
                "meaning": source.meaning,
                "picture": encode_png(drawn),
                "row": row,
                "column": column,
            }
        )
    return _templates.get_template("explanation.html").render(
        title=title, maps=shown, notice=NOTICE
    )
