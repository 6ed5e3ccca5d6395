"""Changes of a bot's stage and its gates, each in a transaction of its own."""

from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

from fleet.closed_sets import Stage
from fleet.roles import Caller, Role
from fleet.stages import ORDER
from services.promotion import decide
from services.promotion.decide import Promotion
from services.promotion.read import NextGates, gates_of
from services.proof.invariants import check_invariants
from sql.engine import Transactions
from sql.tables.bots import Bot
from tests.factories.bots import NOW

LATER = NOW + timedelta(days=1)
MUCH_LATER = NOW + timedelta(days=40)
PERSON = Caller("operator:one", Role.OPERATOR, credentials=True)
OTHER = Caller("operator:two", Role.OPERATOR, credentials=True)
HERE = Caller("operator:local", Role.OPERATOR)
UP, DOWN = dict(pairwise(ORDER)), dict(pairwise(reversed(ORDER)))


def promote(tx: Transactions, bot_id: UUID, by: Caller = HERE, *, now: datetime = LATER, **rest: Any) -> Promotion:
    with tx() as session:
        return decide.promote(session, bot_id, by=by, now=now, **{"development": False, **rest})


def approve(tx: Transactions, bot_id: UUID, by: Caller = OTHER, *, now: datetime = MUCH_LATER) -> Promotion:
    with tx() as session:
        return decide.approve(session, bot_id, by=by, now=now, development=False)


def demote(tx: Transactions, bot_id: UUID, by: Caller = PERSON, *, now: datetime = LATER, **rest: Any) -> Stage:
    with tx() as session:
        return decide.demote(session, bot_id, by=by, now=now, **rest)


def gates(tx: Transactions, bot_id: UUID, *, now: datetime = LATER) -> NextGates:
    with tx() as session:
        return gates_of(session, bot_id, now=now, development=False)


def unmet(found: NextGates) -> list[str]:
    return [gate.name.value for gate in found.gates if not gate.met]


def set_bot(tx: Transactions, bot_id: UUID, **values: object) -> None:
    with tx() as session:
        for name, value in values.items():
            setattr(session.get_one(Bot, bot_id), name, value)


def sound(tx: Transactions) -> bool:
    with tx() as session:
        return check_invariants(session) == ()
