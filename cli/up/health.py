"""Whether a process answers: each probe is one quick question, and False means not now."""

import asyncio
import http.client
from urllib.parse import urlsplit

from cli.up.services import Probe, Service

TIMEOUT_S = 2.0
HEARTBEAT_FRESH_S = 60.0


async def answers(service: Service, *, dagster_url: str) -> bool:
    """Ask once, at most a few seconds."""
    if service.probe is Probe.HTTP:
        return await asyncio.to_thread(http_answers, service.address)
    if service.probe is Probe.GRPC:
        return await asyncio.to_thread(grpc_answers, service.address)
    return await asyncio.to_thread(daemon_beats, dagster_url)


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


def daemon_beats(dagster_url: str) -> bool:
    """Whether every daemon Dagster has started wrote a heartbeat in the last minute."""
    import psycopg2

    fresh = "timestamp > now() AT TIME ZONE 'UTC' - %s * interval '1 second'"
    query = f"SELECT count(*), bool_and({fresh}) FROM daemon_heartbeats"  # noqa: S608 - two constants
    try:
        connection = psycopg2.connect(dagster_url.replace("postgresql+psycopg2://", "postgresql://"), connect_timeout=2)
    except psycopg2.Error:
        return False
    try:
        with connection.cursor() as cursor:
            cursor.execute(query, (HEARTBEAT_FRESH_S,))
            row = cursor.fetchone()
        return bool(row and row[0] and row[1])
    except psycopg2.Error:
        return False
    finally:
        connection.close()
