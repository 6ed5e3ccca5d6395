"""Write the pages of docs/ that come from code: `make docs`. A test fails while one of them is stale."""

import enum
import inspect
from collections.abc import Iterable, Sequence
from pathlib import Path
from types import ModuleType

from core import error_catalogue
from core.errors import ErrorCode
from core.settings import Settings
from docs.where import map_page
from fleet import autonomy_score, bot_now, closed_sets, jobs, loops, stages
from fleet.promotion import gates
from shapes.strategies import StrategyBody
from trading.backtest.types import ExitReason
from trading.bars import quality_types
from trading.improve import verdict
from trading.strategies.registry import STRATEGIES

FOLDER = Path(__file__).parent / "generated"
NOTICE = "<!-- Written by `make docs` from code; edit the code instead. -->\n"
SET_MODULES = (closed_sets, jobs, loops, stages, gates, bot_now, autonomy_score, quality_types, verdict)
STRATEGIES_PREFACE = """
Decided at the close of bar i, on closes `c`, filled at the next bar's open as the [convention](../convention.md) says.
Prices are the window's, adjusted for rolls; times are the exchange's. A strategy is one file and one line in the
registry; the contract tests run it for free.
"""


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
    return "\n".join(lines) + "\n"


def closed_sets_page() -> str:
    """Every closed set: its members in code, which are also its CHECK in SQL."""
    parts = ["# Closed sets\n\n" + NOTICE]
    for found in _enums():
        members = ", ".join(f"`{member.name if isinstance(member, int) else member.value}`" for member in found)
        parts.append(f"\n## {found.__name__}\n\n{_first_line(found)} (`{_source(found)}`)\n\n{members}\n")
    return "".join(parts)


def error_codes_page() -> str:
    """Every error code with its meaning."""
    rows = [(f"`{code}`", error_catalogue.MEANINGS[code]) for code in ErrorCode]
    return "# Error codes\n\n" + NOTICE + "\n" + table(("code", "meaning"), rows)


def environment_page() -> str:
    """Every environment variable with its default."""
    rows = []
    for name, spec in Settings.model_fields.items():
        default = spec.default
        shown = "" if default is None else "`.gantry`" if name == "gantry_home" else f"`{default}`"
        rows.append((f"`{spec.alias}`", shown, spec.description or ""))
    return "# Environment variables\n\n" + NOTICE + "\n" + table(("variable", "default", "meaning"), sorted(rows))


def strategies_page() -> str:
    """Every strategy: its exact definition, parameters with bounds, units and defaults."""
    parts = ["# Strategies\n\n" + NOTICE + STRATEGIES_PREFACE]
    for strategy in STRATEGIES.values():
        shown = StrategyBody.of(strategy)
        rows = [
            (f"`{spec.name}`", f"{spec.default}", f"{spec.low} to {spec.high}", spec.unit, spec.meaning)
            for spec in shown.parameters
        ]
        place = inspect.getmodule(type(strategy))
        parts.append(f"\n## {shown.name}\n\n{shown.label} (`{_path(place)}`). {shown.definition}\n\n")
        parts.append(table(("parameter", "default", "bounds", "unit", "meaning"), rows))
    return "".join(parts)


def pages() -> dict[Path, str]:
    """Return every generated page by path."""
    return {
        FOLDER / "closed-sets.md": closed_sets_page(),
        FOLDER / "error-codes.md": error_codes_page(),
        FOLDER / "environment.md": environment_page(),
        FOLDER / "strategies.md": strategies_page(),
        FOLDER / "where.md": "# Where everything lives\n\n" + NOTICE + "\n" + map_page(table),
    }


def _enums() -> list[type[enum.Enum]]:
    found = [ExitReason] + [
        item
        for module in SET_MODULES
        for _name, item in inspect.getmembers(module, inspect.isclass)
        if issubclass(item, enum.Enum) and item.__module__ == module.__name__ and len(item) > 0
    ]
    return sorted(found, key=lambda item: item.__name__)


def _first_line(item: type) -> str:
    return (inspect.getdoc(item) or "").splitlines()[0]


def _source(item: type) -> str:
    return item.__module__.replace(".", "/") + ".py"


def _path(module: ModuleType | None) -> str:
    return module.__name__.replace(".", "/") + ".py" if module else ""


def main() -> None:
    """Write them."""
    FOLDER.mkdir(exist_ok=True)
    for path, text in pages().items():
        path.write_text(text)


if __name__ == "__main__":
    main()
