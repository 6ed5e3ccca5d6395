"""What routes are given: a transaction that commits before the response, and the present moment.

No more requests are in a transaction at once than there are pooled connections, and the others wait without a thread:
were every thread waiting for a lock, its holder would find none to go on in.
"""

from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from typing import Annotated

import anyio
from anyio.lowlevel import RunVar
from fastapi import Depends, Request
from sqlalchemy.orm import Session

from core.clock import utc_now
from sql.engine import POOL_SIZE

_turns: RunVar[anyio.Semaphore] = RunVar("turns")  # of one event loop


async def _in_turn() -> AsyncIterator[None]:
    try:
        turns = _turns.get()
    except LookupError:
        turns = anyio.Semaphore(POOL_SIZE)
        _turns.set(turns)
    async with turns:
        yield


def _transaction(request: Request, _turn: Annotated[None, Depends(_in_turn, scope="function")]) -> Iterator[Session]:
    with request.app.state.tx() as session:
        yield session


# scope="function": the commit happens before the response leaves, so that a failing commit is a 500 and not a lie.
Db = Annotated[Session, Depends(_transaction, scope="function")]
Now = Annotated[datetime, Depends(utc_now)]
