"""The only entry point for users' images.

Everything a camera, a browser or a drawing program writes, and every picture that code has in
memory, becomes the same kind of array; what cannot becomes one error message. The size is read
from the file's header, before a pixel is decoded, so that a small file cannot ask for gigabytes.
"""

import hashlib
import os
import unicodedata
import warnings
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import cv2
import numpy as np
import pillow_heif
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from fervt import jpeg
from fervt.errors import ImageError

MAX_PIXELS = 25_000_000
# What cameras write and what is held in memory differ: JPEG is decoded at a half, a quarter or an
# eighth; HEIF is halved as soon as it is decoded.
_MAX_JPEG_PIXELS = 250_000_000
_MAX_PROGRESSIVE_PIXELS = 64_000_000  # all its coefficients are in memory
_MAX_HEIF_PIXELS = 50_000_000
_MOST_MISSING = 0.9  # of a truncated photo: a smaller rest shows no face

Picture: TypeAlias = str | os.PathLike[str] | bytes | Image.Image | NDArray[np.uint8]
"""A path, a file's content, a PIL image or an RGB array."""

# Only the formats of people's photos: Pillow's other decoders (one of them starts Ghostscript) stay
# out of reach of untrusted bytes.
FORMATS = ("AVIF", "BMP", "GIF", "HEIF", "JPEG", "PNG", "TIFF", "WEBP")
IMAGE_SUFFIXES = (
    ".jpg",
    ".png",
    ".heic",
    ".webp",
    ".gif",
    ".tif",
    ".bmp",
    ".avif",
    ".jpeg",
    ".tiff",
    ".heif",
    ".hif",
    ".jfif",
    ".jpe",
    ".mpo",
)
"""Their file extensions, in every interface, the most frequent first: lists of them are cut off.

The content decides how a file is read.
"""

# Pillow's own limit is higher than ours and only warns; ours rejects before any decoding. Set
# once, not around each call, because warning filters are shared by all threads.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)
pillow_heif.register_heif_opener()


@dataclass(frozen=True, eq=False)
class Photo:
    """A picture that was read.

    Attributes:
        rgb: (height, width, 3) uint8 RGB, upright.
        note: What is missing, in a sentence; "" if nothing is.
    """

    rgb: NDArray[np.uint8]
    note: str = ""


def read_image(
    source: Picture, name: str | None = None, max_pixels: int = MAX_PIXELS
) -> NDArray[np.uint8]:
    """Reads a picture in any form.

    Turned upright as its EXIF says; transparency over white; 16 bits a channel scaled to 8; CMYK,
    palettes and gray become RGB; of an animation, the first frame; one too large for memory is
    decoded smaller if its format allows; of a truncated JPEG, what is there. An array is
    checked and returned as it is.

    Args:
        source: A path, a file's content, a PIL image or an (h, w, 3) uint8 RGB array.
        name: Its name in errors, made safe by `safe_name`. By default
            the path.
        max_pixels: A stricter limit than `MAX_PIXELS` on decoded pixels, for all but arrays.

    Returns:
        (height, width, 3) uint8, RGB, writeable if it was read here.

    Raises:
        ImageError: The file is missing, empty, too large, damaged or not an image; or the source is
            of another type.

    Example:
        >>> import fervt
        >>> from skimage import data
        >>> fervt.read_image(data.astronaut()).shape
        (512, 512, 3)
        >>> fervt.read_image("gone.jpg")
        Traceback (most recent call last):
        ...
        fervt.errors.ImageError: 'gone.jpg' is not a file.
    """
    return read_photo(source, name, max_pixels).rgb


def read_photo(source: Picture, name: str | None = None, max_pixels: int = MAX_PIXELS) -> Photo:
    """As `read_image`, and says what is missing from a truncated picture.

    Raises:
        ImageError: As `read_image`.
    """
    if isinstance(source, np.ndarray):
        return Photo(check_image(source))
    if name is None:
        named = isinstance(source, str | os.PathLike)
        name = os.fspath(source) if named else "The picture"  # type: ignore[arg-type]
    name = safe_name(name)
    if isinstance(source, Image.Image):
        return Photo(_decode(source, name, max_pixels))
    if isinstance(source, str | os.PathLike):
        data = _read_file(Path(source), name)
    elif isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    else:
        raise ImageError(
            "A picture is a path, bytes, a PIL image or an RGB array, "
            f"not of type {type(source).__name__}."
        )
    if not data:
        raise ImageError(f"'{name}' is empty.")
    if jpeg.is_jpeg(data):
        return _read_jpeg(data, name, max_pixels)
    try:
        image = Image.open(BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageError(
            f"'{name}' has far too many pixels; images of up to {max_pixels / 1e6:g} "
            "megapixels can be read."
        ) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"'{name}' is not an image that can be read ({', '.join(FORMATS)})."
        ) from error
    except Exception as error:  # decoders may raise anything for a damaged file
        raise _damaged(name, error) from error
    with image:
        if _has_deep_channels(image, data):
            return Photo(_decode_deep(data, image, name, max_pixels))
        return Photo(_decode(image, name, max_pixels))


def _read_jpeg(data: bytes, name: str, max_pixels: int) -> Photo:
    layout = jpeg.survey(data)
    if layout.scans > jpeg.MAX_SCANS:
        raise ImageError(
            f"'{name}' has more than {jpeg.MAX_SCANS} progressive scans, which no camera writes."
        )
    if not layout.ends:
        data = jpeg.cut_padding(data)
    try:
        with jpeg.open_jpeg(data if layout.ends else data + jpeg.END) as image:
            size = image.size
            pixels = image.width * image.height
            most = _MAX_PROGRESSIVE_PIXELS if layout.progressive else _MAX_JPEG_PIXELS
            if pixels > most:
                raise _too_large(name, size, most)
            times = next((t for t in (1, 2, 4, 8) if pixels <= t * t * max_pixels), 8)
            smaller = image.width // times, image.height // times
            image.draft("RGB", smaller)
            if image.width * image.height > max_pixels:
                raise _too_large(name, size, 64 * max_pixels)
            missing = 0.0
            if not layout.ends:
                missing = jpeg.missing_share(data, np.asarray(image.convert("RGB")), smaller)
            turned = image.getexif().get(ExifTags.Base.Orientation, 1) != 1
            rgb = _decode(image, name, max_pixels)
    except ImageError:
        raise
    except Exception as error:  # as above
        raise _damaged(name, error) from error
    if layout.blurs and missing:
        return Photo(rgb, f"'{name}' is cut short, so it is less sharp than it was.")
    if missing > _MOST_MISSING:
        raise _damaged(name)
    percent = round(100 * missing)
    which = f"{percent}%" if turned else f"The lower {percent}%"
    return Photo(rgb, f"{which} of '{name}' is missing: it is cut short." if percent else "")


def check_image(image_rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Passes an image (h, w, 3) uint8 through.

    Raises:
        ImageError: It is anything else.
    """
    right = isinstance(image_rgb, np.ndarray) and image_rgb.dtype == np.uint8
    if not right or image_rgb.ndim != 3 or image_rgb.shape[2] != 3 or not image_rgb.size:
        raise ImageError("An image must be a uint8 array of shape (height, width, 3) in RGB.")
    return image_rgb


def _decode(image: Image.Image, name: str, max_pixels: int) -> NDArray[np.uint8]:
    pixels = image.width * image.height
    halved = image.format == "HEIF" and max_pixels < pixels <= min(4 * max_pixels, _MAX_HEIF_PIXELS)
    if pixels > max_pixels and not halved:
        raise _too_large(name, image.size, max_pixels)
    try:
        return check_image(_as_rgb(_upright(image.reduce(2) if halved else image)))
    except ImageError:
        raise
    except Exception as error:  # as above
        raise _damaged(name, error) from error


def _too_large(name: str, size: tuple[int, int], max_pixels: int) -> ImageError:
    return ImageError(
        f"'{name}' is {size[0]} x {size[1]} pixels; images of up to "
        f"{max_pixels / 1e6:g} megapixels can be read."
    )


def _damaged(name: str, error: Exception | None = None) -> ImageError:
    if isinstance(error, MemoryError):
        return ImageError(f"'{name}' needs more memory to decode than there is.")
    return ImageError(f"'{name}' is damaged or cut short and cannot be decoded.")


def image_sha256(data: bytes) -> str:
    """The SHA-256 of an image file's bytes in hex: its name in caches and links."""
    return hashlib.sha256(data).hexdigest()


def safe_name(name: str) -> str:
    """The part of an untrusted name that is safe to display.

    The part after the last slash or backslash, without control and formatting characters (which
    could rewrite a terminal's line or turn the reading direction), at most 80 characters.
    """
    base = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    shown = "".join(c for c in base if unicodedata.category(c)[0] != "C").strip()
    if shown in {"", ".", ".."}:
        return "unnamed"
    return shown if len(shown) <= 80 else shown[:40] + "…" + shown[-39:]


def _read_file(path: Path, name: str) -> bytes:
    try:
        if not path.is_file():  # also keeps devices and pipes, which never end, from being read
            raise ImageError(f"'{name}' is not a file.")
        return path.read_bytes()
    except OSError as error:
        raise ImageError(f"'{name}' cannot be read: {error.strerror}.") from error


def _upright(image: Image.Image) -> Image.Image:
    image.load()  # so that damaged pixels are not mistaken for damaged EXIF below
    try:
        ImageOps.exif_transpose(image, in_place=True)
        return image
    except Exception:  # a photo whose EXIF is damaged is still a photo
        return image


def _as_rgb(image: Image.Image) -> np.ndarray:
    if image.mode.startswith("I;16"):
        values = np.asarray(image, np.uint16)
        image = Image.fromarray(_to_8_bits(values, _bits(values)))
    elif image.mode in {"I", "F"}:  # 32-bit TIFF: no agreed white, so its own range is stretched
        values = np.nan_to_num(np.asarray(image).astype(np.float64))
        low, high = values.min(), values.max()
        gray = (values - low) * (255 / (high - low or 1))
        image = Image.fromarray(np.rint(gray).astype(np.uint8))
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _has_deep_channels(image: Image.Image, data: bytes) -> bool:
    """Whether a file has several channels of 16 bits, of which Pillow reads only the upper 8."""
    if image.format == "PNG":
        depth, kind = data[24:26]
        return depth == 16 and kind in (2, 4, 6)
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        bits = image.tag_v2.get(TiffImagePlugin.BITSPERSAMPLE, ())
        together = image.tag_v2.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 1
        return len(bits) > 1 and set(bits) == {16} and together
    return False


def _decode_deep(data: bytes, image: Image.Image, name: str, max_pixels: int) -> NDArray[np.uint8]:
    if image.width * image.height > max_pixels:
        raise _too_large(name, image.size, max_pixels)
    flags = cv2.IMREAD_UNCHANGED | cv2.IMREAD_IGNORE_ORIENTATION
    try:
        values = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        values = None
    shapes = [(image.height, image.width, channels) for channels in (3, 4)]
    if values is None or values.dtype != np.uint16 or values.shape not in shapes:
        return _decode(image, name, max_pixels)
    deep = np.asarray(values, np.uint16)
    bits = _bits(deep[..., :3])
    rgb = np.ascontiguousarray(_to_8_bits(deep[..., :3], bits)[..., ::-1])
    if deep.shape[2] == 4:  # its alpha may use all bits where its colors don't
        alpha = deep[..., 3]
        rgb = np.dstack([rgb, _to_8_bits(alpha, max(bits, _bits(alpha)))])
    picture = Image.fromarray(rgb)
    if image.format == "PNG":  # OpenCV itself turns a TIFF
        picture.info["exif"] = image.getexif().tobytes()
    return check_image(_as_rgb(_upright(picture)))


def _bits(values: NDArray[np.uint16]) -> int:
    """How many bits are used: cameras put 10, 12 or 14 of them into 16-bit files."""
    highest = int(values.max())
    return next(bits for bits in (8, 10, 12, 14, 16) if highest < 2**bits)


def _to_8_bits(values: NDArray[np.uint16], bits: int) -> NDArray[np.uint8]:
    white = 2**bits - 1
    table = np.rint(np.minimum(np.arange(2**16) * (255 / white), 255)).astype(np.uint8)
    return table[values]
