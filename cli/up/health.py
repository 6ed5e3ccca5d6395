"""Whether a process answers: each probe is one quick question, and False means not now."""

import asyncio
import http.client
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

from cli.up.services import Probe, Service
from core.clock import utc_now

TIMEOUT_S = 2.0
HEARTBEAT_FRESH = timedelta(seconds=60)


async def answers(service: Service, *, dagster_url: str, since: datetime) -> bool:
    """Ask once, at most a few seconds; `since` is when the process was started."""
    if service.probe is Probe.HTTP:
        return await asyncio.to_thread(http_answers, service.address)
    if service.probe is Probe.GRPC:
        return await asyncio.to_thread(grpc_answers, service.address)
    return await asyncio.to_thread(daemon_beats, dagster_url, since=since, now=utc_now())


def http_answers(url: str) -> bool:
    """Whether a GET of the URL is answered with 200."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", parts.path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def grpc_answers(address: str) -> bool:
    """Whether Dagster's code server says SERVING: it does once the definitions are loaded."""
    import grpc
    from grpc_health.v1 import health_pb2, health_pb2_grpc

    with grpc.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            reply = stub.Check(health_pb2.HealthCheckRequest(service="DagsterApi"), timeout=TIMEOUT_S)
        except grpc.RpcError:
            return False
        return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)


def daemon_beats(dagster_url: str, *, since: datetime, now: datetime) -> bool:
    """Whether a daemon has written a heartbeat in the last minute, and since this one was started.

    An older heartbeat proves nothing: it may be that of the daemon that was killed.
    """
    import psycopg2

    try:
        connection = psycopg2.connect(dagster_url.replace("postgresql+psycopg2://", "postgresql://"), connect_timeout=2)
    except psycopg2.Error:
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT max(timestamp) FROM daemon_heartbeats")
            row = cursor.fetchone()
    except psycopg2.Error:
        return False
    finally:
        connection.close()
    last = row[0].replace(tzinfo=UTC) if row and row[0] else None
    return last is not None and last >= max(since, now - HEARTBEAT_FRESH)
