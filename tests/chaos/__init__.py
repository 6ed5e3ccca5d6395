"""Faults on a whole Gantry: GANTRY_CHAOS_ROUNDS of each, 2 in `make test` and 20 in `make chaos`."""
