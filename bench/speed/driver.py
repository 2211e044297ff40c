"""Drives a service with wrk: a number of requests on some connections, and what they took as the client saw it."""

import asyncio
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# All requests are sent and answered before it ends: no work is left half done, or half counted.
SCRIPT = """
-- Globals, so that `thread:get` finds them.
bodies, number, promised, answered, bad, example = {}, 0, 0, 0, 0, ""
local threads = {}
local total, unique = @TOTAL@, "@UNIQUE@"

local ffi = require("ffi")
ffi.cdef("int getpid(void); int kill(int process, int signal);")

function setup(thread) table.insert(threads, thread) end

function init(args)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
  for line in io.lines("@BODIES@") do table.insert(bodies, line) end
end

-- Asked before each request, and so the place to count them: `request` is called once more, to see what it makes.
function delay()
  if promised == total then return 3600000 end
  promised = promised + 1
  return 0
end

function request()
  local body = bodies[number % #bodies + 1]
  number = number + 1
  if unique ~= "" then body = body:gsub("@NUMBER@", unique .. number) end
  return wrk.format(nil, nil, nil, body)
end

function response(status, headers, body)
  answered = answered + 1
  if status ~= 200 or body:find('"errors":', 1, true) or body:find('"userErrors":[{', 1, true) then
    bad = bad + 1
    example = status .. " " .. body:sub(1, 500)
  end
  if answered == total then
    -- The thread ends, and with it wrk, which would otherwise sleep on.
    wrk.thread:stop()
    ffi.C.kill(ffi.C.getpid(), 2)
  end
end

function done(summary, latency, requests)
  local errors = summary.errors
  local thread = threads[1]
  io.stderr:write(string.format(
    "@RESULT@ %d %d %d %d %d %d %s\\n", thread:get("answered"), summary.duration, latency:percentile(50),
    latency:percentile(99), thread:get("bad"), errors.connect + errors.read + errors.write + errors.timeout,
    thread:get("example")
  ))
end
"""
LONGEST_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Driven:
    """What one run of wrk saw: how many answers, in how many seconds, and the latencies in milliseconds."""

    answered: int
    seconds: float
    median: float
    ninety_ninth: float


class Failed(Exception):
    """An answer was an error, or none came."""


def installed() -> bool:
    return shutil.which("wrk") is not None


async def drive(url: str, bodies: Sequence[bytes], count: int, connections: int, directory: Path) -> Driven:
    """Sends `count` requests, whose bodies come in turn, and waits for all answers. Raises Failed."""
    unique = f"{time.time_ns():x}-" if any(b"@NUMBER@" in body for body in bodies) else ""
    lines = directory / "bodies"
    lines.write_bytes(b"\n".join(bodies) + b"\n")
    script = directory / "drive.lua"
    script.write_text(SCRIPT.replace("@TOTAL@", str(count)).replace("@UNIQUE@", unique).replace("@BODIES@", str(lines)))
    command = await asyncio.create_subprocess_exec(
        *(
            "wrk",
            "-t",
            "1",
            "-c",
            str(min(connections, count)),
            "-d",
            str(LONGEST_SECONDS),
            "--timeout",
            f"{LONGEST_SECONDS}s",
        ),
        *("-s", str(script), url),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, complaints = await command.communicate()
    found = complaints.decode(errors="replace").rpartition("@RESULT@ ")[2].split(" ", 6)
    try:
        answered, duration, median, ninety_ninth, bad, lost = map(int, found[:6])
    except ValueError:
        raise Failed(f"wrk said: {output.decode()}\n{complaints.decode(errors='replace')}") from None
    # Where all was answered nothing was lost but connections that waited for the last answer, which the server closes.
    if bad or answered < count:
        raise Failed(f"{bad} errors, {lost} lost, {answered} of {count} answered; such as {found[-1]}")
    return Driven(answered, duration / 1e6, median / 1e3, ninety_ninth / 1e3)
