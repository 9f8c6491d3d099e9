"""Predictions in each shape a caller may send, and every bad input as one sentence."""

import base64
import gzip
import io
import json
import re
import struct
import threading
import zlib

import cv2
import numpy as np
import pytest
import served

from fervt.faces import SEARCH_SIDE_PX, FaceDetector, crop_face
from fervt.images import read_image
from fervt.predict import to_face
from fervt.service.problems import MEDIA_TYPE


def problem(answer):
    assert answer.content_type == MEDIA_TYPE, answer.text
    body = json.loads(answer.data)
    assert body["status"] == answer.status_code and set(body) == {"title", "status", "detail"}
    assert body["detail"].endswith(".") and "\n" not in body["detail"]
    assert "Traceback" not in answer.text and "/" not in body["detail"].replace(
        "application/json", ""
    ).replace("multipart/form-data", "").replace("image/", "")
    return body


def post(client, data, kind="image/jpeg", path="/v1/predict"):
    return client.post(path, data=data, content_type=kind)


def form(*files):
    return {"file": [(io.BytesIO(data), name) for name, data in files]}


def as_base64(data):
    return base64.b64encode(data).decode()


def png_header(width, height):
    """A PNG that claims a size and ends in its first pixels."""
    chunk = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(b"\0" * 64)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(part) - 4) + part + struct.pack(">I", zlib.crc32(part))
        for part in (chunk, data)
    )


def test_uploads_are_not_written_to_disk(client, monkeypatch):
    def fail(*args, **kwargs):
        raise AssertionError("a temporary file was made")

    monkeypatch.setattr("tempfile.SpooledTemporaryFile", fail)
    monkeypatch.setattr("tempfile.TemporaryFile", fail)
    noise = np.random.default_rng(0).integers(0, 255, (900, 800, 3), np.uint8)
    png = cv2.imencode(".png", noise)[1].tobytes()
    assert len(png) > 2_000_000
    head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'
    body = head + png + b"\r\n--x--\r\n"
    assert post(client, body, "multipart/form-data; boundary=x").status_code == 200


def test_all_three_shapes_give_the_same_answer_as_the_library(client, predictor, face_jpeg):
    answers = [
        post(client, face_jpeg),
        post(client, face_jpeg, "application/octet-stream"),
        client.post("/v1/predict", data=form(("me.jpg", face_jpeg))),
        client.post("/v1/predict", json={"image": as_base64(face_jpeg), "name": "me.jpg"}),
        client.post(
            "/v1/predict", json={"image": f"data:image/jpeg;base64,{as_base64(face_jpeg)}"}
        ),
    ]
    images = []
    for answer in answers:
        assert answer.status_code == 200
        body = answer.get_json()
        assert body["model"] == "tiny" and "apparent" in body["notice"]
        images += body["images"]
    assert [image["name"] for image in images] == ["body", "body", "me.jpg", "me.jpg", "image"]

    (expected,) = predictor.predict(read_image(face_jpeg, "x"))
    for image in images:
        assert (image["width"], image["height"], image["faces_found"]) == (320, 240, 1)
        (face,) = image["faces"]
        assert face["box_xyxy_px"] == list(expected.box_xyxy_px)
        assert face["label"] == expected.label
        assert list(face["probabilities"]) == list(expected.classes)
        got = np.array(list(face["probabilities"].values()))
        assert np.abs(got - expected.probabilities).max() < 1e-5
        assert "gwa" not in face and "gat" not in face


def test_several_files_keep_their_order(client, face_jpeg):
    blank = served.jpeg(np.full((50, 70, 3), 128, np.uint8))
    answer = client.post("/v1/predict", data=form(("b.jpg", blank), ("a.jpg", face_jpeg)))
    first, second = answer.get_json()["images"]
    assert (first["name"], first["width"], first["faces"]) == ("b.jpg", 70, [])
    assert second["name"] == "a.jpg" and len(second["faces"]) == 1


def test_explanations_are_the_models_own(client, predictor, face_jpeg):
    answer = post(client, face_jpeg, path="/v1/predict?explain=gwa,gat")
    (face,) = answer.get_json()["images"][0]["faces"]

    crop = crop_face(read_image(face_jpeg, "x"), face["box_xyxy_px"])
    output, _ = predictor._run(to_face(crop)[None])
    assert np.abs(np.array(face["gwa"]) - output.gwa_weights[0].numpy()).max() < 1e-4
    assert len(face["gat"]) == len(output.gat_attention)
    for got, layer in zip(face["gat"], output.gat_attention, strict=True):
        assert np.abs(np.array(got) - layer[0].mean(dim=1).numpy()).max() < 1e-4
    grid = client.get("/v1/model").get_json()["grid"]
    assert [grid["edge_sources"], grid["edge_targets"]] == output.gat_edge_index.tolist()
    entering = np.bincount(grid["edge_targets"], weights=face["gat"][-1])
    assert np.abs(entering - 1).max() < 1e-3
    left, top, right, bottom = face["box_xyxy_px"]
    x0, y0, x1, y1 = face["grid_xyxy_px"]
    assert left < x0 < x1 < right and top < y0 < y1 < bottom


def test_explain_takes_one_of_the_two(client, face_jpeg):
    (face,) = post(client, face_jpeg, path="/v1/predict?explain=gat").get_json()["images"][0][
        "faces"
    ]
    assert "gat" in face and "gwa" not in face


def test_the_whole_image_as_one_face(client, face_jpeg):
    (image,) = post(client, face_jpeg, path="/v1/predict?detect=false").get_json()["images"]
    assert [face["box_xyxy_px"] for face in image["faces"]] == [[0, 0, 320, 240]]


def test_only_the_largest_faces_are_answered(make_client):
    small = served.face_image(240, 180)
    both = np.zeros((330, 620, 3), np.uint8)
    both[:180, :240], both[:330, 240 : 240 + 380] = small, served.face_image(380, 330)
    client = make_client(max_faces=1, search_side_px=1024)
    (image,) = post(client, served.jpeg(both)).get_json()["images"]
    assert image["faces_found"] == 2 and len(image["faces"]) == 1
    assert image["faces"][0]["box_xyxy_px"][0] > 240


def test_a_batch_answers_each_image_by_itself(client, face_jpeg):
    entries = [
        {"image": as_base64(b"no image"), "name": "bad.png"},
        {"image": as_base64(face_jpeg)},
    ]
    answer = client.post("/v1/predict/batch", json={"images": entries})
    bad, good = answer.get_json()["images"]
    assert answer.status_code == 200 and bad["name"] == "bad.png"
    assert bad["problem"]["status"] == 422 and "'bad.png'" in bad["problem"]["detail"]
    assert good["faces_found"] == 1
    strip = served.jpeg(np.zeros((20, 10_001, 3), np.uint8))
    entries = [{"image": as_base64(image)} for image in (strip, face_jpeg)]
    path = "/v1/predict/batch?detect=false"
    long, good = client.post(path, json={"images": entries}).get_json()["images"]
    assert "too narrow" in long["problem"]["detail"] and good["faces_found"] == 1
    files = client.post("/v1/predict/batch", data=form(("a", face_jpeg), ("b", b""))).get_json()
    assert files["images"][0]["faces_found"] == 1
    assert files["images"][1]["problem"]["detail"] == "'b' is empty."


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"just words", "is not an image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "is not an image"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "is not an image"),
        (png_header(10_000, 10_000), "pixels"),
        (png_header(4_000, 3_001), "is 4000 x 3001 pixels; images of up to 12 megapixels"),
        (png_header(50_000, 50_000), "pixels"),
        (png_header(500, 400), "is damaged"),
    ],
)
def test_images_that_cannot_be_used(client, data, words):
    body = problem(post(client, data))
    assert body["status"] == 422 and words in body["detail"]


def test_what_is_there_of_a_cut_image_is_read(client, face_jpeg):
    (image,) = post(client, face_jpeg[: len(face_jpeg) // 2]).get_json()["images"]
    assert re.match(r"The lower \d+% of 'body' is missing", image["note"])
    assert problem(post(client, face_jpeg[:200]))["status"] == 422


@pytest.mark.parametrize("form", ["plain", "lines", "url-safe", "unpadded", "data URL"])
def test_base64_comes_in_many_forms(client, face_jpeg, form):
    text = base64.b64encode(face_jpeg).decode()
    if form == "lines":
        text = "\r\n".join(text[i : i + 76] for i in range(0, len(text), 76))
    elif form == "url-safe":
        text = base64.urlsafe_b64encode(face_jpeg).decode()
    elif form == "unpadded":
        text = text.rstrip("=")
    elif form == "data URL":
        text = f"data:image/jpeg;base64,{text}"
    answer = post(client, json.dumps({"image": text}).encode(), "application/json")
    assert answer.status_code == 200 and len(answer.get_json()["images"][0]["faces"]) == 1


def test_a_body_packed_with_gzip_is_unpacked_within_the_limit(make_client, face_jpeg):
    client = make_client(max_body_mb=1)

    def send(body: bytes, encoding: str = "gzip"):
        headers = {"Content-Encoding": encoding}
        return client.post("/v1/predict", data=body, content_type="image/jpeg", headers=headers)

    (image,) = send(gzip.compress(face_jpeg)).get_json()["images"]
    assert len(image["faces"]) == 1
    assert problem(send(gzip.compress(bytes(3_000_000))))["status"] == 413
    assert problem(send(b"no gzip"))["status"] == 400
    assert problem(send(gzip.compress(face_jpeg)[:-20]))["status"] == 400
    assert problem(send(face_jpeg, "br"))["status"] == 415


def test_the_answer_says_how_faces_were_found(client, face_jpeg):
    answer = post(client, face_jpeg).get_json()
    assert answer["search_side_px"] == SEARCH_SIDE_PX == 1024
    assert answer["detector"] == FaceDetector().name


@pytest.mark.parametrize(
    ("path", "data", "kind", "status"),
    [
        ("/v1/predict", b"x", "text/plain", 415),
        ("/v1/predict", b"x", "application/x-www-form-urlencoded", 415),
        ("/v1/predict", b"x", None, 415),
        ("/v1/predict", b"{", "application/json", 400),
        ("/v1/predict", b"\xff\xfe", "application/json", 400),
        ("/v1/predict", b"[" * 100_000, "application/json", 400),
        ("/v1/predict", b"[]", "application/json", 400),
        ("/v1/predict", b"null", "application/json", 400),
        ("/v1/predict", b'{"image": 3}', "application/json", 400),
        ("/v1/predict", b'{"image": "abcde"}', "application/json", 400),
        ("/v1/predict", b'{"image": "####"}', "application/json", 400),
        ("/v1/predict", '{"image": "ä"}'.encode(), "application/json", 400),
        ("/v1/predict", b'{"image": "", "name": 7}', "application/json", 400),
        ("/v1/predict", b"--x", "multipart/form-data", 400),
        ("/v1/predict", b"--x--", "multipart/form-data; boundary=x", 400),
        ("/v1/predict?explain=occlusion", b"x", "image/png", 400),
        ("/v1/predict?detect=maybe", b"x", "image/png", 400),
        ("/v1/predict/batch", b"{}", "application/json", 400),
        ("/v1/predict/batch", b'{"images": []}', "application/json", 400),
        ("/v1/predict/batch", b'{"images": [3]}', "application/json", 400),
        ("/v1/predict/batch", b"[" + b"1," * 9 + b"1]", "application/json", 400),
    ],
)
def test_requests_that_break_their_format(client, path, data, kind, status):
    assert problem(post(client, data, kind, path))["status"] == status


def test_names_of_strangers_are_made_safe(client):
    body = problem(client.post("/v1/predict", data=form(("../../etc/a\x1b[31mb.png", b"x"))))
    assert body["detail"].startswith("'a[31mb.png' ")


def test_bodies_and_counts_have_a_limit(make_client, face_jpeg):
    client = make_client(max_body_mb=1, max_images=2)
    assert problem(post(client, b"x" * 1_000_001))["status"] == 413
    three = form(*[("a.jpg", face_jpeg)] * 3)
    assert problem(client.post("/v1/predict", data=three))["status"] == 400
    many = form(*[("a.jpg", b"x")] * 50)
    assert problem(client.post("/v1/predict", data=many))["status"] == 413
    entries = {"images": [{"image": ""}] * 3}
    assert problem(client.post("/v1/predict/batch", json=entries))["status"] == 400


def test_beyond_the_places_the_answer_is_503_and_comes_back(make_client, face_jpeg):
    client = make_client(max_in_flight=1)
    service = client.application.extensions["fervt"]
    with service.work.take():
        refused = post(client, face_jpeg)
        assert problem(refused)["status"] == 503 and refused.headers["Retry-After"] == "1"
    assert post(client, face_jpeg).status_code == 200
    assert problem(post(client, b"bad"))["status"] == 422
    assert post(client, face_jpeg).status_code == 200  # the bad one gave its place back


def test_a_bug_is_500_without_a_word_of_it(make_client, face_jpeg, monkeypatch, caplog):
    client = make_client()
    engine = client.application.extensions["fervt"].responder

    def fail(*args):
        raise ZeroDivisionError("secret detail")

    monkeypatch.setattr(engine, "answer", fail)
    answer = post(client, face_jpeg)
    assert problem(answer)["status"] == 500 and "secret" not in answer.text
    assert "secret detail" in caplog.text  # but the operator's log has it


def test_concurrent_requests_share_forward_passes(make_client, monkeypatch):
    """Eight callers, whose first forward pass is held until the others wait behind it."""
    client = make_client(max_in_flight=8)
    engine = client.application.extensions["fervt"].responder
    run, sizes, waiting = engine.predictor.classify, [], threading.Event()

    def slow(faces, evidence):
        sizes.append(len(faces))
        waiting.wait(30)
        return run(faces, evidence)

    monkeypatch.setattr(engine.predictor, "classify", slow)
    rng = np.random.default_rng(0)
    bodies = [served.jpeg(rng.integers(0, 255, (60, 48, 3), np.uint8)) for _ in range(8)]
    answers = [None] * 8

    def call(index):
        own = client.application.test_client()
        answers[index] = post(own, bodies[index], path="/v1/predict?detect=false").get_json()

    threads = [threading.Thread(target=call, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    while len(engine._batcher._waiting) < 7:
        assert any(thread.is_alive() for thread in threads)
    waiting.set()
    for thread in threads:
        thread.join(60)
    assert sizes == [1, 7]
    monkeypatch.undo()
    for body, answer in zip(bodies, answers, strict=True):
        alone = post(client, body, path="/v1/predict?detect=false").get_json()
        got, expected = (
            list(a["images"][0]["faces"][0]["probabilities"].values()) for a in (answer, alone)
        )
        assert np.abs(np.array(got) - expected).max() < 1e-5
