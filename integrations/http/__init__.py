"""The one way out: every call to a provider goes through `gate.Gate`."""
