"""Request bodies, in each of the three forms, to named bytes and then to arrays."""

import base64
import binascii
import zlib
from io import BytesIO
from typing import Any

from flask import Request, request
from werkzeug.exceptions import BadRequest

from fervt.errors import ImageError
from fervt.faces import check_box, whole_image_box
from fervt.images import Photo, safe_name
from fervt.sandbox import read_photo
from fervt.service.config import ServiceConfig
from fervt.service.problems import Problem
from fervt.service.responder import EXPLANATIONS

NamedBytes = tuple[str, bytes]
NamedImage = tuple[str, Photo | ImageError]


class MemoryRequest(Request):
    """A request whose uploads stay in memory: strangers' faces are never written to disk."""

    def _get_file_stream(self, *args: Any, **kwargs: Any) -> BytesIO:
        return BytesIO()


_URL_SAFE = str.maketrans("-_", "+/")
_RAW_TYPES = ("image/", "application/octet-stream")


def gather_body(limit_bytes: int) -> None:
    """Reads a chunked body, which does not declare its length.

    Raises:
        Problem: 413 if it is longer than the limit.
    """
    if "chunked" not in request.headers.get("Transfer-Encoding", "").lower():
        return
    body = request.environ["wsgi.input"].read(limit_bytes + 1)
    if len(body) > limit_bytes:
        raise Problem(413, f"The body is larger than {limit_bytes // 1_000_000} MB.")
    _replace_body(body)


def unpack_body(limit_bytes: int) -> None:
    """Replaces the current request's body with its decompressed content if it is gzip.

    Raises:
        Problem: 413 if it decompresses to more than the limit, 415 for another encoding, 400 for
            damage.
    """
    encoding = request.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        return
    if encoding not in ("gzip", "x-gzip"):
        raise Problem(415, "The only supported Content-Encoding is gzip.")
    packed = request.get_data(cache=False)
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        body = unpacker.decompress(packed, limit_bytes + 1)
    except zlib.error as error:
        raise Problem(400, "The body is not valid gzip.") from error
    if len(body) > limit_bytes:
        raise Problem(413, f"The body decompresses to more than {limit_bytes // 1_000_000} MB.")
    if not unpacker.eof:
        raise Problem(400, "The body is not valid gzip.")
    _replace_body(body)


def _replace_body(body: bytes) -> None:
    request.environ["wsgi.input"] = BytesIO(body)
    request.environ["CONTENT_LENGTH"] = str(len(body))
    for read_before in ("stream", "content_length"):
        request.__dict__.pop(read_before, None)


def read_bodies(many: bool, config: ServiceConfig) -> list[NamedBytes]:
    """The images of the current request, still encoded.

    Args:
        many: Whether the JSON has a list `images` instead of one image.
        config: For the number of images.

    Raises:
        Problem: 400 for a malformed body or too many images, 415 for an
            unsupported content type.
    """
    kind = request.mimetype
    if kind == "multipart/form-data":
        found = [(file.filename or "file", file.read()) for file in request.files.getlist("file")]
        if not found:
            raise Problem(400, "The form has no file in a field named 'file'.")
    elif kind == "application/json":
        found = _read_json(many)
    elif kind.startswith(_RAW_TYPES):
        found = [("body", request.get_data(cache=False))]
    else:
        raise Problem(
            415,
            "Send multipart/form-data with a field 'file', an image as the body "
            "(image/jpeg, image/png, ...), or application/json with base64.",
        )
    if len(found) > config.max_images:
        raise Problem(400, f"The request has more than {config.max_images} images.")
    return found


def decode(found: list[NamedBytes], config: ServiceConfig, detect: bool) -> list[NamedImage]:
    """Decodes each image, or says why it cannot be used."""
    images: list[NamedImage] = []
    for name, data in found:
        try:
            image: Any = read_photo(data, name, config.max_megapixels * 1_000_000)
            if not detect:
                check_box(whole_image_box(image.rgb))
        except ImageError as error:
            image = error
        images.append((safe_name(name), image))
    return images


def read_explain() -> list[str]:
    """`?explain=gwa,gat`.

    Raises:
        Problem: 400, there is no such explanation.
    """
    asked = [word for word in request.args.get("explain", "").split(",") if word]
    for word in asked:
        if word not in EXPLANATIONS:
            raise Problem(400, f"explain must be a list of: {', '.join(EXPLANATIONS)}.")
    return asked


def read_detect() -> bool:
    """`?detect=false` takes each image as one face.

    Raises:
        Problem: 400, it is neither true nor false.
    """
    word = request.args.get("detect", "true")
    if word not in ("true", "false"):
        raise Problem(400, "detect must be true or false.")
    return word == "true"


def _read_json(many: bool) -> list[NamedBytes]:
    try:
        content = request.get_json()
    except (BadRequest, RecursionError) as error:
        raise Problem(400, "The body is not valid JSON.") from error
    if not many:
        return [_read_entry(content)]
    entries = content.get("images") if isinstance(content, dict) else None
    if not isinstance(entries, list) or not entries:
        raise Problem(400, "The JSON must be an object with a non-empty list 'images'.")
    return [_read_entry(entry) for entry in entries]


def _read_entry(entry: Any) -> NamedBytes:
    text = entry.get("image") if isinstance(entry, dict) else None
    name = entry.get("name", "image") if isinstance(entry, dict) else None
    if not isinstance(text, str) or not isinstance(name, str):
        raise Problem(400, "In JSON, an image is an object with 'image' (base64), optional 'name'.")
    if text.startswith("data:"):  # as a browser's canvas returns it
        text = text.partition(",")[2]
    text = "".join(text.split()).translate(_URL_SAFE).rstrip("=")
    try:
        return name, base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise Problem(400, f"'{safe_name(name)}' is not valid base64.") from error
