"""What routes are given: a transaction that commits before the response, and the present moment."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.orm import Session

from core.clock import utc_now


def _transaction(request: Request) -> Iterator[Session]:
    with request.app.state.tx() as session:
        yield session


# scope="function": the commit happens before the response leaves, so that a failing commit is a 500 and not a lie.
Db = Annotated[Session, Depends(_transaction, scope="function")]
Now = Annotated[datetime, Depends(utc_now)]
