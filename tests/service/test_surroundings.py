"""What surrounds every answer: keys, headers, metrics, readiness, descriptions."""

import json
import re
from functools import partial

import pytest

from fervt.service.limits import RateLimit
from fervt.service.problems import MEDIA_TYPE

PAGES = ("/", "/docs", "/openapi.json", "/v1/model", "/metrics")


def test_alive_and_ready(make_client):
    client = make_client()
    service = client.application.extensions["fervt"]
    assert client.get("/healthz").get_json() == {"status": "alive"}
    assert client.get("/readyz").get_json() == {"status": "ready"}
    service.ready.clear()
    assert client.get("/readyz").status_code == 503 and client.get("/healthz").status_code == 200
    service.ready.set()
    service.stopping.set()
    assert client.get("/readyz").status_code == 503


def test_the_model_is_described(client):
    body = client.get("/v1/model").get_json()
    assert body["name"] == "tiny" and body["vocabulary"] == "fer2013" and body["sources"] == []
    assert [c["label"] for c in body["classes"]][:2] == ["angry", "disgust"]
    assert all(re.fullmatch("#[0-9A-F]{6}", c["color"]) for c in body["classes"])
    assert len(body["grid"]["edge_sources"]) == 217


@pytest.mark.parametrize("path", [*PAGES, "/healthz", "/missing"])
def test_security_headers_are_on_everything(client, path):
    headers = client.get(path).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "Access-Control-Allow-Origin" not in headers


@pytest.mark.parametrize("path", ["/", "/docs"])
def test_pages_name_nothing_elsewhere_and_hold_no_inline_code(client, path):
    html = client.get(path).text
    assert "apparent expressions" in html
    links = re.findall(r'(?:src|href)="([^"]*)"', html)
    assert links and not [
        x for x in links if "//" in x or x.startswith("/")
    ]  # works below a prefix
    assert not re.search(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", html)
    for link in links:
        with client.get("/" + link.removeprefix("./")) as answer:
            assert answer.status_code == 200


def test_the_script_and_the_style_name_nothing_elsewhere(client):
    for name in ("live.js", "style.css", "icon.svg"):
        with client.get(f"/static/{name}") as answer:
            text = answer.text.replace("http://www.w3.org/2000/svg", "")
        assert len(text) > 400 and not re.search(r"//\w+\.\w", text), name


def test_unknown_paths_and_methods_are_problems(client):
    missing = client.get("/v2/predict")
    assert missing.status_code == 404 and missing.content_type == MEDIA_TYPE
    wrong = client.get("/v1/predict")
    assert wrong.status_code == 405 and "POST" in wrong.headers["Allow"]
    assert client.get("/v1/live").status_code == 400  # no handshake
    assert client.get("/static/../app.py").status_code == 404


def test_a_key_guards_everything_but_the_health_checks(make_client, face_jpeg):
    client = make_client(api_key="s3cret")
    for path in (*PAGES, "/static/live.js", "/v1/stream?source=x", "/missing"):
        answer = client.get(path)
        assert answer.status_code == 401 and answer.content_type == MEDIA_TYPE, path
        assert answer.headers["WWW-Authenticate"].startswith("Basic ")
    assert client.post("/v1/predict", data=face_jpeg).status_code == 401
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
    right = {"Authorization": "Bearer s3cret"}
    for path in PAGES:
        assert client.get(path, headers=right).status_code == 200
    assert client.get("/", auth=("anyone", "s3cret")).status_code == 200
    api = client.get("/openapi.json", headers=right).get_json()
    assert api["paths"]["/v1/predict"]["post"]["security"]


@pytest.fixture
def standing_clock(monkeypatch):
    """Rates are counted while no time passes, so that a slow machine is not given more requests."""
    monkeypatch.setattr("fervt.service.service.RateLimit", partial(RateLimit, clock=lambda: 0.0))


@pytest.mark.usefixtures("standing_clock")
def test_the_rate_is_of_each_client_and_behind_proxies_of_the_first(make_client):
    client = make_client(max_rate=1)
    got = [client.get("/v1/model", headers={"X-Forwarded-For": str(n)}) for n in range(3)]
    assert [answer.status_code for answer in got] == [200, 200, 429]  # the header is not believed
    assert client.get("/healthz").status_code == 200
    client = make_client(max_rate=1, proxies=1)
    for name in ("10.0.0.1", "10.0.0.2"):
        got = [client.get("/v1/model", headers={"X-Forwarded-For": name}) for _ in range(3)]
        assert [answer.status_code for answer in got] == [200, 200, 429]


@pytest.mark.usefixtures("standing_clock")
def test_keys_cannot_be_tried_at_will(make_client):
    client = make_client(api_key="s3cret", max_rate=1)
    wrong = {"Authorization": "Bearer guess"}
    got = [client.get("/v1/model", headers=wrong).status_code for _ in range(4)]
    assert got[0] == 401 and got[-1] == 429
    right = {"Authorization": "Bearer s3cret"}  # from the same address, as behind one router
    assert client.get("/v1/model", headers=right).status_code == 200


def test_other_sites_may_not_open_the_socket(client):
    headers = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    for origin in ("https://evil.example", "null", "http://[", "x"):
        answer = client.get("/v1/live", headers={**headers, "Origin": origin})
        assert answer.status_code == 403 and answer.content_type == MEDIA_TYPE


def test_metrics_count_what_happened(make_client, face_jpeg):
    client = make_client()
    for data in (face_jpeg, face_jpeg, b"bad"):
        client.post("/v1/predict", data=data, content_type="image/jpeg")
    for number in range(3):
        client.get(f"/missing/{number}")
    text = client.get("/metrics").text
    assert 'fervt_requests_total{method="POST",route="/v1/predict",status="200"} 2.0' in text
    assert 'fervt_requests_total{method="POST",route="/v1/predict",status="422"} 1.0' in text
    assert 'fervt_requests_total{method="GET",route="none",status="404"} 3.0' in text
    assert 'fervt_request_seconds_count{route="/v1/predict"} 3.0' in text
    assert "fervt_faces_total 2.0" in text and "fervt_forward_faces_count 2.0" in text
    assert "missing" not in text  # paths of strangers would make figures without end


def test_the_description_names_every_route_and_resolves(client):
    api = client.get("/openapi.json").get_json()
    rules = {
        (rule.rule, method.lower())
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint not in ("static", "page", "docs", "openapi") and not rule.websocket
    }
    assert rules == {(path, m) for path, item in api["paths"].items() for m in item}
    for reference in re.findall(r'"\$ref": ?"#/components/schemas/(\w+)"', json.dumps(api)):
        assert reference in api["components"]["schemas"]
    docs = client.get("/docs").text
    assert all(path in docs for path in api["paths"]) and "/v1/live" in docs
