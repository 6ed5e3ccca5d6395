"""What every shape is made of: exact fields, money as decimal text, instants in UTC."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema

from trading.digits import usd_text

Money = Annotated[
    Decimal,
    PlainSerializer(usd_text, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^-?\d+\.\d{2}$"}),
]
Instant = Annotated[datetime, Field(description="RFC 3339, UTC.")]


class Model(BaseModel):
    """Base of everything that is shown: read from the attributes of what a service returns."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True, from_attributes=True)
