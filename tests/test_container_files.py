"""The container files, as far as they can be tried without building an image.

Their commands and health checks are run here as they stand, on free ports.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import served
import tiny
import yaml

from fervt.service import ServiceConfig

ROOT = Path(__file__).parents[1]
PORTS = {"service": "5000", "app": "8501"}


def stages() -> dict[str, list[tuple[str, str]]]:
    """Instructions and their arguments, by the name of the stage."""
    found: dict[str, list[tuple[str, str]]] = {}
    lines = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text()).splitlines()
    for line in lines:
        if line and not line.startswith("#"):
            word, rest = line.split(maxsplit=1)
            if word == "FROM":
                found[rest.rpartition(" AS ")[2]] = []
            list(found.values())[-1].append((word, rest))
    return found


def command(target: str, instruction: str, port: int) -> list[str]:
    """What the image runs, for this Python and another port."""
    (text,) = [rest for word, rest in stages()[target] if word == instruction]
    words = json.loads(text[text.index("[") :])
    assert words[0] == "python" and any(PORTS[target] in word for word in words)
    return [sys.executable, *(w.replace(PORTS[target], str(port)) for w in words[1:])]


def health(target: str, port: int) -> int:
    check = command(target, "HEALTHCHECK", port)
    return subprocess.run(check, capture_output=True, timeout=60).returncode


def run_natively(target: str, port: int, log: Path, *options: str) -> None:
    assert health(target, port) != 0
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command(target, "CMD", port), *options],
            cwd=ROOT,
            stdout=out,
            stderr=subprocess.STDOUT,
        )
    try:
        path = "readyz" if target == "service" else "_stcore/health"
        served.wait_until_ready(f"http://127.0.0.1:{port}/{path}", process, log)
        assert health(target, port) == 0
    finally:
        served.stop(process)


def test_the_services_command_and_health_check(tmp_path):
    checkpoint = tiny.save_tiny(tmp_path)
    options = ("--workers", "1", "--checkpoint", str(checkpoint))
    run_natively("service", served.free_port(), tmp_path / "log", *options)


def test_the_apps_command_and_health_check(tmp_path):
    run_natively("app", served.free_port(), tmp_path / "log")


def test_the_images_copy_what_is_there_run_without_rights_and_pin_their_base():
    everything = [part for stage in stages().values() for part in stage]
    # .dockerignore lets in nothing else, so data and secrets stay out of every layer.
    allowed = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE)
    for word, rest in everything:
        if word == "COPY":
            source = rest.split()[0]
            assert (ROOT / source).exists() and source in allowed
        if word == "FROM" and not rest.startswith("base"):
            assert re.match(r"\S+:\d", rest), "the base image must name a version"
    assert [rest for word, rest in everything if word == "USER"] == ["10001"]
    for target in PORTS:
        assert {"HEALTHCHECK", "CMD", "EXPOSE"} <= {word for word, _ in stages()[target]}


def test_pytorchs_two_come_from_one_index():
    run = dict(stages()["base"])["RUN"]
    pick = re.search(r"grep -E '(\S+)' requirements.txt", run)[1]
    lines = (ROOT / "requirements.txt").read_text().splitlines()
    picked = [re.split("[>=]", line)[0] for line in lines if re.search(pick, line)]
    assert picked == ["torch", "torchvision"]
    skip = re.search(r"grep -vE '(\S+)' requirements.txt", run)[1]
    kept = [line for line in lines if not re.search(skip, line)]
    left_out = {re.split("[>=]", line)[0] for line in lines} - {
        re.split("[>=]", line)[0] for line in kept
    }
    assert left_out and all(re.match("nvidia-|cuda-|triton$", name) for name in left_out)
    assert not [line for line in kept if re.match("nvidia|cuda|triton", line)]


def test_compose_runs_both_targets_behind_nginx_without_rights():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    services = compose["services"]
    assert {s["build"]["target"] for s in services.values() if "build" in s} == set(PORTS)
    assert [name for name, service in services.items() if "ports" in service] == ["nginx"]
    for service in services.values():
        assert service["read_only"] and service["cap_drop"] == ["ALL"]
    mounted = services["nginx"]["volumes"][0].split(":")[0]
    assert (ROOT / mounted).is_file()
    expected = json.loads(dict(stages()["service"])["CMD"])
    assert services["service"]["command"] == [*expected, "--proxies", "1"]


def test_nginx_fits_the_services():
    text = (ROOT / "docker" / "nginx.conf").read_text()
    assert f"proxy_pass http://service:{PORTS['service']}/;" in text
    workbench = text[text.index("upstream workbench") : text.index("location /")]
    # The workbench's visitors stay with one replica.
    assert f"server app:{PORTS['app']};" in workbench and "ip_hash;" in workbench
    assert "proxy_pass http://workbench;" in text
    part = text[text.index("location /service/") :]
    megabytes = int(re.search(r"client_max_body_size (\d+)m", part)[1])
    assert megabytes == ServiceConfig().max_body_mb
    # Larger bodies than this buffer would be written to a disk.
    assert int(re.search(r"client_body_buffer_size (\d+)m", part)[1]) >= megabytes


def test_nginx_accepts_its_configuration(tmp_path):
    if shutil.which("nginx") is None:
        pytest.skip("there is no nginx")
    text = (ROOT / "docker" / "nginx.conf").read_text()
    text = re.sub(r"\b(app|service):(?=\d)", "127.0.0.1:", text)  # names need not resolve
    (tmp_path / "nginx.conf").write_text(text.replace("/tmp/", f"{tmp_path}/"))
    done = subprocess.run(
        ["nginx", "-t", "-c", str(tmp_path / "nginx.conf")], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def kubernetes() -> dict[tuple[str, str], dict]:
    """The manifest's objects, by kind and name."""
    text = (ROOT / "docker" / "kubernetes.yaml").read_text()
    documents = list(yaml.safe_load_all(text))
    found = {(one["kind"], one["metadata"]["name"]): one for one in documents}
    assert len(found) == len(documents), "two objects of one kind share a name"
    return found


@pytest.mark.parametrize("target", PORTS)
def test_kubernetes_runs_the_images_without_rights_and_asks_what_they_answer(target):
    deployment = kubernetes()["Deployment", f"fervt-{target}"]["spec"]
    pod = deployment["template"]["spec"]
    assert deployment["selector"]["matchLabels"].items() <= (
        deployment["template"]["metadata"]["labels"].items()
    )
    assert pod["securityContext"]["runAsNonRoot"]
    users = [rest for word, rest in stages()["base"] if word == "USER"]
    assert users == [str(pod["securityContext"]["runAsUser"])]
    (container,) = pod["containers"]
    assert container["image"].endswith(f"/fervt-{target}:latest")
    rights = container["securityContext"]
    assert rights["readOnlyRootFilesystem"] and rights["capabilities"] == {"drop": ["ALL"]}
    assert [port["containerPort"] for port in container["ports"]] == [int(PORTS[target])]
    health_path = "/readyz" if target == "service" else "/_stcore/health"
    for probe in ("startupProbe", "readinessProbe"):
        assert container[probe]["httpGet"] == {"path": health_path, "port": "http"}
    assert "memory" in container["resources"]["limits"]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
    if target == "service":
        expected = json.loads(dict(stages()["service"])["CMD"])
        assert container["command"][: len(expected)] == expected


def test_kubernetes_leads_from_the_ingresses_to_the_pods():
    objects = kubernetes()
    pods = [
        o["spec"]["template"]["metadata"]["labels"]
        for k, o in objects.items()
        if k[0] == "Deployment"
    ]
    for (kind, name), item in objects.items():
        if kind == "Service" and name != "fervt-closed":
            assert item["spec"]["selector"] in pods
            assert item["spec"]["ports"] == [{"name": "http", "port": 80, "targetPort": "http"}]
        if kind == "Ingress":
            for rule in item["spec"]["rules"]:
                for path in rule["http"]["paths"]:
                    backend = path["backend"]["service"]
                    assert ("Service", backend["name"]) in objects
                    assert backend["port"] == {"name": "http"}
        if kind == "HorizontalPodAutoscaler":
            target = item["spec"]["scaleTargetRef"]
            assert (target["kind"], target["name"]) in objects
            assert "replicas" not in objects[target["kind"], target["name"]]["spec"]
    paths = objects["Ingress", "fervt-service"]["spec"]["rules"][0]["http"]["paths"]
    assert paths[0]["path"] == "/metrics"
    assert paths[0]["backend"]["service"]["name"] == "fervt-closed"


def test_kubernetes_keeps_a_visitor_of_the_workbench_with_one_replica():
    objects = kubernetes()
    notes = objects["Ingress", "fervt-app"]["metadata"]["annotations"]
    assert notes["nginx.ingress.kubernetes.io/affinity"] == "cookie"
    assert objects["Service", "fervt-app"]["spec"]["sessionAffinity"] == "ClientIP"
    nginx = (ROOT / "docker" / "nginx.conf").read_text()
    for target, part in (("app", "location / {"), ("service", "location /service/")):
        size = re.search(r"client_max_body_size (\w+);", nginx[nginx.index(part) :])[1]
        notes = objects["Ingress", f"fervt-{target}"]["metadata"]["annotations"]
        assert notes["nginx.ingress.kubernetes.io/proxy-body-size"] == size


def test_hadolint_finds_nothing():
    if shutil.which("hadolint") is None:
        pytest.skip("there is no hadolint")
    done = subprocess.run(["hadolint", ROOT / "Dockerfile"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
