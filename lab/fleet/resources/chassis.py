"""Chassis: what a tray is built of, its sensors, leak detectors and power supplies."""

from __future__ import annotations

from lab.fleet.answers import Json
from lab.fleet.call import Call
from lab.fleet.hardware.model import Chassis, Hardware, Sensors
from lab.fleet.resources.power import AUX_CYCLE, cycle_aux
from lab.fleet.resources.tree import HEALTHY, ROOT, Tree, collection, link, resource

CHASSIS = f"{ROOT}/Chassis"
_READINGS = {
    "temperature": ("Temperature", "Cel", 34.5),
    "fan": ("Rotational", "{rev}/min", 8200.0),
    "power": ("Power", "W", 410.0),
    "current": ("Current", "A", 8.2),
    "voltage": ("Voltage", "V", 50.4),
}
"""Sort of sensor -> Redfish's ReadingType and unit, and what it reads."""
_CABLES_REVISION = 2
_TOPOLOGY = 128
"""Of the cable cartridges of a rack of 72 GPUs."""


def add(tree: Tree, hardware: Hardware) -> None:
    tree.add(collection(CHASSIS, "Chassis", "Chassis Collection", [c.id for c in hardware.chassis]))
    for chassis in hardware.chassis:
        path = f"{CHASSIS}/{chassis.id}"
        tree.dynamic(path, lambda call, c=chassis: _chassis(call, hardware, c))
        if chassis.aux_cycle:
            tree.action(f"{path}/{AUX_CYCLE}", cycle_aux)
        if chassis.assembly:
            tree.dynamic(f"{path}/Assembly", lambda call, path=path: _assembly(call, path))
        _add_sensors(tree, chassis.sensors, path)
        if chassis.leak_detectors:
            _add_leak_detectors(tree, chassis.leak_detectors, path)
        if chassis.power_supplies:
            _add_power_supplies(tree, chassis.power_supplies, path)


def _chassis(call: Call, hardware: Hardware, chassis: Chassis) -> Json:
    path = f"{CHASSIS}/{chassis.id}"
    computers = [c.id for c in hardware.computers if c.chassis == chassis.id]
    managers = [m.id for m in hardware.managers if m.chassis == chassis.id]
    links: Json = {}
    if computers:
        links["ComputerSystems"] = [link(f"{ROOT}/Systems/{id}") for id in computers]
    if managers:
        links["ManagedBy"] = [link(f"{ROOT}/Managers/{id}") for id in managers]
    shown = resource(
        path,
        "Chassis.v1_23_0.Chassis",
        chassis.id,
        chassis.id,
        ChassisType=chassis.type,
        Manufacturer=chassis.manufacturer,
        Model=chassis.model,
        PowerState="On",
        Status=HEALTHY,
    )
    if links:
        shown["Links"] = links
    if chassis.part_number:
        shown["PartNumber"] = chassis.part_number
    if chassis.serial:
        shown["SerialNumber"] = chassis.serial.format(serial=call.endpoint.serial)
    if chassis.assembly:
        shown["Assembly"] = link(f"{path}/Assembly")
    if chassis.sensors != Sensors():
        shown["Sensors"] = link(f"{path}/Sensors")
    if chassis.leak_detectors:
        shown["ThermalSubsystem"] = link(f"{path}/ThermalSubsystem")
    if chassis.power_supplies:
        shown["PowerSubsystem"] = link(f"{path}/PowerSubsystem")
    if chassis.aux_cycle:
        target = {"target": f"{path}/{AUX_CYCLE}", "ResetType@Redfish.AllowableValues": ["AuxPowerCycle"]}
        shown["Actions"] = {"Oem": {"#NvidiaChassis.AuxPowerReset": target}}
    if chassis.cartridge:
        shown["Oem"] = {"Nvidia": _cartridge(call)}
    return shown


def _cartridge(call: Call) -> Json:
    """Where the tray is in the rack: its slot counts switch trays too, its index only compute trays."""
    index = int(call.endpoint.place) - 1
    return {
        "@odata.type": "#NvidiaChassis.v1_4_0.NvidiaCBCChassis",
        # Nine switch trays stand between the eighth and the ninth compute tray.
        "ChassisPhysicalSlotNumber": index + 1 if index < 8 else index + 10,
        "ComputeTrayIndex": index,
        "RevisionId": _CABLES_REVISION,
        "TopologyId": _TOPOLOGY,
    }


def _assembly(call: Call, path: str) -> Json:
    at = f"{path}/Assembly"
    part = {
        "@odata.id": f"{at}#/Assemblies/0",
        "MemberId": "0",
        "Name": "Chassis",
        "SerialNumber": call.endpoint.serial,
    }
    return resource(at, "Assembly.v1_3_0.Assembly", "Assembly", "Assembly", Assemblies=[part])


def _add_sensors(tree: Tree, sensors: Sensors, path: str) -> None:
    at = f"{path}/Sensors"
    ids: list[str] = []
    for sort, (reading_type, unit, reading) in _READINGS.items():
        for n in range(getattr(sensors, sort)):
            id = f"{sort}_{n}"
            ids.append(id)
            tree.add(
                resource(
                    f"{at}/{id}",
                    "Sensor.v1_7_0.Sensor",
                    id,
                    id.replace("_", " ").capitalize(),
                    ReadingType=reading_type,
                    ReadingUnits=unit,
                    Reading=reading,
                    Status=HEALTHY,
                )
            )
    if ids:
        tree.add(collection(at, "Sensor", "Sensor Collection", ids))


def _add_leak_detectors(tree: Tree, count: int, path: str) -> None:
    thermal = f"{path}/ThermalSubsystem"
    leaks, at = f"{thermal}/LeakDetection", f"{thermal}/LeakDetection/LeakDetectors"
    tree.add(
        resource(
            thermal,
            "ThermalSubsystem.v1_3_0.ThermalSubsystem",
            "ThermalSubsystem",
            "Thermal Subsystem",
            Status=HEALTHY,
            LeakDetection=link(leaks),
        )
    )
    tree.add(
        resource(
            leaks,
            "LeakDetection.v1_0_0.LeakDetection",
            "LeakDetection",
            "Leak Detection",
            Status=HEALTHY,
            LeakDetectors=link(at),
        )
    )
    ids = [f"LeakDetector_{n}" for n in range(count)]
    tree.add(collection(at, "LeakDetector", "Leak Detector Collection", ids))
    for n, id in enumerate(ids):
        tree.dynamic(f"{at}/{id}", lambda call, id=id, n=n: _leak_detector(call, f"{at}/{id}", id, n))


def _leak_detector(call: Call, path: str, id: str, number: int) -> Json:
    leaks = call.endpoint.behaviour.leak and number == 0
    return resource(
        path,
        "LeakDetector.v1_0_0.LeakDetector",
        id,
        id,
        LeakDetectorType="Moisture",
        DetectorState="Critical" if leaks else "OK",
        Status={"State": "Enabled", "Health": "Critical" if leaks else "OK"},
    )


def _add_power_supplies(tree: Tree, count: int, path: str) -> None:
    power = f"{path}/PowerSubsystem"
    at = f"{power}/PowerSupplies"
    tree.add(
        resource(
            power,
            "PowerSubsystem.v1_1_0.PowerSubsystem",
            "PowerSubsystem",
            "Power Subsystem",
            Status=HEALTHY,
            CapacityWatts=33000,
            PowerSupplies=link(at),
        )
    )
    tree.add(collection(at, "PowerSupply", "Power Supply Collection", [str(n) for n in range(count)]))
    for n in range(count):
        tree.add(
            resource(
                f"{at}/{n}",
                "PowerSupply.v1_5_0.PowerSupply",
                str(n),
                f"Power Supply {n}",
                PowerSupplyType="AC",
                PowerCapacityWatts=5500,
                Status=HEALTHY,
            )
        )
