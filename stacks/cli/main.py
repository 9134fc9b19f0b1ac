"""`region`: brings a region up, shows it, checks it, and takes it down.

Owns the command line only: each command reads the region, calls what does the work, and shows the result.
"""

from __future__ import annotations

import io
import json
import shlex
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer
from pulumi import automation

from components.checks.result import Status, worst
from components.errors import Problem, RegionError
from stacks.cli import doctor as machine_doctor
from stacks.cli import ledger, output, overview, service, tenant, written
from stacks.cli.arguments import AsJson, Layers, Region, chosen
from stacks.cli.changed import changed
from stacks.cli.confirm import confirm
from stacks.cli.cost import cost
from stacks.cli.edges import edges
from stacks.cli.environment import pulumi_environment, unusable_state
from stacks.cli.export import export
from stacks.cli.layers import Operation, forget_stacks, raise_for_failures, run_layers
from stacks.cli.post_comment import comment
from stacks.cli.preview import diff, preview
from stacks.cli.rules import rules
from stacks.cli.show import show
from stacks.cli.up import up
from stacks.cli.usage import usage
from stacks.project import LAYERS, ROOT, load_hardware, load_plan, region_folder, state_folder

HELP = """Brings a region up, shows it, checks it, and takes it down.

Exit codes: 0 done, 1 a check failed or an error, 2 the description or the question is wrong (nothing was touched),
3 a device or service failed, 4 racks were isolated and all others brought up, 130 interrupted."""
INTERRUPTED = 130

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=HELP, rich_markup_mode=None)


@app.command()
def verify(
    region: Region,
    layer: Layers = None,
    as_json: AsJson = False,
    wake: Annotated[bool, typer.Option(help="Also call each service and wait until it sleeps again.")] = True,
) -> None:
    """Check the region itself: what was expected, what was found. It alone decides whether the region is up."""
    from stacks.cli.verify import record_accepted, verify_region  # the clients behind it are slow to import

    layers, plan = chosen(layer), load_plan(region)
    results = verify_region(plan, layers, wake=wake)
    output.show_checks(results, as_json)
    if layers == LAYERS and (recorded := record_accepted(plan, results)):
        output.people.print(recorded, highlight=False, soft_wrap=True)
    if worst(results) is Status.FAIL:
        raise typer.Exit(1)


@app.command()
def status(
    region: Region,
    html: Annotated[
        Path | None, typer.Option("--html", help="Write a page of tenants, services, GPUs, cost and edges instead.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Racks, hosts, switches, nodes and services on one screen."""
    written.refuse_unwritable(html, "--html")
    if html is not None:
        from stacks.cli.status_page import write_status_page  # the clients behind it are slow to import

        write_status_page(load_plan(region), html)
        output.people.print(f"{html}: written", highlight=False, soft_wrap=True)
        return
    overview.show_status(load_plan(region), as_json)


app.command()(show)


@app.command()
def down(
    region: Region,
    layer: Layers = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take the region down, last layer first; machines are undeployed and cleaned through Ironic."""
    layers, plan = chosen(layer), load_hardware(region)  # also once its images are gone
    overview.refuse_protected(plan, layers)
    if not yes:
        hosts = ", ".join(h.name for h in plan.hosts)
        output.people.print(
            f"This takes down {', '.join(reversed(layers))} of {region}"
            + (f" and wipes the disks of {hosts}" if "substrate" in layers else "")
            + "."
        )
        confirm(region)
    with output.Progress(f"region down {region}", tuple(reversed(layers)), as_json) as progress:
        phases = run_layers(region, tuple(reversed(layers)), Operation.DESTROY, progress.report)
    output.show_phases(f"region down {region}", phases, as_json)
    raise_for_failures(phases)


@app.command()
def forget(region: Region, yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False) -> None:
    """Forget a region whose hardware is gone: remove its stacks, journal and pinned keys. Touches no device."""
    region_folder(region)
    overview.refuse_losing_logins(region)
    if not yes:
        output.people.print(f"This removes the recorded state of {region}. Machines that still run are not taken down.")
        confirm(region)
    count = forget_stacks(region)
    shutil.rmtree(state_folder(region), ignore_errors=True)
    output.people.print(f"{count} stacks of {region} and its local state are removed")


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check this machine and its programs: what is needed, what was found, what to install."""
    results = machine_doctor.examine()
    output.show_checks(results, as_json)
    if worst(results) is Status.FAIL:
        raise typer.Exit(1)


@app.command()
def state(
    region: Region,
    ensure: Annotated[bool, typer.Option("--ensure", help="Make the bucket, or make it fit.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check the bucket of the region's own object store that can hold Pulumi's state instead of this machine."""
    from components.state.bucket import StateBucket  # boto3 is slow to import

    bucket = StateBucket.of(load_hardware(region), ROOT)
    if ensure:
        bucket.ensure()
    results = bucket.check()
    output.show_checks(results, as_json)
    if worst(results) is Status.FAIL:
        raise typer.Exit(1)
    if not as_json:
        output.people.print(f"export PULUMI_BACKEND_URL='{bucket.backend_url}'", highlight=False, soft_wrap=True)


app.command()(export)
app.command()(rules)
app.command()(cost)
app.command()(edges)


@app.command()
def schema(
    what: Annotated[
        str,
        typer.Argument(
            help="`region`, `tenant`, or a folder or file of the catalogue: racks, switches, sources.yaml, ..."
        ),
    ] = "region",
) -> None:
    """Print a JSON Schema for editors: of a region's description, of a tenant's file, or of files of the catalogue."""
    from components.plan.schema import schema as region_schema
    from components.plan.schema import tenant_schema
    from components.spec.catalogue.schema import catalogue_schemas

    schemas = {"region": region_schema(), "tenant": tenant_schema(), **catalogue_schemas()}
    if what not in schemas:
        raise typer.BadParameter(f"there is no schema of {what}; there are {', '.join(schemas)}")
    print(json.dumps(schemas[what], indent=2))


@app.command()
def env() -> None:
    """Print the environment for plain `pulumi` commands: eval "$(region env)"."""
    for name, value in pulumi_environment().items():
        print(f"export {name}={shlex.quote(value)}")


# commands with a module of their own
app.command()(up)
app.command()(preview)
app.command()(diff)
app.command()(changed)
app.command()(comment)
app.command()(usage)
app.add_typer(ledger.app, name="ledger")
app.add_typer(service.app, name="service")
app.add_typer(tenant.app, name="tenant")


def main() -> None:
    """Run the command that was typed; turns errors into messages and exit codes."""
    as_json = "--json" in sys.argv
    _show_strange_signs_as_others()
    try:
        app()
    except RegionError as error:
        output.show_error(error, as_json)
        raise SystemExit(error.exit_code) from None
    except automation.CommandError as error:
        failure = unusable_state(error)
        output.show_error(failure, as_json)
        raise SystemExit(failure.exit_code) from None
    except OSError as error:
        # What names no file may be standard output itself, to which nothing can be said.
        output.show_error(_refused(error), as_json and error.filename is not None)
        raise SystemExit(RegionError.exit_code) from None
    except SystemExit as end:
        if end.code == INTERRUPTED:  # typer makes it of Ctrl-C, without a word
            output.people.print("interrupted; run the same command again to go on")
        raise


def _refused(error: OSError) -> RegionError:
    problem = Problem(
        path=str(error.filename or "this machine"),
        message=error.strerror or str(error),
        remedy="see to the folder, its rights and the space on its disk, then run the same command again",
    )
    return RegionError("the system refused it", [problem])


def _show_strange_signs_as_others() -> None:
    """A terminal or a log that is not in UTF-8 lacks some, such as the euro's: no reason to end."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
