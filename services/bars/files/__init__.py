"""Files of bars: read, tried, imported, written, and kept where they were refused."""
