"""Health of the planner and the other loops."""

from fastapi import APIRouter, Request

from api.actor import Reader
from api.database import Db
from api.schemas.planner import SchedulerReply
from fleet.loops import loops
from services.planner import status

router = APIRouter(prefix="/api/scheduler", tags=["scheduler"])


@router.get("/status")
def scheduler_status(_actor: Reader, session: Db, request: Request) -> SchedulerReply:
    """Show every loop's health, the daemon's last sign of life and the planner's last tick."""
    expected = loops(request.app.state.settings.planner_tick_seconds)
    return SchedulerReply.of(status.scheduler_status(session, expected))
