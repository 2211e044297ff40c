"""Grove and the yardstick must say the same before their speed is compared."""

import time
from typing import Any

import asyncpg
import httpx
import orjson

from bench.speed.workloads import DESCENDANTS, Middle, Workload, grove_content, without_new
from service.ids import Kind, encode
from tests.support.service import Service

COMPARED = 4
CURSORS = DESCENDANTS.replace(
    "nodes { id group { name } depth }", "edges { cursor node { id } } pageInfo { endCursor }"
)
EVERY = 100

PATHS = """
    -- The positions from below the top down to each node, each with a blank behind it.
    SELECT string_agg(node.position || ' ', '' ORDER BY up.distance DESC)
    FROM unnest($2::bigint[]) WITH ORDINALITY AS wanted(id, place)
    JOIN closure AS up ON up.descendant_id = wanted.id
    JOIN node ON node.id = up.ancestor_id
    JOIN closure AS top ON top.ancestor_id = $1 AND top.descendant_id = up.ancestor_id AND top.distance > 0
    GROUP BY wanted.place ORDER BY wanted.place
"""


class Different(Exception):
    """Grove and the yardstick do not answer the same."""


async def compare(http: httpx.AsyncClient, grove: str, bare: str, workload: Workload) -> None:
    """Asks both a few times each; a write is done by both, one after the other. Raises Different."""
    bodies, bare_bodies = workload.bodies(), workload.bare_bodies()
    for place in range(min(len(bodies), COMPARED)):
        body, bare_body = (
            text.replace(b"@NUMBER@", f"{time.time_ns():x}".encode()) for text in (bodies[place], bare_bodies[place])
        )
        ours = grove_content(await _post(http, f"{grove}/graphql", body), workload.writes)
        theirs = orjson.loads(await _post(http, f"{bare}/{workload.name}", bare_body))
        if workload.name == "W7a":
            ours, theirs = without_new(ours), without_new(theirs)
        if ours != theirs:
            raise Different(f"{workload.name}: {_difference(ours, theirs)}")


async def _post(http: httpx.AsyncClient, url: str, body: bytes) -> bytes:
    response = await http.post(url, content=body, headers={"Content-Type": "application/json"})
    if response.status_code != 200:
        raise Different(f"{url}: {response.status_code} {response.text[:500]}")
    return response.content


def _difference(ours: Any, theirs: Any) -> str:
    """Where they differ first."""
    if isinstance(ours, dict) and isinstance(theirs, dict) and ours.keys() == theirs.keys():
        return next(f"{name}: {_difference(ours[name], theirs[name])}" for name in ours if ours[name] != theirs[name])
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        pairs = zip(ours, theirs, strict=True)
        return next(f"{place}: {_difference(*pair)}" for place, pair in enumerate(pairs) if pair[0] != pair[1])
    return f"Grove says {str(ours)[:300]}, the yardstick {str(theirs)[:300]}"


async def middle(http: httpx.AsyncClient, grove: Service, url: str, top: int) -> Middle:
    """Some places in the last page of the first half of all below a node."""
    after, half = None, 1
    found: list[tuple[str, int, int]] = []
    while not found or found[0][2] < half:
        variables = {"id": encode(Kind.NODE, top), "after": after}
        body = orjson.dumps({"query": CURSORS, "variables": variables})
        page = grove_content(await _post(http, f"{grove.base_url}/graphql", body), False)["descendants"]
        half, after = page["totalCount"] // 2, page["pageInfo"]["endCursor"]
        passed = (found[0][2] if found else 0) + len(page["edges"])
        found = [(edge["cursor"], edge["node"]["id"], passed) for edge in page["edges"]]
    chosen = found[::EVERY]
    connection = await asyncpg.connect(url)
    try:
        paths = [row[0] for row in await connection.fetch(PATHS, top, [node for _, node, _ in chosen])]
    finally:
        await connection.close()
    return Middle([cursor for cursor, _, _ in chosen], paths)
