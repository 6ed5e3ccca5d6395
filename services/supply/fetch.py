"""Bars from vendors, month by month: only what is missing, each month once however many ask, resumed where it stopped.

Providers are asked in their order. No transaction is open during a call; a month counts from the moment its catalogue
row commits, so a fetch that was killed goes on with the months that have none.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import Engine

from core.errors import ErrorCode, GantryError, Kind, data_unavailable
from core.ids import new_id
from core.log import get_logger
from core.trace import current_trace_id
from fleet.closed_sets import DataLabel, SystemEvent
from integrations.ports import BadPayload, BarsSource, FetchedMonth
from integrations.provider import Provider
from integrations.registry import BARS_VENDORS
from integrations.store import BarsStore
from services import events
from services.bars.files.quarantine import put_aside
from services.bars.write import Incoming, Progress, Source, store_months
from services.supply import staging
from services.supply.missing import as_error, is_whole, reaches_the_end
from services.supply.vendor_checks import require_expected
from sql.engine import Transactions
from sql.month_lock import only_fetcher
from sql.queries import clock as clock_queries
from sql.queries.bars import catalogue
from sql.queries.supply import fetches as queries
from sql.tables.bars import BarsMonth
from sql.tables.usage import BarsFetch
from trading.bars.months import split_months
from trading.instruments import get_instrument

LOCK_TIMEOUT_S: Final = 900.0


class FetchStatus(StrEnum):
    """What became of one month."""

    FETCHED = "FETCHED"
    ALREADY_THERE = "ALREADY_THERE"
    FAILED = "FAILED"


@dataclass(frozen=True, slots=True)
class FetchedReport:
    """One month after a fetch: the row in use, or why there is none."""

    symbol: str
    month: str
    status: FetchStatus
    provider: str | None
    bars_count: int | None
    content_hash: str | None
    quality: str | None
    error: GantryError | None


@dataclass(frozen=True, slots=True)
class Fetcher:
    """Where months come from and go to. sources: in the order in which they are asked. again: also what is there."""

    tx: Transactions
    store: BarsStore
    sources: Sequence[BarsSource]
    actor: str
    clock: Callable[[], datetime]
    again: bool = False

    def fetch(
        self, months: Sequence[tuple[str, str]], progress: Progress = lambda _what, _done, _total: None
    ) -> tuple[FetchedReport, ...]:
        """Fetch months, (symbol, "YYYY-MM"), as many at once as the first provider allows; one failing fails alone.

        Raises:
            GantryError: INTEGRATION_KEY_MISSING without any provider; VALIDATION_FAILED for an unknown symbol.

        """
        for symbol in {symbol for symbol, _month in months}:
            get_instrument(symbol)
        if not self.sources:
            raise no_provider()
        for provider, symbol, month in staging.kept(self.store):
            if self._in_use(symbol, month) is not None:  # a fetch was killed right after it put the month in use
                staging.forget(self.store, provider, symbol, month)
        down: dict[str, GantryError] = {}
        reports: list[FetchedReport] = []
        with ThreadPoolExecutor(max(1, self.sources[0].parallel), thread_name_prefix="fetch") as pool:
            tasks = [pool.submit(copy_context().run, self._one, symbol, month, down) for symbol, month in months]
            try:
                for (symbol, month), task in zip(months, tasks, strict=True):
                    reports.append(task.result())
                    reported = reports[-1].status.replace("_", " ").lower()
                    progress(f"{symbol} {month}: {reported}", len(reports), len(months))
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)  # after a stop nothing more is bought
                raise
        return tuple(reports)

    def refuse(
        self, months: Sequence[tuple[str, str]], error: GantryError, cost_usd: Decimal | None
    ) -> tuple[FetchedReport, ...]:
        """Note that months were not fetched, as they cost too much, or nobody says what they cost."""
        for symbol, month in months:
            self._note(self.sources[0], symbol, month, error=error, cost_usd=cost_usd)
        return tuple(_not_fetched(symbol, month, error) for symbol, month in months)

    def _one(self, symbol: str, month: str, down: dict[str, GantryError]) -> FetchedReport:
        try:
            return self._fetched(symbol, month, down)
        except GantryError as error:
            return _not_fetched(symbol, month, error)
        except Exception as defect:  # noqa: BLE001 - one month's edge: the others must still be reported
            get_logger("fetching").error("fetch_defect", symbol=symbol, month=month, exc_info=defect)
            return _not_fetched(symbol, month, _defect(defect))

    def _fetched(self, symbol: str, month: str, down: dict[str, GantryError]) -> FetchedReport:
        with self.tx() as session:
            asked_at = clock_queries.database_time(session)
        if not self.again and (there := self._in_use(symbol, month)) is not None:
            return _report(there, FetchStatus.ALREADY_THERE)
        with only_fetcher(self._engine(), symbol, month, timeout_s=LOCK_TIMEOUT_S):
            # Somebody may have fetched it meanwhile: what came of that is the answer.
            there = self._row(symbol, month)
            if there is not None and (there.created_at >= asked_at or (not self.again and is_whole(there))):
                return _report(there, FetchStatus.ALREADY_THERE)
            with self.tx() as session:
                failed = queries.failures_since(session, symbol, month, asked_at)
            if failed and failed[0].providers == [source.provider_id for source in self.sources]:
                raise as_error(failed[-1])
            return self._from_someone(symbol, month, down)

    def _from_someone(self, symbol: str, month: str, down: dict[str, GantryError]) -> FetchedReport:
        """Ask provider after provider; the first error goes up when none of them has the month.

        down: providers that don't answer, or answer nobody: this fetch asks them for no further month.
        """
        first: GantryError | None = None
        for source in self.sources:
            try:
                if source.provider_id in down:
                    raise down[source.provider_id]
                return self._from(source, symbol, month)
            except GantryError as error:
                self._failed(source, symbol, month, error)
                if error.code in NOT_THE_PROVIDERS:
                    raise
                if error.code in DOWN and error.facts.get("attempts") != 0:  # not for want of a turn of our own
                    down[source.provider_id] = error
                first = first or error
        if first is None:
            raise no_provider()
        raise first

    def _from(self, source: BarsSource, symbol: str, month: str) -> FetchedReport:
        fetched = self._arrived(source, symbol, month)
        incoming = _incoming(fetched)
        try:
            require_expected(incoming.part.bars, incoming.instrument)
            store_months(
                self.tx, self.store, [incoming], replace=True, actor=self.actor, now=self.clock(), progress=_quiet
            )
        except GantryError as error:
            if error.code is not ErrorCode.DATA_QUALITY_FAILED:
                raise
            staging.forget(self.store, source.provider_id, symbol, month)
            raise BadPayload(
                error.code,
                error.message,
                payload=fetched.payload,
                payload_name=fetched.payload_name,
                fix=error.fix,
                kind=error.kind,
                facts=error.facts,
            ) from error
        row = self._row(symbol, month)
        if row is None:
            raise data_unavailable(f"{symbol} {month} was taken out of use during the fetch.", fix="Fetch it again.")
        self._note(source, symbol, month, bars_id=row.id, sha256=incoming.source.sha256)
        for one in self.sources:
            staging.forget(self.store, one.provider_id, symbol, month)
        return _report(row, FetchStatus.FETCHED)

    def _arrived(self, source: BarsSource, symbol: str, month: str) -> FetchedMonth:
        """Return what a killed fetch left behind, else what the provider sends."""
        now = self.clock()
        if not self.again:
            left = staging.staged(self.store, source.provider_id, symbol, month)
            if left is not None:
                return left
        fetched = source.fetch_month(symbol, month, now=now)
        if reaches_the_end(month, fetched.bars.source_details | fetched.details):
            staging.stage(self.store, fetched)
        return fetched

    def _failed(self, source: BarsSource, symbol: str, month: str, error: GantryError) -> None:
        """Note a failure; what came and was refused is put aside with what is wrong with it."""
        if not isinstance(error, BadPayload):
            self._note(source, symbol, month, error=error)
            return
        aside = put_aside(self.store, error.payload, error, name=error.payload_name, provider=source.provider_id)
        self._note(source, symbol, month, sha256=aside.sha256, aside=aside.path, error=error)

    def _note(
        self,
        source: BarsSource,
        symbol: str,
        month: str,
        *,
        bars_id: UUID | None = None,
        sha256: str | None = None,
        aside: str | None = None,
        error: GantryError | None = None,
        cost_usd: Decimal | None = None,
    ) -> None:
        if error is not None:
            get_logger("fetching").warning("fetch_failed", symbol=symbol, month=month, code=error.code.value)
        with self.tx() as session:
            session.add(
                BarsFetch(
                    id=new_id(),
                    symbol=symbol,
                    month=month,
                    provider=source.provider_id,
                    providers=[one.provider_id for one in self.sources],
                    bars_id=bars_id,
                    payload_sha256=sha256,
                    put_aside=aside,
                    cost_usd=cost_usd,
                    error_code=error.code.value if error else None,
                    message=error.message if error else None,
                    fix=error.fix if error else None,
                    actor=self.actor,
                    trace_id=current_trace_id(),
                )
            )
            if aside is not None and error is not None:
                events.note(
                    session,
                    SystemEvent.BARS_BLOCKED,
                    f"{symbol} {month} of {source.provider_id} was not kept: {error.message}",
                    actor=self.actor,
                    payload={"put_aside": aside, "payload_sha256": sha256, "error_code": error.code.value},
                )

    def _in_use(self, symbol: str, month: str) -> BarsMonth | None:
        """The month in use, if it is whole."""
        row = self._row(symbol, month)
        return row if row is not None and is_whole(row) else None

    def _row(self, symbol: str, month: str) -> BarsMonth | None:
        """The month in use, unless it is simulated: real bars take its place."""
        with self.tx() as session:
            row = catalogue.active_month(session, symbol, month)
        return row if row is not None and row.data_label != DataLabel.SIMULATED else None

    def _engine(self) -> Engine:
        with self.tx() as session:
            return session.get_bind().engine


# Another provider can't cure these: the folder is full, the database is gone, the question is wrong.
NOT_THE_PROVIDERS: Final = frozenset(
    {ErrorCode.ENVIRONMENT_INVALID, ErrorCode.DATABASE_UNAVAILABLE, ErrorCode.VALIDATION_FAILED, ErrorCode.CONFLICT}
)
DOWN: Final = frozenset(
    {ErrorCode.PROVIDER_TIMEOUT, ErrorCode.PROVIDER_RATE_LIMITED, ErrorCode.INTEGRATION_VERIFY_FAILED}
)


def no_provider(vendors: Sequence[Provider] = BARS_VENDORS) -> GantryError:
    """INTEGRATION_KEY_MISSING: no vendor can be asked. vendors: any one of them would do."""
    variables = [group[0] for vendor in vendors for group in vendor.required_env]
    return GantryError(
        ErrorCode.INTEGRATION_KEY_MISSING,
        "No provider of bars is configured.",
        fix=f"Set {' or '.join(variables)}, or import bars with `gantry bars import FILE`.",
        facts={"missing_env_vars": variables},
    )


def _incoming(fetched: FetchedMonth) -> Incoming:
    parts = [part for part in split_months(fetched.bars.bars) if part.month == fetched.month]
    if len(parts) != 1:
        raise data_unavailable(
            f"{fetched.provider} sent no bars of {fetched.symbol} in {fetched.month}.", fix="Fetch another month."
        )
    details = {**fetched.bars.source_details, **fetched.details}
    source = Source(fetched.provider, DataLabel.VENDOR, fetched.payload_name, fetched.bars.source_sha256, details)
    return Incoming(get_instrument(fetched.symbol), parts[0], source)


def _defect(defect: Exception) -> GantryError:
    return GantryError(
        ErrorCode.INTERNAL,
        f"The fetch stopped on a defect: {type(defect).__name__}.",
        fix="The log has the traceback; report it.",
        kind=Kind.INTERNAL,
    )


def _not_fetched(symbol: str, month: str, error: GantryError) -> FetchedReport:
    return FetchedReport(symbol, month, FetchStatus.FAILED, None, None, None, None, error)


def _report(row: BarsMonth, status: FetchStatus) -> FetchedReport:
    return FetchedReport(
        row.symbol, row.month, status, row.provider, row.bars_count, row.content_hash, row.quality, None
    )


def _quiet(_what: str, _done: int, _total: int) -> None:
    return
