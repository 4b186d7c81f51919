"""Speaks with a game server by Python's `websockets`. Arguments: its address, a join ticket, the client id, and seconds to say nothing."""

import asyncio
import json
import sys

import websockets

ADDRESS, TICKET, CLIENT, IDLE = sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4])
HANDSHAKE = {"type": 1, "protocol_version": 1, "session_token": TICKET, "client_id": CLIENT, "timestamp": 0}
# Far above what anything here takes on a busy machine.
DEADLINE = 20


async def wait_for(socket, number):
    """The next message of this type; others are passed over."""

    async def search():
        async for text in socket:
            message = json.loads(text)
            if message["type"] == number:
                return message
        raise AssertionError(f"closed before a message of type {number}: {socket.close_code} {socket.close_reason}")

    return await asyncio.wait_for(search(), DEADLINE)


def connect(**options):
    # The server's pings are what is tried here; our own are sent by hand.
    return websockets.connect(ADDRESS, subprotocols=["ugc.v1.json"], ping_interval=None, **options)


async def plays():
    # Compression is offered, as the package does by itself, and declined.
    async with connect(compression="deflate") as socket:
        assert socket.subprotocol == "ugc.v1.json", socket.subprotocol
        # Newer versions of the package keep them in another place.
        extensions = socket.extensions if hasattr(socket, "extensions") else socket.protocol.extensions
        assert not extensions, extensions
        text = json.dumps(HANDSHAKE)
        # An iterable goes out in fragments.
        await socket.send([text[:10], text[10:50], text[50:]])
        assert (await wait_for(socket, 100))["success"]
        assert (await wait_for(socket, 101))["entities"]
        await asyncio.wait_for(await socket.ping(b"x" * 125), DEADLINE)
        await socket.send(json.dumps({"type": 5, "client_time": 7, "name": "κόσμε 𐍈"}))
        assert (await wait_for(socket, 108))["client_time"] == 7
        await socket.send(b"bytes")
        assert (await wait_for(socket, 109))["message"] == "ugc.v1.json has text frames only"
        # Whoever says nothing but answers pings stays, and that is the package's own affair.
        first = (await wait_for(socket, 101))["server_tick"]
        while (await wait_for(socket, 101))["server_tick"] < first + 60 * IDLE:
            pass
        await socket.close(4001, "good night")
        assert (socket.close_code, socket.close_reason) == (4001, "good night"), (socket.close_code, socket.close_reason)


async def is_closed_for_what_is_too_long():
    async with connect() as socket:
        await socket.send(" " * 70_000)
        try:
            await asyncio.wait_for(socket.recv(), DEADLINE)
        except websockets.ConnectionClosed:
            pass
        assert (socket.close_code, socket.close_reason) == (1009, "message too long"), (socket.close_code, socket.close_reason)


async def is_refused_as_another_page():
    async with connect(origin="http://127.0.0.1:5000"):
        pass
    try:
        async with connect(origin="https://evil.example"):
            raise AssertionError("any page may connect")
    except websockets.InvalidHandshake as refusal:
        assert "403" in str(refusal), refusal


async def everything():
    await is_refused_as_another_page()
    await is_closed_for_what_is_too_long()
    await plays()


asyncio.run(everything())
print("all is well")
