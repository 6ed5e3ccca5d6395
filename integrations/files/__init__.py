"""Readers of bar files; `reader.read_bars_file` is the way in."""
