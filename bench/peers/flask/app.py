"""What `POST /login` and `POST /join` do in the least of a Flask application: the same tables, the same durability, the same signature."""

import base64
import fcntl
import hashlib
import json
import os
import secrets
import sqlite3
import threading
import time

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from flask import Flask, abort, jsonify, request

SCHEMA = """
CREATE TABLE IF NOT EXISTS player (client_id TEXT PRIMARY KEY, username TEXT UNIQUE, account_key_hash BLOB UNIQUE, created_at INTEGER);
CREATE TABLE IF NOT EXISTS session (token_hash BLOB PRIMARY KEY, client_id TEXT, expires_at INTEGER);
CREATE TABLE IF NOT EXISTS world (world_id TEXT PRIMARY KEY, updated_at INTEGER);
INSERT OR IGNORE INTO world VALUES ('world', 0);
"""

app = Flask(__name__)
key = Ed25519PrivateKey.from_private_bytes(bytes(32))
local = threading.local()


def database():
    if not hasattr(local, "database"):
        local.database = sqlite3.connect(os.environ["DATABASE"], timeout=30, isolation_level=None)
        local.database.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;")
    return local.database


def digest(token):
    return hashlib.sha256(token.encode()).digest()


def create():
    # One worker after the other: none waits while another turns the log on.
    with open(os.environ["DATABASE"] + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        database().executescript(SCHEMA)


@app.post("/login")
def login():
    wish = request.get_json()
    client, token, account = f"client_{secrets.token_hex(6)}", secrets.token_hex(32), secrets.token_hex(32)
    username = wish.get("username") or f"player-{secrets.token_hex(3)}"
    now, rows = time.time_ns() // 1_000_000, database()
    rows.execute("BEGIN IMMEDIATE")
    while rows.execute("SELECT 1 FROM player WHERE username = ?", (username,)).fetchone():
        username = f"player-{secrets.token_hex(3)}"
    rows.execute("INSERT INTO player VALUES (?, ?, ?, ?)", (client, username, digest(account), now))
    rows.execute("INSERT INTO session VALUES (?, ?, ?)", (digest(token), client, now + 4 * 3_600_000))
    rows.execute("COMMIT")
    return jsonify(session_token=token, client_id=client, username=username, account_key=account)


@app.post("/join")
def join():
    wish, rows = request.get_json(), database()
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    now = time.time_ns() // 1_000_000
    player = rows.execute("SELECT client_id FROM session WHERE token_hash = ? AND expires_at > ?", (digest(token), now)).fetchone()
    if not player:
        abort(401)
    if not rows.execute("UPDATE world SET updated_at = ? WHERE world_id = ?", (now, wish["world_id"])).rowcount:
        abort(404)
    claims = json.dumps({"sub": player[0], "world": wish["world_id"], "exp": now + 30_000, "jti": secrets.token_hex(16)}).encode()
    ticket = base64.urlsafe_b64encode(claims + key.sign(claims)).decode()
    return jsonify(server_address="ws://127.0.0.1:7777", session_token=ticket, client_id=player[0], world_id=wish["world_id"])


create()
