"""An nginx in front of services on this machine, for `scripts/load.py`."""

import socket
import subprocess
import time
from pathlib import Path

HOST = "127.0.0.1"


class Nginx:
    """An nginx process in front of some services."""

    def __init__(self, ports: list[int], folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            self.port = probe.getsockname()[1]
        behind = "".join(f"server {HOST}:{port};" for port in ports)
        config = folder / "nginx.conf"
        temporary = "".join(
            f"{kind}_temp_path {folder};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi")
        )
        config.write_text(
            f"""pid {folder}/pid; daemon off; error_log /dev/null;
            events {{ worker_connections 1024; }}
            http {{
                access_log off; client_body_temp_path {folder}; {temporary}
                upstream services {{ least_conn; {behind} keepalive 32; }}
                server {{
                    listen {HOST}:{self.port};
                    location / {{
                        proxy_pass http://services; proxy_http_version 1.1;
                        proxy_set_header Connection ""; client_body_buffer_size 10m;
                    }}
                }}
            }}"""
        )
        self.process = subprocess.Popen(["nginx", "-c", str(config)], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection((HOST, self.port), 1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("nginx did not start.")

    def stop(self) -> None:
        """Stops it and waits."""
        self.process.terminate()
        self.process.wait(timeout=10)
