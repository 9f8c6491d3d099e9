"""Face detection, and the square crops that a classifier sees."""

from fervt.faces.crop import check_box, crop_face, whole_image_box
from fervt.faces.detect import SEARCH_SIDE_PX, FaceDetector, thread_detector
from fervt.faces.exposure import brighten
from fervt.faces.found import Box, FoundFace

__all__ = [
    "SEARCH_SIDE_PX",
    "Box",
    "FaceDetector",
    "FoundFace",
    "brighten",
    "check_box",
    "crop_face",
    "thread_detector",
    "whole_image_box",
]
