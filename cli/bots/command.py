"""`gantry bots`: all its commands, in the order in which its help lists them."""

from importlib import import_module

from cli.bots.app import app

__all__ = ["app"]

for _module in ("listing", "one", "results", "create", "change", "promotion"):
    import_module(f"cli.bots.{_module}")
