"""Starts bqemulator, and before it a proxy through which BigQuery's own driver reaches it.

The driver knows no other address than Google's. It does what Go programs do: it asks the proxy that HTTPS_PROXY names for a connection, and trusts the
certificates in the file that SSL_CERT_FILE names. The proxy ends TLS with certificates of an authority that it makes as it starts
(`authority.pem`, beside the log), gives tokens to everybody, and hands on everything else: REST to one port, and gRPC, which reads rows, to another one.
What comes without TLS is REST, of tests.

The emulator keeps the results of queries where its gRPC does not find them, and gives them in types that are not BigQuery's. What is needed of that is
mended here. Rows of a result with a column `broken_stream` end with an error after the first of them.
"""

import asyncio
import re
import ssl
import sys

import grpc
import pyarrow
import sqlglot
import trustme
from bqemulator.api.routes import jobs
from bqemulator.config import Settings
from bqemulator.domain.errors import InvalidQueryError
from bqemulator.grpc_api import read_servicer
from bqemulator.jobs import executor
from bqemulator.server import EmulatorServer
from bqemulator.sql.translator import SQLTranslator
from bqemulator.storage.engine import DuckDBEngine
from bqemulator.streaming import read_session

ROWS = "bigquerystorage.googleapis.com"
TOKENS = "oauth2.googleapis.com"
TOKEN = b'{"access_token": "token", "token_type": "Bearer", "expires_in": 3600}'

# What BigQuery says of columns whose type Arrow does not have.
NAMES = {"JSON": "google:sqlType:json", "TIMESTAMP": "google:sqlType:datetime", "GEOMETRY": "google:sqlType:geography"}

fetch_arrow = DuckDBEngine.fetch_arrow
with_session = read_servicer._build_read_session_response
read_rows = read_servicer.BigQueryReadHandler._handle_read_rows
translate = SQLTranslator.translate
translated = {}
parse_one = sqlglot.parse_one
parsed = {}


def kind_in_bigquery(kind):
    if pyarrow.types.is_integer(kind):
        return pyarrow.int64()
    if pyarrow.types.is_floating(kind):
        return pyarrow.float64()
    if pyarrow.types.is_list(kind):
        return pyarrow.list_(pyarrow.field("item", kind_in_bigquery(kind.value_type)))
    if pyarrow.types.is_struct(kind):
        return pyarrow.struct([pyarrow.field(field.name, kind_in_bigquery(field.type)) for field in kind])
    return kind


def field_in_bigquery(field):
    kind = (field.metadata or {}).get(b"bqemu.duckdb_type", b"").decode()
    metadata = {"ARROW:extension:name": NAMES[kind]} if kind in NAMES else None
    return pyarrow.field(field.name, kind_in_bigquery(field.type), metadata=metadata)


def with_results(self, sql, parameters=None):
    """The rows that a statement gives, or those that it gave. A number without digits of its own is a NUMERIC."""
    result = re.search(r'_bqemu_anonymous"\."anon(\w+)"', sql)
    if result is None:
        return fetch_arrow(self, re.sub(r"\bDECIMAL(?:\(18, 3\)|(?!\())", "DECIMAL(38, 9)", sql), parameters)
    table = next(table for job, table in executor.JOB_RESULTS.items() if job.replace("-", "") == result[1])
    return table.cast(pyarrow.schema([field_in_bigquery(field) for field in table.schema]))


def with_number(*, arrow_table, **others):
    """A session that says how many rows it has: the driver reads none where it says nothing."""
    session = with_session(arrow_table=arrow_table, **others)
    session.estimated_row_count = arrow_table.num_rows
    return session


def broken_where_asked(self, request_bytes, context):
    from google.cloud.bigquery_storage_v1 import types

    stream = types.ReadRowsRequest.deserialize(request_bytes).read_stream
    session = read_session.get_session("/".join(stream.split("/")[:-2]))
    if session is None or "broken_stream" not in session.table.column_names:
        yield from read_rows(self, request_bytes, context)
        return
    first = session.table.slice(0, 1).to_batches()[0]
    batch = types.ArrowRecordBatch(serialized_record_batch=first.serialize().to_pybytes())
    yield types.ReadRowsResponse.serialize(types.ReadRowsResponse(row_count=1, arrow_record_batch=batch))
    context.set_code(grpc.StatusCode.PERMISSION_DENIED)
    context.set_details("the stream is broken")


def once(self, sql, *others, **more):
    """The same statement is put into the emulator's language once: that takes a second."""
    key = (sql, repr(others), repr(more))
    if key not in translated:
        translated[key] = translate(self, sql, *others, **more)
    return translated[key]


def parsed_once(sql, *others, **more):
    """So is it parsed once, and not a dozen times."""
    key = (sql, repr(others), repr(more))
    if key not in parsed:
        parsed[key] = parse_one(sql, *others, **more)
    return parsed[key].copy()


def with_failures(server):
    """What a query gave, or why it failed: the emulator forgets that."""

    class Results(dict):
        def get(self, job, default=None):
            found = super().get(job, default)
            failed = server._context.catalog.get_job("shop", job) if found is None else None
            if failed is not None and failed.error_result:
                raise InvalidQueryError(failed.error_result["message"])
            return found

    jobs.JOB_RESULTS = executor.JOB_RESULTS = Results()


DuckDBEngine.fetch_arrow = with_results
# It would be fetched from elsewhere.
DuckDBEngine._load_spatial = lambda self: None
SQLTranslator.translate = once
sqlglot.parse_one = parsed_once
read_servicer._build_read_session_response = with_number
read_servicer.BigQueryReadHandler._handle_read_rows = broken_where_asked
# What ends a stream of Arrow ends it here before the rows.
read_session._serialise_arrow_schema = lambda schema: schema.serialize().to_pybytes()


def certified(authority, host):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    context.set_alpn_protocols(["h2" if host == ROWS else "http/1.1"])
    return context


async def hand_on(reader, writer):
    try:
        while part := await reader.read(65536):
            writer.write(part)
            await writer.drain()
    except (ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def join(reader, writer, port, begin=b""):
    other_reader, other_writer = await asyncio.open_connection("127.0.0.1", port)
    other_writer.write(begin)
    await asyncio.gather(hand_on(reader, other_writer), hand_on(other_reader, writer))


async def give_token(reader, writer):
    await reader.readuntil(b"\r\n\r\n")
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
    writer.write(head % len(TOKEN) + TOKEN)
    await writer.drain()
    writer.close()


async def main(port):
    server = EmulatorServer(Settings(rest_port=0, grpc_port=0, default_project_id="shop", enable_format_extensions=False))
    with_failures(server)
    await server.start()
    # Names without a dataset are in the driver's.
    server._engine.connection.execute("CREATE SCHEMA shop__main; SET schema = 'shop__main'")
    authority = trustme.CA()
    authority.cert_pem.write_to_path("authority.pem")
    contexts = {}

    async def serve(reader, writer):
        line = await reader.readline()
        if not line.startswith(b"CONNECT "):
            return await join(reader, writer, server.rest_port, line)
        await reader.readuntil(b"\r\n\r\n")
        host = line.split()[1].split(b":")[0].decode()
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        await writer.drain()
        if host not in contexts:
            contexts[host] = certified(authority, host)
        await writer.start_tls(contexts[host])
        if host == TOKENS:
            return await give_token(reader, writer)
        await join(reader, writer, server.grpc_port if host == ROWS else server.rest_port)

    await asyncio.start_server(serve, "127.0.0.1", port)
    print("BigQuery can be asked", flush=True)
    await asyncio.Event().wait()


asyncio.run(main(int(sys.argv[1])))
