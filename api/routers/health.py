"""Whether the process is alive; without asking the database."""

from fastapi import APIRouter

from api.envelope import Envelope

router = APIRouter(tags=["health"])


@router.get("/api/healthz")
def healthz() -> Envelope:
    """Answer that the process is alive."""
    return Envelope()
