# What `cargo xtask bench peers` runs beside Coho: an asynchronous client that keeps nothing, and a project of drt.
#
#   peers.py send URL FILE CONNECTIONS
#   peers.py project URL FILE FOLDER
#
# `send` posts each row of the file of accounts by aiohttp. `project` writes a project of drt which does the same: its source is a
# table in SQLite with those rows, its destination a REST API.
import asyncio
import base64
import csv
import json
import pathlib
import sqlite3
import sys

NUMBERS = {"seats": int, "mrr": float}
TRUTHS = ("active", "trial")


def payload(row):
    """A row as the body of a request to Vitally."""
    traits = {}
    for name, text in row.items():
        if name in ("id", "name"):
            continue
        traits[name] = NUMBERS.get(name, str)(text) if name not in TRUTHS else text == "true"
    return {"externalId": row["id"], "name": row["name"], "traits": traits}


async def send(url, file, connections):
    import aiohttp

    async def connection(session, rows):
        for row in rows:
            async with session.post(f"{url}/resources/accounts", json=payload(row)) as reply:
                reply.raise_for_status()
                await reply.read()

    number = int(connections)
    login = {"Authorization": "Basic " + base64.b64encode(b"bench:").decode()}
    with open(file, newline="") as lines:
        rows = csv.DictReader(lines)
        async with aiohttp.ClientSession(headers=login, connector=aiohttp.TCPConnector(limit=number)) as session:
            await asyncio.gather(*(connection(session, rows) for _ in range(number)))


PROJECT = "name: bench\nversion: '0.1'\nprofile: bench\n"
PROFILES = "bench:\n  type: sqlite\n  database: FOLDER/accounts.sqlite\n"
SYNC = """\
name: accounts
model: SELECT * FROM accounts
destination:
  type: rest_api
  url: URL/resources/accounts
  method: POST
  headers: { Content-Type: application/json }
  auth: { type: basic, username_env: BENCH_USER, password_env: BENCH_PASSWORD }
  body_template: '{ "externalId": {{ row.id | tojson }}, "name": {{ row.name | tojson }}, "traits": { TRAITS } }'
sync:
  mode: full
  batch_size: 1000
  rate_limit: { requests_per_second: 10000000 }
"""


def project(url, file, folder):
    folder = pathlib.Path(folder)
    with open(file, newline="") as lines:
        rows = csv.reader(lines)
        names = next(rows)
        db = sqlite3.connect(folder / "accounts.sqlite")
        types = {"seats": "INTEGER", "mrr": "REAL"}
        db.execute(f"CREATE TABLE accounts ({', '.join(name + ' ' + types.get(name, 'TEXT') for name in names)})")
        db.executemany(f"INSERT INTO accounts VALUES ({', '.join('?' * len(names))})", rows)
        db.commit()
    traits = ", ".join(f"{json.dumps(name)}: {{{{ row.{name} | tojson }}}}" for name in names if name not in ("id", "name"))
    (folder / "drt_project.yml").write_text(PROJECT)
    (folder / ".drt").mkdir()
    (folder / ".drt/profiles.yml").write_text(PROFILES.replace("FOLDER", str(folder)))
    (folder / "syncs").mkdir()
    (folder / "syncs/accounts.yml").write_text(SYNC.replace("URL", url).replace("TRAITS", traits))


if sys.argv[1] == "send":
    asyncio.run(send(*sys.argv[2:]))
else:
    project(*sys.argv[2:])
