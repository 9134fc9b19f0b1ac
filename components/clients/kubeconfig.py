"""The operator's access to a cluster.

Owns the reading of a kubeconfig with one cluster and a client certificate, which is what the cluster
playbook leaves. Tokens, plugins and passwords are refused: nothing here would use them.
"""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from components.clients.redaction import register
from components.errors import DeviceError, Problem


class KubeconfigError(DeviceError):
    """There is no usable access to the cluster."""


@dataclass(frozen=True, kw_only=True)
class Kubeconfig:
    """One cluster and the certificate that opens it."""

    server: str
    """`https://address:port`."""
    ca: str
    """Authority of the server's certificate, PEM."""
    certificate: str
    """The client's, PEM."""
    key: str = field(repr=False)
    """The client's, PEM."""

    def tls(self) -> ssl.SSLContext:
        """Verifies the server, shows the client's certificate."""
        context = ssl.create_default_context(cadata=self.ca)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # Python reads a client's key from files only; this one is its owner's alone, and gone at once.
        with tempfile.NamedTemporaryFile("w") as pem:
            pem.write(f"{self.certificate}\n{self.key}\n")
            pem.flush()
            context.load_cert_chain(pem.name)
        return context


def read_kubeconfig(path: Path) -> Kubeconfig:
    """The access that a kubeconfig describes. Raises KubeconfigError."""
    try:
        document = cast("Any", YAML(typ="safe")).load(path.read_text())
        return Kubeconfig(
            server=str(document["clusters"][0]["cluster"]["server"]),
            ca=_decoded(document["clusters"][0]["cluster"]["certificate-authority-data"]),
            certificate=_decoded(document["users"][0]["user"]["client-certificate-data"]),
            key=register(_decoded(document["users"][0]["user"]["client-key-data"])),
        )
    except OSError as error:
        raise _refusal(path, f"cannot be read: {error.strerror}") from None
    except (YAMLError, LookupError, TypeError, binascii.Error, UnicodeDecodeError):
        # The content is not shown: it holds a key.
        raise _refusal(path, "does not hold one cluster with a client certificate") from None


def _decoded(text: Any) -> str:
    return base64.b64decode(str(text), validate=True).decode()


def _refusal(path: Path, message: str) -> KubeconfigError:
    problem = Problem(
        path=str(path),
        message=message,
        remedy="the cluster layer writes it: `region up <region> --layer cluster`",
    )
    return KubeconfigError("there is no access to the cluster", [problem])
