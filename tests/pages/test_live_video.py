"""A video on the Live page and the Record button, without a browser or a process."""

import time
from io import BytesIO

import av
import numpy as np
import pytest
from film import astronaut_frames, write_film

from fervt.errors import FervtError
from fervt.film import Film
from fervt.jobs import Job, JobError
from fervt.ui import jobs as ui_jobs
from fervt.ui.jobs import say_seconds


class Jobs:
    """What stands in for the server's jobs: does the work when it is told to."""

    def __init__(self) -> None:
        self.known: dict[str, Job] = {}
        self.waiting: dict[str, tuple] = {}
        self.full = False

    def start(self, kind, title, work, *arguments) -> Job:
        if self.full:
            raise JobError("2 jobs are running already; wait for one to end or cancel it.")
        job = Job(f"job-{len(self.known) + len(self.waiting)}-{time.time_ns()}", kind, title)
        self.known[job.id] = job
        self.waiting[job.id] = work, arguments
        return job

    def work(self) -> None:
        for key, (work, arguments) in list(self.waiting.items()):
            job = self.known[key]

            def report(share, doing, job=job):
                job.share, job.doing = share, doing

            try:
                job.result = work(report, *arguments)
            except FervtError as error:
                job.state, job.error = "failed", str(error)
            else:
                job.state = "done"
            del self.waiting[key]

    def drops_at(self, job):
        return time.time() + 60

    def find(self, job_id):
        return self.known.get(job_id)

    def cancel(self, job_id):
        self.known[job_id].state = "cancelled"
        self.waiting.pop(job_id)

    def forget(self, job_id):
        self.known.pop(job_id, None)
        self.waiting.pop(job_id, None)


@pytest.fixture
def jobs(monkeypatch) -> Jobs:
    jobs = Jobs()
    monkeypatch.setattr(ui_jobs, "server_jobs", lambda: jobs)
    return jobs


@pytest.fixture(scope="module")
def film(tmp_path_factory) -> bytes:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    return write_film(path, astronaut_frames(240, 182, 8), "libx264", "yuv420p").read_bytes()


def upload(app, name: str, content: bytes):
    next(u for u in app.file_uploader if u.label == "A video with faces").upload(name, content)
    return settled(app)


def settled(app):
    app.run()
    assert not app.exception
    return app


def labels(app) -> list[str]:
    kinds = [*app.button, *app.get("download_button")]
    return [getattr(button, "label", None) or button.proto.label for button in kinds]


def press(app, label: str):
    next(button for button in app.button if button.label == label).click()
    return settled(app)


def test_a_film_is_read_and_shown_with_its_timeline(open_page, jobs, film):
    app = open_page("live", source="video", overlay="graph", smoothing="0")
    assert "is not stored" in app.caption[1].value
    assert "Agree and continue" not in labels(app)
    upload(app, "a *film*.mp4", film)
    (job,) = jobs.known.values()
    assert app.query_params["job"] == job.id
    assert app.text[0].value == "Reading a *film*.mp4" and "Cancel" in labels(app)
    settings = jobs.waiting[job.id][1][-1]
    assert (settings.overlay, settings.half_life_s, settings.mirror) == ("graph", 0.0, False)
    job.share, job.doing, job.started = 0.25, "Frame 2", time.time() - 60
    settled(app)
    assert app.get("progress")[0].proto.text == "Frame 2, about 3 min left"
    assert not app.get("video")

    jobs.work()
    settled(app)
    assert not app.get("progress") and "Cancel" not in labels(app)
    assert len(app.get("video")) == 1 and len(app.get("plotly_chart")) == 1
    assert any("8 frames in" in c.value and "1 person" in c.value for c in app.caption)
    assert any("Anyone with this link can see this video" in c.value for c in app.caption)
    for label in ("Annotated video (MP4)", "Timeline (CSV)", "Summary (HTML)", "Read it again"):
        assert label in labels(app)
    moment = next(s for s in app.slider if s.label == "Moment")
    moment.set_value(moment.min).run()
    assert any("face 1:" in m.value for m in app.markdown)


def test_another_overlay_is_drawn_without_reading_the_film_again(open_page, jobs, film):
    app = upload(open_page("live", source="video"), "film.mp4", film)
    jobs.work()
    (read,) = jobs.known.values()
    settled(app)
    before = app.get("video")[0].proto.url
    app.query_params["overlay"] = "graph"
    settled(app)
    assert [job.title for job in jobs.known.values()] == ["Reading film.mp4", "Drawing film.mp4"]
    assert app.get("video")[0].proto.url == before, (
        "the old one is shown until the new one is there"
    )
    jobs.work()
    settled(app)
    assert app.get("video")[0].proto.url != before
    assert read.id in jobs.known and len(jobs.known) == 2
    app.query_params["overlay"] = "none"
    settled(app)
    assert app.get("video")[0].proto.url == before and not jobs.waiting, "it is still there"
    again = open_page("live", source="video", overlay="gwa", job=read.id)
    assert any("Choose the file again" in c.value for c in again.caption) and not jobs.waiting
    press(app, "Forget this video")
    assert not jobs.known


def test_a_moment_of_a_film_is_explained_without_what_was_drawn_on_it(
    open_page, jobs, film, monkeypatch
):
    opened = []
    monkeypatch.setattr(
        "streamlit.switch_page", lambda path, query_params: opened.append((path, query_params))
    )
    app = upload(open_page("live", source="video", overlay="graph"), "a.mp4", film)
    jobs.work()
    settled(app)
    moment = next(s for s in app.slider if s.label == "Moment")
    moment.set_value(0.2).run()
    press(app, "Explain this moment")
    (picture,) = app.session_state["own_pictures"].values()
    assert opened[0][0] == "pages/explain.py" and opened[0][1]["image"] == picture.key
    with Film(BytesIO(film), "a.mp4") as frames:
        shown = min(frames, key=lambda frame: abs(frame.time_s - 0.2))
    np.testing.assert_array_equal(picture.rgb, shown.rgb)
    again = open_page("live", source="video", job=app.query_params["job"])
    assert "Explain this moment" not in labels(again), "only who has the film has its frames"


def test_another_upload_is_not_taken_for_the_film_of_a_link(open_page, jobs, film):
    upload(open_page("live", source="video"), "film.mp4", film)
    jobs.work()
    (read,) = jobs.known.values()
    jobs.full = True
    app = upload(open_page("live", source="video", job=read.id), "other.mp4", film)
    assert any("running already" in error.value for error in app.error)
    app.query_params["overlay"] = "graph"
    moment = next(s for s in app.slider if s.label == "Moment")
    moment.set_value(0.2).run()
    assert any("Choose the file again" in c.value for c in app.caption)
    assert "Explain this moment" not in labels(app) and not jobs.waiting


def test_the_address_finds_it_in_another_session_until_it_is_forgotten(open_page, jobs, film):
    first = upload(open_page("live", source="video"), "film.mp4", film)
    jobs.work()
    address = dict(source="video", job=first.query_params["job"])
    app = open_page("live", **address)
    assert len(app.get("video")) == 1 and "Read it again" not in labels(app)
    press(app, "Forget this video")
    assert not jobs.known and "job" not in app.query_params and not app.get("video")
    settled(first)
    assert "no longer on this server" in first.warning[0].value and not first.get("video")


def test_forgetting_my_images_forgets_it_too(open_page, jobs, film):
    app = upload(open_page("live", source="video"), "film.mp4", film)
    app.switch_page("pages/predict.py")
    press(settled(app), "Forget my images")
    assert not jobs.known and not jobs.waiting


def test_a_new_upload_replaces_the_last(open_page, jobs, film):
    app = upload(open_page("live", source="video"), "one.mp4", film)
    upload(app, "two.mp4", film)
    assert [job.title for job in jobs.known.values()] == ["Reading two.mp4"]
    assert list(jobs.waiting) == [app.query_params["job"]]


def test_cancel_ends_it_and_it_can_be_read_again(open_page, jobs, film):
    app = upload(open_page("live", source="video"), "film.mp4", film)
    press(app, "Cancel")
    assert app.info[0].value == "Cancelled." and not jobs.waiting
    press(app, "Read it again")
    assert len(jobs.waiting) == 1 and not app.info


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"", "notes.mp4 is empty."), (b"text" * 99, "notes.mp4 is not a readable video.")],
)
def test_a_bad_file_gets_a_sentence(open_page, jobs, content, sentence):
    app = upload(open_page("live", source="video"), "../notes.mp4", content)
    jobs.work()
    settled(app)
    assert [error.value for error in app.error] == [sentence]
    assert not app.get("video") and "Forget this video" in labels(app)


def test_a_busy_server_and_a_dead_link_are_said(open_page, jobs, film):
    app = open_page("live", source="video", job="gone")
    assert "no longer on this server" in app.warning[0].value
    assert "job" not in app.query_params
    jobs.full = True
    upload(app, "film.mp4", film)
    assert "running already" in app.error[0].value and not jobs.known


def test_recording_is_off_until_record_and_forgotten_with_the_images(open_page, monkeypatch):
    readers = []

    def camera(reader) -> bool:
        readers.append(reader)
        for frame in astronaut_frames(320, 240, 3):
            shown, _ = reader.worker.process(frame)
            reader.recorder.add(shown)
        return True

    monkeypatch.setattr("fervt.ui.live.stream.stream_camera", camera)
    app = open_page("live")
    assert "unless you press Record" in app.markdown[0].value
    assert [c.value for c in app.caption if "What you will see" in c.value]
    press(app, "Agree and continue")
    assert readers[-1].recorder.state.frames == 0 and not app.get("video")
    press(app, "Record")
    recorder = readers[-1].recorder
    assert recorder.state.running and "Stop recording" in labels(app)
    assert any("Recording, " in m.value for m in app.markdown)
    press(app, "Stop recording")
    assert len(app.get("video")) == 1 and "Recording (MP4)" in labels(app)
    with av.open(BytesIO(recorder.film)) as film:
        assert sum(1 for _ in film.decode(video=0)) >= 3
    press(app, "Forget the recording")
    assert recorder.film is None and not app.get("video")

    press(app, "Record")
    press(app, "Stop recording")
    assert recorder.film is not None
    app.switch_page("pages/predict.py")
    press(settled(app), "Forget my images")
    assert recorder.film is None


def test_frames_that_fail_outside_of_the_worker_are_on_the_page(open_page, monkeypatch):
    def camera(reader) -> bool:
        reader.worker.count_failure("A frame could not be decoded (ValueError).", dropped=2)
        return True

    monkeypatch.setattr("fervt.ui.live.stream.stream_camera", camera)
    app = open_page("live")
    press(app, "Agree and continue")
    assert app.warning[0].value == (
        "1 of 1 frames could not be read. A frame could not be decoded (ValueError)."
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (42.4, "42 s"), (150, "2 min"), (9000, "2.5 h")]
)
def test_times_are_said_in_the_unit_people_take(seconds, text):
    assert say_seconds(seconds) == text
