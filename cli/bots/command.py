"""`gantry bots`: all its commands."""

from cli.bots import change, create, listing, one, promotion, results
from cli.bots.app import app

__all__ = ["app", "change", "create", "listing", "one", "promotion", "results"]
