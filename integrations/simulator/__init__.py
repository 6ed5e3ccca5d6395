"""Made bars for a start without any provider: seeded, SIMULATED, never mixed with real ones."""
