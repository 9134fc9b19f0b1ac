"""Files of the region over HTTP: deploy images and manifests on one port, the apt repository on another.

Plain HTTP on purpose: what is fetched is checked by digest (images) or signature (packages).
"""

from __future__ import annotations

from lab import roots
from lab.context import Lab
from lab.services.service import Service, accepts
from lab.switches import root as factory


def service(lab: Lab) -> Service:
    """The web server for both ports."""
    directory = lab.home.services / "web"
    ports = lab.wiring.services
    config = directory / "nginx.conf"
    temporary = "".join(
        f"    {kind}_temp_path {directory}/scratch/{kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = f"""\
daemon off;
user root;
worker_processes 1;
pid {directory}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    server_tokens off;
{temporary}    server {{
        listen {ports.address}:{ports.images};
        root {lab.home.http};
    }}
    server {{
        listen {ports.address}:{ports.apt};
        root {lab.home.apt};
    }}
}}
"""
    return Service(
        name="web",
        title="images and apt server (nginx)",
        argv=(*roots.program(factory.SPEC.path, "usr/sbin/nginx"), "-e", "stderr", "-p", directory, "-c", config),
        files={config: text},
        directories=(directory / "scratch",),
        listens=((ports.address, ports.images), (ports.address, ports.apt)),
        ready=lambda: accepts(ports.address, ports.images) and accepts(ports.address, ports.apt),
    )
