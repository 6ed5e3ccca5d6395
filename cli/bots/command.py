"""`gantry bots`: all its commands."""

from cli.bots import create, listing, one, promotion
from cli.bots.app import app

__all__ = ["app", "create", "listing", "one", "promotion"]
