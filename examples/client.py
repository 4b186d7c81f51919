#!/usr/bin/env python3
"""A whole client in one file: it logs in, makes a world, walks, fires, digs, casts a spell, and says what it saw of that.

    python3 examples/client.py --url http://127.0.0.1:5000

Ends with 0 if all of it happened, else says what did not. It speaks `ugc.v1.json`, and needs nothing but `websockets`, 10 or newer
(apt-get install python3-websockets, or pip install websockets). Metres and seconds; y is up.
"""

import argparse
import asyncio
import base64
import gzip
import json
import math
import sys
import urllib.error
import urllib.request

import websockets

# What a client says, and what it hears: the `type` of a message.
HANDSHAKE, INPUT_FRAME, TERRAFORM_REQUEST, CHUNK_REQUEST, DISCONNECT, SPELL_CAST_REQUEST = 1, 2, 3, 4, 6, 7
HANDSHAKE_RESPONSE, STATE_SNAPSHOT, ENTITY_SPAWN, PROJECTILE_HIT = 100, 101, 102, 104
TERRAFORM_APPLIED, CHUNK_DATA, ERROR = 106, 107, 109
SPELL_CAST_EVENT, SPELL_EFFECT, SPELL_CAST_REJECTED, SPELL_ACTIVE_UPDATE = 112, 120, 121, 122

PROJECTILE = 3  # an entity_type
SUBTRACT = 2  # an op_type
AIR = 0  # a material
CHUNK_EDGE = 32  # voxels, each of 1 m
INPUTS_PER_SECOND = 60
DEADLINE = 20  # seconds for anything that is waited for; most of it comes within one


class Failed(Exception):
    """What did not happen."""


# --- the control plane: JSON over HTTP ---


def request(method, url, body=None, player=None):
    """The answer to a request, in the name of a player who has logged in."""
    headers = {"Content-Type": "application/json"}
    if player:
        headers["Authorization"] = "Bearer " + player["session_token"]
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method), timeout=DEADLINE) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as problem:
        raise Failed(f"{method} {url}: {problem.code} {problem.read().decode(errors='replace')}")


def login(url):
    """A new player; the server thinks of a name."""
    player = request("POST", url + "/login", {})
    print(f"login      {player['username']} ({player['client_id']})")
    return player


def build(url, player):
    """A spell from its source, under a name that nobody else has: spells belong to who built them first."""
    code = next(spell["code"] for spell in request("GET", url + "/api/library") if spell["spell_id"] == "fireball")
    spell = "fireball_" + player["client_id"][-6:]
    job = request("POST", f"{url}/api/spells/{spell}/build", {"code": code}, player)
    while job.get("status") not in ("completed", "failed"):
        # Answered when the job has ended, or after so many milliseconds.
        job = request("GET", f"{url}/api/jobs/{job['job_id']}?wait_ms=5000", player=player)
    if job["status"] == "failed":
        raise Failed(f"the build: {job['error_message']}")
    print(f"build      {spell} {job['result_revision_id']}")
    return spell, job["result_revision_id"]


def publish(url, player, spell, revision):
    """From now on, casts of the spell run this revision, in all worlds."""
    request("POST", f"{url}/api/spells/{spell}/publish", {"revision_id": revision, "channel": "stable"}, player)


def join(url, player):
    """Where to connect, and the ticket. Without a world_id, a new world is made."""
    return request("POST", url + "/join", {"name": "Made by client.py"}, player)


# --- the game server: messages over a WebSocket ---


class Game:
    """A connection to a world. Whoever sets `aim`, `movement` or `fire` steers the player."""

    def __init__(self, socket):
        self.socket = socket
        self.sequence = 0
        self.tick = 0
        self.me = None  # our own entity
        self.position = None
        self.aim = [1, 0, 0]
        self.movement = [0, 0, 0]  # -1 to 1, as seen by who aims: right, up, back
        self.fire = False

    async def send(self, kind, **fields):
        await self.socket.send(json.dumps({"type": kind, **fields}))

    async def steer(self):
        """Sends the controls until the connection ends; whoever waits for a message hears of that."""
        try:
            while True:
                self.sequence += 1
                await self.send(
                    INPUT_FRAME, client_tick=self.sequence, server_tick_ack=self.tick, sequence_id=self.sequence,
                    movement=self.movement, aim_direction=self.aim, sprint=False, fire=self.fire, interact=False, jump=False,
                )
                await asyncio.sleep(1 / INPUTS_PER_SECOND)
        except websockets.ConnectionClosed:
            pass

    async def wait_for(self, what, kind, wanted=lambda message: True):
        """The next message of this type that is wanted; those before it are looked at and gone."""
        try:
            return await asyncio.wait_for(self.next(kind, wanted), DEADLINE)
        except asyncio.TimeoutError:
            raise Failed(f"waited {DEADLINE} s for {what}")
        except websockets.ConnectionClosed as closed:
            raise Failed(f"the connection ended while waiting for {what}: {closed}")

    async def next(self, kind, wanted):
        while True:
            message = json.loads(await self.socket.recv())
            self.tick = message.get("server_tick", self.tick)
            if message["type"] == STATE_SNAPSHOT:
                self.position = message["player_state"]["p"]
            if message["type"] in (ERROR, SPELL_CAST_REJECTED):
                raise Failed(f"the server refused: {message['message']}")
            if message["type"] == kind and wanted(message):
                return message


async def shake_hands(game, place):
    """Hands the ticket over; then waits until the fall from the spawn point has ended."""
    await game.send(HANDSHAKE, protocol_version=1, session_token=place["session_token"], client_id=place["client_id"], timestamp=0)
    answer = await game.wait_for("the handshake's answer", HANDSHAKE_RESPONSE)
    if not answer["success"]:
        raise Failed(f"not let in: {answer['error']}")
    game.me = answer["assigned_entity_id"]
    await game.wait_for("the ground", STATE_SNAPSHOT, lambda snapshot: snapshot["player_state"]["g"])
    print(f"join       {place['world_id']} at {place['server_address']}, as entity {game.me}")


async def walk(game, metres):
    start = game.position
    game.movement = [0, 0, -1]
    await game.wait_for(
        f"{metres} m of walking", STATE_SNAPSHOT, lambda snapshot: math.dist(snapshot["player_state"]["p"], start) >= metres
    )
    game.movement = [0, 0, 0]
    await game.wait_for("a stand", STATE_SNAPSHOT, lambda snapshot: math.hypot(*snapshot["player_state"]["v"]) < 0.1)
    print(f"walk       {math.dist(start, game.position):.1f} m, from {words(start)} to {words(game.position)}")


async def fire(game):
    """Shoots at the ground ahead, and follows the shot."""
    game.aim, game.fire = [1, -0.2, 0], True
    shot = await game.wait_for(
        "our projectile", ENTITY_SPAWN, lambda spawn: spawn["entity_type"] == PROJECTILE and spawn["properties"].get("owner") == game.me
    )
    game.fire = False
    hit = await game.wait_for("its hit", PROJECTILE_HIT, lambda hit: hit["projectile_id"] == shot["entity_id"])
    print(f"fire       projectile {shot['entity_id']} spawned, and hit {hit['hit_entity_id'] or 'the ground'} at {words(hit['hit_point'])}")


async def fetch_chunk(game, chunk_id):
    """The chunk's version, and its voxels: a byte each, the one at x, y, z within the chunk at x + 32 y + 1024 z."""
    await game.send(CHUNK_REQUEST, chunk_id=chunk_id, last_known_version=0)
    chunk = await game.wait_for(f"chunk {chunk_id}", CHUNK_DATA, lambda chunk: chunk["chunk_id"] == chunk_id)
    return chunk["version"], gzip.decompress(base64.b64decode(chunk["data"]))


async def dig(game, center, sequence):
    """Takes a sphere out of the ground, and looks whether it is gone."""
    chunk_id = [math.floor(axis / CHUNK_EDGE) for axis in center]
    x, y, z = (math.floor(axis) % CHUNK_EDGE for axis in center)
    middle = x + CHUNK_EDGE * y + CHUNK_EDGE * CHUNK_EDGE * z
    _, before = await fetch_chunk(game, chunk_id)
    await game.send(TERRAFORM_REQUEST, op_type=SUBTRACT, center=center, radius=2, material_id=0, client_sequence_id=sequence)
    applied = await game.wait_for("our hole", TERRAFORM_APPLIED, lambda applied: applied["client_sequence_id"] == sequence)
    version, after = await fetch_chunk(game, chunk_id)
    if {"chunk_id": chunk_id, "new_version": version} not in applied["affected_chunks"]:
        raise Failed(f"chunk {chunk_id} has version {version}, and the server said {applied['affected_chunks']}")
    if before[middle] == AIR or after[middle] != AIR:
        raise Failed(f"the voxel in the middle of the hole was {before[middle]} and is {after[middle]}")
    changed = sum(old != new for old, new in zip(before, after))
    print(f"terraform  {sequence} applied at {words(center)}: {changed} voxels of chunk {chunk_id} changed, version {version}")


async def cast(game, spell, revision, target):
    """Casts as soon as the world runs the revision, and waits for the cast and for the spell's first cue."""

    def ours(message):
        return (message["spell_id"], message["revision_id"], message["caster_entity_id"]) == (spell, revision, game.me)

    await game.wait_for(f"{spell} to be live", SPELL_ACTIVE_UPDATE, lambda m: (m["spell_id"], m["revision_id"]) == (spell, revision))
    await game.send(SPELL_CAST_REQUEST, spell_id=spell, revision_id="", target_position=target, target_entity_id=0, extra_params={})
    begun = await game.wait_for("our cast", SPELL_CAST_EVENT, ours)
    cue = await game.wait_for("its first cue", SPELL_EFFECT, ours)
    print(f"cast       {spell} in tick {begun['server_tick']}, seen as {cue['name']} at {words(cue['position'])}")


def words(position):
    return " ".join(f"{axis:.1f}" for axis in position)


async def story(url):
    player = login(url)
    spell, revision = build(url, player)
    place = join(url, player)
    async with websockets.connect(place["server_address"], subprotocols=["ugc.v1.json"]) as socket:
        game = Game(socket)
        await shake_hands(game, place)
        steering = asyncio.create_task(game.steer())
        await walk(game, metres=6)
        await fire(game)
        x, _, z = game.position
        hole = [x + 6, 0.5, z]
        await dig(game, hole, sequence=1)
        await asyncio.to_thread(publish, url, player, spell, revision)
        await cast(game, spell, revision, target=hole)
        steering.cancel()
        await game.send(DISCONNECT)
    print("all of it happened")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:5000", help="the control plane")
    try:
        asyncio.run(story(parser.parse_args().url))
    except (Failed, OSError, websockets.WebSocketException) as error:
        sys.exit(f"failed: {error}")


if __name__ == "__main__":
    main()
