"""What is in deploy/ agrees with the program it runs, and nginx keeps keys out of its log."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import attrs
import click
import pytest
import yaml

from support.live_server import running_server
from support.ready_database import prepare
from support.receivers import self_signed
from support.snippets import ROOT
from support.waiting import until
from workersai_server.cli import cli
from workersai_server.settings import Settings

DEPLOY = ROOT / "deploy"
FILES = sorted(file for file in DEPLOY.rglob("*") if file.is_file())
KUBERNETES = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
NGINX_IS_MISSING = "nginx is missing; run: apt-get install nginx-light"
SETTINGS = {f"WORKERSAI_{field.name.upper()}" for field in attrs.fields(Settings)}


def read(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def compose():
    return yaml.safe_load(read("compose.yaml"))["services"]


def manifests():
    return [document for file in KUBERNETES for document in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


def pods():
    """Return the pod of each Job and Deployment by name."""
    return {each["metadata"]["name"]: each["spec"]["template"] for each in manifests() if "template" in each["spec"]}


def units() -> list[str]:
    return [line for file in (DEPLOY / "systemd").glob("*.service") for line in file.read_text().splitlines()]


def command_lines() -> list[list[str]]:
    """Return the arguments of every `workersai` that is started somewhere in deploy/."""
    found = [service["command"] for service in compose().values() if "command" in service]
    found += [pod["spec"]["containers"][0]["args"] for pod in pods().values()]
    starts = [line for line in units() if line.startswith("ExecStart=")]
    found += [shlex.split(line)[1:] for line in starts]
    [command] = re.findall(r"^CMD (\[.*\])$", read("Dockerfile"), re.MULTILINE)
    return [*found, json.loads(command)]


def parse(arguments: list[str]) -> click.Command:
    """Let click read a command line as the program would; nothing is run."""
    command: click.Command = cli
    context = click.Context(cli)
    rest = list(arguments)
    while isinstance(command, click.Group):
        name, command, rest = command.resolve_command(context, rest)
        context = click.Context(command, info_name=name, parent=context)
    command.parse_args(context, rest)
    return command


def test_every_command_line_is_one_of_the_program():
    lines = command_lines()
    assert 11 == len(lines)
    assert {"serve", "dispatch", "upgrade"} == {parse(line).name for line in lines}


@pytest.mark.parametrize("wrong", [["serve", "--prot", "1"], ["dispatch", "--health", "here"], ["db", "upgrad"]])
def test_a_wrong_command_line_would_be_found(wrong):
    with pytest.raises(click.UsageError):
        parse(wrong)


def test_every_variable_is_a_setting():
    named = {name for file in FILES for name in re.findall(r"WORKERSAI_[A-Z_]+", file.read_text(encoding="utf-8"))}
    assert {"WORKERSAI_DB", "WORKERSAI_SECRET_KEY"} <= named
    assert set() == named - SETTINGS


def test_no_secret_is_written_down():
    texts = {file: file.read_text(encoding="utf-8") for file in FILES}
    given = [each for text in texts.values() for each in re.findall(r"(?:PASSWORD|SECRET_KEY)(?:: |=)(\S+)", text)]
    assert given
    assert [] == [each for each in given if not each.startswith(("${", "$(openssl"))]


def test_the_image_is_made_of_locks_and_a_wheel_and_is_not_root():
    lines = read("Dockerfile").replace("\\\n", " ").splitlines()
    installs = [part for line in lines for part in line.split("&&") if "pip install" in part]
    assert [] == [each for each in installs if "--require-hashes" not in each and "--no-deps --no-index" not in each]
    locks = {lock for each in installs for lock in re.findall(r"-r (\S+)", each)}
    assert {"requirements/build.lock", "requirements/runtime.lock", "requirements/postgresql.lock"} == locks
    assert [] == [lock for lock in locks if not (ROOT / lock).is_file()]
    assert ["USER 10001"] == [line for line in lines if line.startswith("USER ")]
    copied = [line.split()[1:-1] for line in lines if line.startswith("COPY ") and "--from" not in line]
    assert [] == [name for names in copied for name in names if not (ROOT / name).exists()]


def test_compose_is_consistent():
    services = compose()
    ours = {name: service for name, service in services.items() if service["image"] == "workersai"}
    assert {"migrate", "api-1", "api-2", "dispatcher-1", "dispatcher-2"} == set(ours)
    assert {"postgresql", "nginx"} == services.keys() - ours.keys()
    needed = {(name, each) for name, service in services.items() for each in service.get("depends_on", {})}
    assert set() == {each for _, each in needed} - services.keys()
    for name in ours.keys() - {"migrate"}:
        assert "service_completed_successfully" == ours[name]["depends_on"]["migrate"]["condition"]
        assert ours[name]["environment"] == ours["migrate"]["environment"]
    assert {"CMD"} == {services[name]["healthcheck"]["test"][0] for name in services.keys() - {"migrate", "nginx"}}


@pytest.mark.parametrize("name", ["api-1", "dispatcher-1"])
def test_compose_asks_the_port_that_is_listened_on(name):
    service = compose()[name]
    port = service["command"][service["command"].index("--port") + 1] if name == "api-1" else "8001"
    assert f"http://127.0.0.1:{port}/readyz" in service["healthcheck"]["test"][-1]
    assert port in " ".join(service["command"])


def test_the_proxies_pass_on_to_the_services_of_compose():
    listening = ["api-1:8000", "api-2:8000"]
    assert listening == re.findall(r"^    server (\S+);", read("nginx/workersai.conf"), re.MULTILINE)
    [line] = re.findall(r"reverse_proxy (.*) \{", read("caddy/Caddyfile"))
    assert listening == line.split()


def test_kubernetes_has_what_is_needed():
    kinds = sorted((each["kind"], each["metadata"]["name"]) for each in manifests())
    deployments = [("Deployment", "workersai-api"), ("Deployment", "workersai-dispatcher")]
    assert [*deployments, ("Job", "workersai-migrate"), ("Service", "workersai")] == kinds


@pytest.mark.parametrize("name", ["workersai-api", "workersai-dispatcher"])
def test_a_deployment_is_probed_where_it_listens(name):
    [container] = pods()[name]["spec"]["containers"]
    probes = {kind: container[kind]["httpGet"]["path"] for kind in ("startupProbe", "livenessProbe", "readinessProbe")}
    assert {"startupProbe": "/healthz", "livenessProbe": "/healthz", "readinessProbe": "/readyz"} == probes
    [port] = container["ports"]
    assert {"http"} == {container[kind]["httpGet"]["port"] for kind in probes} | {port["name"]}
    assert str(port["containerPort"]) in re.findall(r"\d{4}", " ".join(container["args"]))


def test_pods_are_not_root_and_services_select_them():
    for pod in pods().values():
        assert pod["spec"]["securityContext"]["runAsNonRoot"] is True
        [container] = pod["spec"]["containers"]
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
    for each in manifests():
        if each["kind"] == "Deployment":
            assert each["spec"]["selector"]["matchLabels"] == each["spec"]["template"]["metadata"]["labels"]
        if each["kind"] == "Service":
            assert each["spec"]["selector"] == pods()["workersai-api"]["metadata"]["labels"]


# --- nginx -----------------------------------------------------------------------------------


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@attrs.frozen
class Nginx:
    """The shipped configuration on other ports, in a folder of its own."""

    program: str
    folder: Path
    port: int

    @property
    def log(self) -> str:
        return (self.folder / "access.log").read_text()

    @property
    def everything(self) -> str:
        return "".join(file.read_text() for file in self.folder.glob("*.log"))

    def command(self, *more: str) -> list[str]:
        return [self.program, "-p", f"{self.folder}/", "-c", str(self.folder / "nginx.conf"), *more]

    def get(self, path: str) -> int:
        """Return the status of an answer; the certificate is the test's own."""
        command = ["curl", "-sk", "-o", "/dev/null", "-w", "%{http_code}", f"https://127.0.0.1:{self.port}{path}"]
        return int(subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout)


def configured(folder: Path, upstream: str) -> Nginx:
    """Write the configuration for this machine."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin:/usr/local/sbin")
    if program is None:
        pytest.skip(NGINX_IS_MISSING)
    certificate, key = self_signed(folder)
    port, plain = free_port(), free_port()
    changes = {
        "server api-1:8000;": f"server {upstream};",
        "server api-2:8000;": "",
        "listen 443 ssl;": f"listen 127.0.0.1:{port} ssl;",
        "listen 80;": f"listen 127.0.0.1:{plain};",
        "/etc/nginx/tls/fullchain.pem": str(certificate),
        "/etc/nginx/tls/privkey.pem": str(key),
        "/var/log/nginx/": f"{folder}/",
    }
    text = read("nginx/workersai.conf")
    for shipped, ours in changes.items():
        assert shipped in text
        text = text.replace(shipped, ours)
    (folder / "workersai.conf").write_text(text)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    frame = f"daemon off; pid {folder}/pid; error_log {folder}/main.log warn; events {{}}"
    (folder / "nginx.conf").write_text(f"{frame} http {{ {temporary} include {folder}/workersai.conf; }}\n")
    return Nginx(program, folder, port)


def answers(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def test_nginx_accepts_its_configuration(tmp_path):
    nginx = configured(tmp_path, "127.0.0.1:9")
    tested = subprocess.run(nginx.command("-t"), capture_output=True, text=True, check=False)
    assert 0 == tested.returncode, tested.stderr


def test_a_key_in_the_query_works_through_nginx_and_is_in_none_of_its_logs(tmp_path):
    ready = prepare(tmp_path)
    key = ready.live_key
    with running_server(tmp_path / "labels.db", require_https="true") as server:
        nginx = configured(tmp_path, server.url.removeprefix("http://"))
        with subprocess.Popen(nginx.command(), stderr=subprocess.DEVNULL) as process:
            try:
                until(lambda: answers(nginx.port))
                assert 200 == nginx.get(f"/v1/tasks?api_key={key}")
                assert 200 == nginx.get(f"/v1/tasks?limit=1&api%5Fkey={key}")
                assert 404 == nginx.get("/metrics")
                assert 404 == nginx.get("/readyz")
                assert 200 == nginx.get("/healthz")
                server.kill()
                assert 502 == nginx.get(f"/v1/tasks?api_key={key}")
            finally:
                process.terminate()
        assert 2 == nginx.log.count('"GET /v1/tasks?[masked] HTTP/1.1" 200')
        assert 1 == nginx.log.count('"GET /v1/tasks?[masked] HTTP/1.1" 502')
        assert 1 == nginx.log.count('"GET /healthz HTTP/1.1" 200')
        assert key not in nginx.everything
