"""The hardware type: Ironic's own `redfish`, with kept keys.

Owns the one place where Ironic is given the kept keys. Ironic's session cache is one for all Redfish nodes of a
conductor, whatever their hardware type, so they all profit once this type is enabled: nodes may stay `redfish`.
"""

from __future__ import annotations

import hashlib
import types
from typing import Any

from ironic.conf import CONF
from ironic.drivers.modules.redfish import utils
from ironic.drivers.redfish import RedfishHardware
from oslo_log import log

from ironic_redfish_kept_key.keys import KeptKeys

LOG = log.getLogger(__name__)


class RedfishKeptKeyHardware(RedfishHardware):
    """Redfish hardware; the keys of its BMCs' sessions are derived once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keep_keys()


def keep_keys() -> KeptKeys | None:
    """Give Ironic's Redfish session cache, and nothing else in the process, kept keys; None if it derives none."""
    module = getattr(utils, "hashlib", None)
    if isinstance(module, _HashlibWithKeptKeys):
        return module.kept
    if module is not hashlib:
        LOG.warning("this Ironic does not derive session keys with hashlib: there is nothing to keep")
        return None
    # As many as there may be sessions: a key is of no use without one.
    kept = KeptKeys(hashlib.pbkdf2_hmac, lambda: CONF.redfish.connection_cache_size)
    utils.hashlib = _HashlibWithKeptKeys(kept)
    return kept


class _HashlibWithKeptKeys(types.ModuleType):
    """`hashlib`, but for one function."""

    def __init__(self, kept: KeptKeys) -> None:
        super().__init__("hashlib")
        self.__dict__.update(vars(hashlib))
        self.pbkdf2_hmac = kept.pbkdf2_hmac
        self.kept = kept
