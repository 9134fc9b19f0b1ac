"""The fleet's command line: `python -m lab.fleet describe`, `python -m lab.fleet serve`."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import typer

from lab.errors import told
from lab.fleet import bundle, describe, description, package, serve
from lab.fleet.errors import FleetError

app = typer.Typer(
    name="fleet",
    help="A fleet of simulated BMCs over real HTTP.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command("describe")
def describe_command(
    out: Annotated[Path, typer.Option("--out", help="File to write; it holds the factory passwords.")],
    racks: Annotated[int, typer.Option("--racks", help="How many NVL72 racks, of 71 endpoints each.")] = 1,
    seed: Annotated[int, typer.Option("--seed", help="Serials, MACs and passwords follow from it.")] = 1,
    series: Annotated[str, typer.Option("--series", help="Racks are called by it and three digits.")] = "sim-r",
    first: Annotated[int, typer.Option("--first", help="Number of the first rack.")] = 1,
    port: Annotated[int, typer.Option("--port", help="Port of all endpoints.")] = describe.PORT,
    received: Annotated[
        Path | None, typer.Option("--received", help="Also write the region's list of received trays.")
    ] = None,
) -> None:
    """Make the description of a fleet."""
    made = describe.describe(racks, seed=seed, series=series, first=first, port=port)
    out.touch(0o600)
    out.write_text(description.dump(made))
    if received is not None:
        received.write_text(describe.received(made))
    print(f"{out}: {racks} racks")


@app.command("serve")
def serve_command(
    described: Annotated[Path, typer.Option("--description", help="The fleet, made by describe.")],
    scenario: Annotated[Path | None, typer.Option("--scenario", help="How it behaves; without: in good order.")] = None,
    state: Annotated[Path | None, typer.Option("--state", help="Directory that outlives a restart.")] = None,
    tls: Annotated[
        Path | None, typer.Option("--tls", help="Serve HTTPS; directory of the CA, made if missing.")
    ] = None,
    ledger: Annotated[
        Path | None, typer.Option("--ledger", help="File to write what was done into, at the end.")
    ] = None,
    control: Annotated[int, typer.Option("--control", help="Port of the control service; 0: any free one.")] = 0,
) -> None:
    """Serve a fleet until SIGTERM. Prints one line of JSON when it is ready."""
    if ledger is None and state is not None:
        ledger = state / "ledger.json"
    asyncio.run(serve.serve(described, scenario, state=state, tls=tls, ledger=ledger, control=control))


@app.command("package")
def package_command(
    out: Annotated[Path, typer.Option("--out", help="File to write.")],
    component: Annotated[list[str], typer.Option("--component", help="SoftwareId=VERSION, such as 0x0010=25.08-9.")],
) -> None:
    """Make a firmware package in PLDM's format, with images of zeros."""
    versions: dict[int, str] = {}
    for each in component:
        id, _, version = each.partition("=")
        try:
            versions[int(id, 16)] = version
        except ValueError:
            raise FleetError("a component is not as it should be", found=each, allowed="0x0010=25.08-9") from None
    out.write_bytes(package.write(versions, name=out.stem))


@app.command("bundle")
def bundle_command(
    versions: Annotated[Path, typer.Option("--versions", help="JSON: kind -> component -> version.")],
    out: Annotated[Path, typer.Option("--out", help="Directory for KIND.fwpkg, one for each kind.")],
) -> None:
    """Make the packages of a whole bundle, such as a catalogue's firmware file names it."""
    bundle.write_bundle(bundle.read_versions(versions), out)


def main() -> int:
    """Run a command; errors are told in words, without a traceback."""
    return told(app)


if __name__ == "__main__":
    sys.exit(main())
