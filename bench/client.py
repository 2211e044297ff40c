"""A client that costs little itself: one connection that stays open, requests one after another."""

import http.client
import re
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

# total;dur=4.2, statements;desc="3";dur=1.1
TIMING = re.compile(r'statements;desc="(\d+)";dur=([\d.]+)')

# uvicorn closes a connection on which nothing has come for five seconds.
KEPT_SECONDS = 3


class Answer(NamedTuple):
    """The data of one response, and what it cost."""

    data: dict[str, Any]
    # From before the request is sent until its last byte has come.
    milliseconds: float
    # What the service says in the header Server-Timing; nothing for the yardstick, which has no such header.
    statements: int
    database_milliseconds: float


class Client:
    def __init__(self, port: int) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.last_used = 0.0

    def query(self, document: str, **variables: Any) -> Answer:
        """The answer to a query. Any error in it ends the run."""
        body = orjson.dumps({"query": document, "variables": variables})
        return self.send("POST", "/graphql", body)

    def mutate(self, name: str, selection: str, values: Mapping[str, Any]) -> Answer:
        """The answer to one mutation, which must be kept."""
        kind = name[0].upper() + name[1:]
        document = (
            f"mutation ($input: {kind}Input!) {{ {name}(input: $input) {{ {selection} userErrors {{ message }} }} }}"
        )
        answer = self.query(document, input=values)
        assert not answer.data[name]["userErrors"], answer.data
        return answer

    def send(self, method: str, path: str, body: bytes | None = None) -> Answer:
        if time.monotonic() - self.last_used > KEPT_SECONDS:
            self.connection.close()
            self.connection.connect()
        started = time.perf_counter()
        self.connection.request(method, path, body, {"Content-Type": "application/json"})
        response = self.connection.getresponse()
        content = response.read()
        seconds = time.perf_counter() - started
        self.last_used = time.monotonic()
        answer = orjson.loads(content)
        assert response.status == 200, answer
        assert "errors" not in answer, answer
        told = TIMING.search(response.headers.get("Server-Timing", ""))
        statements, inside = (int(told[1]), float(told[2])) if told else (0, 0.0)
        return Answer(answer["data"], seconds * 1000, statements, inside)

    def close(self) -> None:
        self.connection.close()
