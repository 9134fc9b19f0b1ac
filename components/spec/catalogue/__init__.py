"""The catalogue: hardware and software as data, each fact with its unit, source and confidence.

Owns the models of its files, their reader and the rules that keep them honest. Knows no region.
"""

from components.spec.catalogue.catalogue import Catalogue
from components.spec.catalogue.checks import CHECKS
from components.spec.catalogue.evidence import CatalogueItem, Evidence, Source
from components.spec.catalogue.files import CatalogueFiles, load_catalogue, read_catalogue
from components.spec.catalogue.firmware import Endpoint, FirmwareBaseline
from components.spec.catalogue.latency import Latency
from components.spec.catalogue.model import ModelProfile
from components.spec.catalogue.power import PowerUnit
from components.spec.catalogue.price import Price
from components.spec.catalogue.rack import RackProfile
from components.spec.catalogue.software import SoftwareSet
from components.spec.catalogue.switch import SwitchProfile
from components.spec.catalogue.tray import TrayProfile

__all__ = [
    "CHECKS",
    "Catalogue",
    "CatalogueFiles",
    "CatalogueItem",
    "Endpoint",
    "Evidence",
    "FirmwareBaseline",
    "Latency",
    "ModelProfile",
    "PowerUnit",
    "Price",
    "RackProfile",
    "SoftwareSet",
    "Source",
    "SwitchProfile",
    "TrayProfile",
    "load_catalogue",
    "read_catalogue",
]
