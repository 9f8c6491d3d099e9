"""A moment of a video as a picture of the visitor's, which other pages open at its surest face."""

from collections.abc import Sequence
from io import BytesIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from fervt.live import FaceReading
from fervt.live.tracker import overlap
from fervt.predict import Predictor
from fervt.ui.answers import predict_faces
from fervt.ui.images import FIRST_FACE, PARAMETER, add_picture


def keep_moment(
    predictor: Predictor, name: str, frame_rgb: NDArray[np.uint8], faces: Sequence[FaceReading]
) -> dict[str, str]:
    """Takes a frame into the visitor's session.

    Args:
        predictor: The checkpoint, which numbers the frame's faces.
        name: The picture's file name.
        frame_rgb: (h, w, 3) uint8, without anything drawn on it.
        faces: Those that were read in it, at least one.

    Returns:
        The address's parameters that open it at the face of which the model was surest.
    """
    content = BytesIO()
    Image.fromarray(frame_rgb).save(content, "PNG", compress_level=1)
    picture = add_picture(name, content.getvalue())
    surest = max(faces, key=lambda face: face.confidence)
    opened = {PARAMETER: picture.key} | FIRST_FACE
    found = [np.array(p.box_xyxy_px) for p in predict_faces(predictor, picture)]
    shares = overlap([np.array(surest.box_xyxy_px)], found)[0] if found else np.zeros(1)
    if shares.max() == 0:  # nobody is there on this page: better the whole frame than another face
        return opened | {"whole": "1"}
    return opened | {"face": str(int(shares.argmax()) + 1)}
