"""Films, frame by frame: always upright, with square pixels and increasing times."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import BinaryIO

import av
import cv2
import numpy as np
from av.sidedata.sidedata import Type
from av.stream import Disposition
from av.video.reformatter import VideoReformatter
from numpy.typing import NDArray

from fervt.errors import FervtError
from fervt.images import MAX_PIXELS
from fervt.threads import codec_threads

_FALLBACK_FPS = 25
# FFmpeg also reads playlists, which make it open other files and addresses; an untrusted file in
# memory must be a film itself.
_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,gif"
# A lack of memory is one of FFmpeg's errors, too, but no damage.
_DAMAGE: tuple[type[Exception], ...] = (
    OSError,
    ValueError,
    *(kind for kind in av.error.FFmpegError.__subclasses__() if not issubclass(kind, MemoryError)),
)
_TINY_PX = 16
_WIDEST_PIXEL = 4.0  # ratio of the sides, either way; more than this is damage
_JUMP_S, _LEAST_STEP_S = 0.5, 0.001
_MAX_PACKET_BYTES = 50_000_000
# A film that falls short of its stated length by more is truncated; containers count sound too.
_END_SHARE, _END_FRAMES, _END_S = 0.95, 3, 0.5
_HIDDEN = 0.4  # of the packets: a larger share has another cause, such as paired fields
_LENGTH = re.compile(r"(\d{1,4}):(\d\d):(\d\d(?:\.\d+)?)")


class VideoError(FervtError):
    """A video file that cannot be used or written."""


@dataclass(frozen=True, eq=False)
class FilmFrame:
    """One frame.

    Attributes:
        time_s: Since the film's first frame; more than the last one's.
        share: How much of the film is read, 0..1.
        rgb: (h, w, 3) uint8 RGB, as a player shows it.
    """

    time_s: float
    share: float
    rgb: NDArray[np.uint8]


class Film:
    """An open film. Iterate once; then `notes` says what could not be read.

    Args:
        source: A path, in any format that FFmpeg reads; or an open file: MP4, MOV, WebM, Matroska,
            AVI, MPEG-TS or GIF.
        name: Its name in messages.
        from_s: Frames before this time are passed over, which takes half the time.

    Raises:
        VideoError: It cannot be read, or its frames are too large.
    """

    def __init__(self, source: Path | BinaryIO, name: str, from_s: float = 0.0) -> None:
        self._name, self._from_s = name, from_s
        self._container = _open(source, name)
        try:
            self._stream = _find_picture(self._container, name)
            self._check_size(self._stream.width, self._stream.height)
        except VideoError:
            self._container.close()
            raise
        self._step_s = 1 / float(self._stream.average_rate or _FALLBACK_FPS)
        self._said_s, self._spare_s = _length(self._stream), _END_S
        if self._said_s:
            self._spare_s = _END_FRAMES * self._step_s
        elif self._container.duration:
            self._said_s = self._container.duration / av.time_base
        self._first_aspect = self._stream.codec_context.sample_aspect_ratio
        self._packets = self._decoded = self._damaged = self._frames = 0
        self._read_s = 0.0
        self._to_rgb, self._to_tiny = VideoReformatter(), VideoReformatter()

    def __enter__(self) -> "Film":
        return self

    def __exit__(self, *_: object) -> None:
        self._container.close()

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be read, in sentences."""
        found = []
        if self._damaged:
            # Decoders also silently drop frames that depend on a damaged one.
            lost, swallowed = self._damaged, self._packets - self._decoded
            if lost < swallowed <= _HIDDEN * self._packets:
                lost = swallowed
            found.append(f"{lost:,} of {self._frames + lost:,} frames could not be read.")
        said_s = self._said_s
        if self._read_s < min(said_s - self._spare_s, _END_SHARE * said_s):
            found.append(
                f"The file says {said_s:.1f} s; {self._read_s:.1f} s of them could be read."
            )
        return tuple(found)

    def __iter__(self) -> Iterator[FilmFrame]:
        """Yields the frames that can be read.

        Raises:
            VideoError: A frame is too large.
        """
        self._stream.thread_type = "AUTO"
        self._stream.codec_context.thread_count = codec_threads()
        step_s = self._step_s
        offset_s, last_s = 0.0, -step_s
        share = 0.0
        for frame, bytes_share in self._decode():
            self._decoded += 1
            known = frame.time is not None and isfinite(frame.time)
            at_s = frame.time + offset_s if known else last_s + step_s
            moved_s = 0.0
            if self._frames == 0:
                moved_s = -at_s
            elif at_s < last_s - _JUMP_S or at_s > last_s + max(60.0, 2 * self._said_s):
                moved_s = last_s + step_s - at_s  # joined clips restart at another time
            at_s = max(at_s + moved_s, last_s + _LEAST_STEP_S)
            is_wanted = at_s >= self._from_s - _LEAST_STEP_S / 2
            try:
                rgb = self._as_shown(frame) if is_wanted else None
            except _DAMAGE:
                self._damaged += 1
                continue
            offset_s, last_s = offset_s + moved_s, at_s
            self._frames += 1
            held_s = float(frame.duration * frame.time_base) if frame.time_base else 0.0
            self._read_s = at_s + max(step_s, held_s)
            # Browser recordings do not state their length.
            done = self._read_s / self._said_s if self._said_s else bytes_share
            share = min(1.0, max(share, done))
            if rgb is not None:
                yield FilmFrame(at_s, share, rgb)

    def _decode(self) -> Iterator[tuple[av.VideoFrame, float]]:
        """Each frame that can be decoded, and the share of the file's bytes before it."""
        share = 0.0
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except _DAMAGE:  # the file ends in the middle of something
                packet = None
            if packet is None:
                with suppress(*_DAMAGE):  # what waits in the decoder
                    for frame in self._stream.codec_context.decode(None):
                        self._check_size(frame.width, frame.height)
                        yield frame, 1.0
                return
            if packet.pos is not None and self._container.size > 0:
                share = packet.pos / self._container.size
            self._packets += packet.size > 0
            try:
                if packet.is_corrupt and _has_lengths(self._stream):
                    frames = self._stream.codec_context.decode(_fill(packet))
                else:
                    frames = packet.decode()
            except _DAMAGE:
                self._damaged += 1
                continue
            for frame in frames:
                self._check_size(frame.width, frame.height)
                yield frame, share

    def _as_shown(self, frame: av.VideoFrame) -> NDArray[np.uint8]:
        image = np.asarray(
            self._to_rgb.reformat(frame, format="rgb24", threads=1).to_ndarray(), np.uint8
        )
        ratio = self._stream.sample_aspect_ratio
        now = self._stream.codec_context.sample_aspect_ratio
        wider = float((now if now != self._first_aspect else ratio) or 1)  # joined clips may differ
        if wider != 1 and 1 / _WIDEST_PIXEL <= wider <= _WIDEST_PIXEL:
            size = max(1, round(frame.width * wider)), frame.height
            self._check_size(*size)
            image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
        # A frame whose side data were looked at stays in memory until the garbage collector comes,
        # because they refer to each other: so only at those of a tiny copy.
        tiny = self._to_tiny.reformat(frame, _TINY_PX, _TINY_PX, interpolation="POINT", threads=1)
        return _apply_matrix(image, _display_matrix(tiny))

    def _check_size(self, width: int, height: int) -> None:
        if width * height > MAX_PIXELS:
            raise VideoError(
                f"{self._name} has frames of more than {MAX_PIXELS // 1_000_000} megapixels."
            )


def _open(source: Path | BinaryIO, name: str) -> av.container.InputContainer:
    try:
        if isinstance(source, Path):
            # Absolute: FFmpeg takes what comes before a colon for a protocol.
            return av.open(os.path.abspath(source), metadata_errors="replace")
        limits = {"format_whitelist": _FORMATS}
        return av.open(source, "r", container_options=limits, metadata_errors="replace")
    except FileNotFoundError as error:
        raise VideoError(f"There is no file {source}.") from error
    except _DAMAGE as error:
        raise VideoError(f"{name} is not a readable video.") from error


def _find_picture(container: av.container.InputContainer, name: str) -> av.VideoStream:
    """The film itself, not its cover picture."""
    streams = [
        stream
        for stream in container.streams.video
        if not stream.disposition & Disposition.attached_pic
    ]
    if not streams:
        raise VideoError(f"{name} has no picture.")
    streams = [stream for stream in streams if stream.codec_context is not None]
    if not streams:
        raise VideoError(f"{name} uses a codec that cannot be decoded.")
    with suppress(ValueError):
        best = container.streams.best("video")
        if best in streams and isinstance(best, av.VideoStream):
            return best
    return streams[0]


def _length(stream: av.VideoStream) -> float:
    """The stated length of a file's video stream, in seconds; 0 if it states none."""
    if stream.duration and stream.time_base:
        return float(stream.duration * stream.time_base)
    said = _LENGTH.match(stream.metadata.get("DURATION", ""))  # as Matroska has it
    if said is None:
        return 0.0
    return 3600 * int(said[1]) + 60 * int(said[2]) + float(said[3])


def _has_lengths(stream: av.VideoStream) -> bool:
    """Whether packets are length-prefixed parts, like H.264 and H.265 in MP4."""
    extra = stream.codec_context.extradata or b""
    return stream.codec_context.name in ("h264", "hevc") and extra[:1] == b"\1"


def _fill(packet: av.Packet) -> av.Packet:
    """Pads a truncated last packet with zeros: decoders reject it otherwise."""
    data = bytes(packet)
    at = 0
    while at + 4 <= len(data):
        at += 4 + int.from_bytes(data[at : at + 4], "big")
    if not len(data) < at <= _MAX_PACKET_BYTES:
        return packet
    whole = av.Packet(data.ljust(at, b"\0"))
    whole.pts, whole.dts, whole.time_base = packet.pts, packet.dts, packet.time_base
    return whole


def _display_matrix(frame: av.VideoFrame) -> NDArray[np.int32] | None:
    """(2, 2) of -1, 0 and 1: where a picture's x and y go for display; None if unchanged.

    Phones store the picture in the sensor's orientation, plus how to rotate or mirror it.
    """
    data = frame.side_data.get(Type.DISPLAYMATRIX)  # type: ignore[call-overload]
    if data is None:
        return None
    matrix = np.frombuffer(bytes(data), np.int32)[:9].reshape(3, 3)[:2, :2]
    largest = np.abs(matrix).max()
    return None if largest == 0 else np.rint(matrix / largest).astype(np.int32)


def _apply_matrix(image: NDArray[np.uint8], matrix: NDArray[np.int32] | None) -> NDArray[np.uint8]:
    if matrix is None:
        return image
    if abs(matrix[0, 1]) == 1 and abs(matrix[1, 0]) == 1:  # x becomes y
        image = image.transpose(1, 0, 2)
        across, down = matrix[1, 0], matrix[0, 1]
    else:
        across, down = matrix[0, 0], matrix[1, 1]
    if across < 0:
        image = image[:, ::-1]
    if down < 0:
        image = image[::-1]
    return np.ascontiguousarray(image)
