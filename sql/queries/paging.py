"""Where the next page of a list starts."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, slots=True)
class After:
    """Where a page of newest-first rows goes on: below this row."""

    created_at: datetime
    id: UUID
