"""What goes through Ironic waits here, in an order in which nobody waits for another in a circle."""

from __future__ import annotations

import asyncio

from components.engine.admission import Admission
from tests.virtual_time import run


def test_a_host_of_a_rack_is_deployed_and_its_bmc_asked_each_within_its_limit() -> None:
    async def main() -> tuple[int, int, int]:
        admission = Admission(destructive_per_rack=2, deploys=3)
        away, deploying, asking = {"r1": 0, "r2": 0, "r3": 0}, 0, 0
        most = [0, 0, 0]

        async def host(rack: str) -> None:
            nonlocal deploying, asking
            async with admission.destructive(rack):
                away[rack] += 1
                most[0] = max(most[0], away[rack])
                async with admission.deploy("https://ironic"):
                    deploying += 1
                    most[1] = max(most[1], deploying)
                    async with admission.bmc("https://chassis"):
                        asking += 1
                        most[2] = max(most[2], asking)
                        await asyncio.sleep(1)
                        asking -= 1
                    deploying -= 1
                away[rack] -= 1

        await asyncio.gather(*(host(rack) for rack in away for _ in range(6)))
        return most[0], most[1], most[2]

    assert run(main()) == (2, 3, 3)
