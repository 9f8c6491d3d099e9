"""Server-side cameras and videos, for kiosks: MJPEG with the faces drawn in.

Only sources that the operator named at startup can be watched; a visitor chooses a name. All
viewers of a source share one capture thread, which opens the device for the first and releases it
after the last.
"""

import threading
import time
from collections.abc import Iterator
from math import ceil

import cv2
import numpy as np
from flask import Response, request
from numpy.typing import NDArray

from fervt.amounts import percent
from fervt.draw import draw_boxes, jpeg_bytes
from fervt.labels import expression
from fervt.service.config import ServiceConfig
from fervt.service.limits import Slots
from fervt.service.problems import Problem
from fervt.service.responder import Responder

MAX_SIDE_PX = 960
MAX_FPS = 25.0
_FASTEST_FPS = 240.0  # of a file that is believed
_PATIENCE_S = 10.0
_BOUNDARY = "frame"


class Sources:
    """The sources of one worker, by name."""

    def __init__(
        self, config: ServiceConfig, responder: Responder, stopping: threading.Event
    ) -> None:
        self._viewers = Slots(config.max_viewers, "Too many viewers; try again later.")
        self._stopping = stopping
        self.by_name = {
            name: Source(name, origin, responder, stopping)
            for name, origin in config.sources.items()
        }

    def stream(self, name: str) -> Response:
        """An endless multipart response.

        Raises:
            Problem: 404, there is no such source; 503, it delivers no pictures, or has too many
                viewers.
        """
        source = self.by_name.get(name)
        if source is None:
            raise Problem(404, "This service has no such source.")
        self._viewers.acquire()
        source.join()

        def leave() -> None:
            source.leave()
            self._viewers.release()

        number, jpeg = source.wait_for_frame(0)
        if jpeg is None:
            leave()
            raise Problem(503, f"The source '{name}' delivers no pictures.", {"Retry-After": "5"})
        connection = request.environ.get("gunicorn.socket")
        if connection is not None:
            connection.settimeout(_PATIENCE_S)  # a viewer that stops reading is disconnected
        response = Response(
            self._parts(source, number, jpeg),
            content_type=f"multipart/x-mixed-replace; boundary={_BOUNDARY}",
        )
        response.call_on_close(leave)
        return response

    def _parts(self, source: "Source", number: int, jpeg: bytes | None) -> Iterator[bytes]:
        while jpeg is not None and not self._stopping.is_set():
            head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}"
            yield head.encode() + b"\r\n\r\n" + jpeg + b"\r\n"
            number, jpeg = source.wait_for_frame(number)


class Source:
    """One camera or file, open while somebody is watching."""

    def __init__(
        self, name: str, origin: str, responder: Responder, stopping: threading.Event
    ) -> None:
        self._name = name
        self._origin = origin
        self._responder = responder
        self._stopping = stopping
        self._changed = threading.Condition()
        self._viewers = 0
        self._running = False
        self._number = 0
        self._jpeg: bytes | None = None

    @property
    def is_open(self) -> bool:
        """Whether the device is open."""
        return self._running

    def join(self) -> None:
        """Adds a viewer; the first starts the capture thread."""
        with self._changed:
            self._viewers += 1
            if not self._running:
                self._running = True
                threading.Thread(target=self._run, name=f"source {self._name}").start()

    def leave(self) -> None:
        """Removes a viewer; the last stops the capture thread."""
        with self._changed:
            self._viewers -= 1

    def wait_for_frame(self, after: int) -> tuple[int, bytes | None]:
        """The newest frame with a number above `after`; None if no more frames come."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._is_newer(after) or not self._running, timeout=_PATIENCE_S
            )
            return self._number, self._jpeg if self._is_newer(after) else None

    def _is_newer(self, after: int) -> bool:
        return self._jpeg is not None and self._number > after

    def _run(self) -> None:
        again = True
        while again:
            again = False
            try:
                again = self._play()
            finally:
                with self._changed:
                    # Somebody may have joined while the device was being released. Decided once:
                    # anyone who joins after this starts a new thread.
                    again = again and self._is_wanted()
                    if not again:
                        # Frames go on counting: who waits for the next may outlast a restart.
                        self._running, self._jpeg = False, None
                        self._changed.notify_all()

    def _is_wanted(self) -> bool:
        return self._viewers > 0 and not self._stopping.is_set()

    def _play(self) -> bool:
        """Plays until nobody watches or the end; returns whether it can be played again."""
        is_camera = self._origin.isdecimal()
        capture = cv2.VideoCapture(int(self._origin) if is_camera else self._origin)
        try:
            capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)
            fps = capture.get(cv2.CAP_PROP_FPS)
            fps = fps if 1 <= fps <= _FASTEST_FPS else MAX_FPS
            every = 1 if is_camera else ceil(fps / MAX_FPS)
            started, played = time.monotonic(), 0
            while self._is_wanted():
                good, frame = capture.read()
                if not good:
                    return played > 0 and not is_camera
                self._publish(cv2.cvtColor(frame, cv2.COLOR_BGR2RGB))  # type: ignore[arg-type]
                played += 1
                if not is_camera:
                    played += sum(capture.grab() for _ in range(every - 1))
                    played += self._keep_pace(capture, started + played / fps, fps)
            return True
        finally:
            capture.release()

    def _keep_pace(self, capture: cv2.VideoCapture, due: float, fps: float) -> int:
        """Waits for the next frame of a file, or skips those that are overdue."""
        late_s = time.monotonic() - due
        if late_s < 0:
            self._stopping.wait(-late_s)
            return 0
        skipped = 0
        while skipped < late_s * fps and capture.grab():
            skipped += 1
        return skipped

    def _publish(self, image: NDArray[np.uint8]) -> None:
        factor = min(1.0, MAX_SIDE_PX / max(image.shape))
        size = round(image.shape[1] * factor), round(image.shape[0] * factor)
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        faces = self._responder.answer([image], live=True)[0]["faces"]
        shown = [expression(face["label"]) for face in faces]
        captions = [
            f"{e.name} {percent(face['probabilities'][face['label']])}"
            for e, face in zip(shown, faces, strict=True)
        ]
        boxes = [face["box_xyxy_px"] for face in faces]
        angles = [face["angle_deg"] for face in faces]
        drawn = draw_boxes(image, boxes, captions, [e.color for e in shown], angles)
        jpeg = jpeg_bytes(drawn)
        with self._changed:
            self._number += 1
            self._jpeg = jpeg
            self._changed.notify_all()
