"""Steps of `gantry up` that are processes of their own, so that the supervisor itself stays small and quick."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cli.console import note
from cli.up.child import Child
from cli.up.output import last_lines
from cli.up.plan import ROOT, StartPlan, base_environment
from cli.up.services import shared_environment
from core.errors import ErrorCode, GantryError, Kind


@dataclass(frozen=True, slots=True)
class Prepared:
    """What the preparation found: Dagster's database URL, and a sentence about first data, "" without any."""

    dagster_url: str
    sentence: str


async def prepare(plan: StartPlan) -> Prepared:
    """Migrate, reap lost leases, see to first data (`cli.up.prepare`).

    Raises GantryError as the preparing process reported it.
    """
    answer = plan.home.state_file.with_name("prepared.json")
    answer.unlink(missing_ok=True)
    shared = shared_environment(plan.home, plan.ports, mark=plan.mark, dagster_url="")
    code = await _run(plan, "prepare", ("cli.up.prepare", str(answer)), shared)
    try:
        raw = json.loads(answer.read_text())
    except (OSError, ValueError) as error:
        raise _failed(plan, code) from error
    finally:
        answer.unlink(missing_ok=True)  # it holds a password
    if "error" in raw:
        wrong = raw["error"]
        raise GantryError(ErrorCode(wrong["code"]), wrong["message"], fix=wrong["fix"], kind=Kind(wrong["kind"]))
    return Prepared(raw["dagster_url"], raw["sentence"])


async def warm_up(plan: StartPlan, environment: Mapping[str, str]) -> None:
    """Compile the engine once per installation, beside everything else; a failure only makes the first run slower."""
    code = await _run(plan, "warm-up", ("cli.up.warm",), environment)
    if code != 0:
        note(f"The engine could not be compiled beforehand; see {plan.home.logs / 'warm-up.log'}.")


async def _run(plan: StartPlan, name: str, module: tuple[str, ...], environment: Mapping[str, str]) -> int:
    child = await Child.start(
        name,
        (sys.executable, "-m", *module),
        environment={**base_environment(), **environment},
        folder=ROOT,
        log=_log(plan, name),
        echo=plan.echo,
    )
    try:
        return await child.wait()
    finally:
        await child.bury()


def _failed(plan: StartPlan, code: int) -> GantryError:
    log = _log(plan, "prepare")
    return GantryError(
        ErrorCode.INTERNAL,
        f"Preparing the database ended with code {code}. Its last lines:\n{last_lines(log)}\n",
        fix=f"See {log}, and run `gantry doctor`.",
        kind=Kind.INTERNAL,
    )


def _log(plan: StartPlan, name: str) -> Path:
    return plan.home.logs / f"{name}.log"
