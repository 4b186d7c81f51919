#!/usr/bin/env python3
"""Reads `ugc.v2.bin` without any of our code: written from docs/protocol.md, with Python 3.9 and its standard library.

    python3 examples/decode_v2.py [vectors.json]

decodes every message and snapshot of docs/protocol/v2_vectors.json to its last byte, compares what it says, and ends with 1 if anything differs.
`ServerStream` is what a client needs; `decode_client` is what a server would.
"""
import json
import math
import re
import struct
import sys
from collections import Counter, deque
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ZEROS = (ROOT / "host/protocol/src/v2/zeros.bin").read_bytes()
VECTORS = ROOT / "docs/protocol/v2_vectors.json"


class Bad(Exception):
    """The bytes are no message."""


def require(condition, reason):
    if not condition:
        raise Bad(reason)


# -- Postcard ---------------------------------------------------------------------------------------------------------------------------------------------


class Bytes:
    """Bytes from the first to the last."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        require(self.at + count <= len(self.data), "cut short")
        self.at += count
        return self.data[self.at - count : self.at]

    def is_over(self):
        return self.at == len(self.data)

    def end(self):
        require(self.is_over(), "bytes follow")

    def byte(self):
        return self.take(1)[0]

    def varint(self, bits):
        number = 0
        for shift in range(0, bits, 7):
            byte = self.byte()
            number |= (byte & 0x7F) << shift
            if byte < 0x80:
                require(number < 1 << bits, "a number is out of range")
                return number
        raise Bad("a number is too long")

    def u16(self):
        return self.varint(16)

    def u32(self):
        return self.varint(32)

    def u64(self):
        return self.varint(64)

    def i32(self):
        return unzigzag(self.u32())

    def bool(self):
        byte = self.byte()
        require(byte <= 1, "neither false nor true")
        return byte == 1

    def f32(self):
        return struct.unpack("<f", self.take(4))[0]

    def f64(self):
        return struct.unpack("<d", self.take(8))[0]

    def blob(self):
        return self.take(self.u32())

    def text(self):
        try:
            return self.blob().decode("utf-8")
        except UnicodeDecodeError as error:
            raise Bad("not UTF-8") from error

    def vector(self):
        return [self.f32() for _ in range(3)]

    def chunk_id(self):
        return [self.i32() for _ in range(3)]


def unzigzag(number):
    return number >> 1 ^ -(number & 1)


def json_object(text):
    try:
        value = json.loads(text)
    except ValueError as error:
        raise Bad("not JSON") from error
    require(isinstance(value, dict), "not a JSON object")
    return value


# -- What clients say -------------------------------------------------------------------------------------------------------------------------------------

SPELL_ID = re.compile(r"[a-z][a-z0-9_]{1,63}")
HIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
REVISION_ID = re.compile(r"rev_[0-9]{6}_[0-9a-f]{8}")


def decode_client(data):
    """A client's message, named as in v1; a list of them for inputs."""
    read = Bytes(data)
    index = read.u32()
    if index == 0:
        message = {"type": 1, "protocol_version": read.u32(), "session_token": read.text(), "client_id": read.text(), "timestamp": finite(read.f64())}
        require(1 <= len(message["session_token"].encode()) <= 2048 and len(message["client_id"].encode()) <= 64, "a string is too long, or empty")
    elif index == 1:
        message = inputs(read)
    elif index == 2:
        message = {"type": 3, "op_type": read.byte(), "center": place(read), "radius": read.f32(), "material_id": read.byte(), "client_sequence_id": read.u32()}
        require(1 <= message["op_type"] <= 3 and 0 < message["radius"] <= 16, "out of range")
    elif index == 3:
        message = {"type": 4, "chunk_id": read.chunk_id(), "last_known_version": read.u64()}
        require(all(abs(n) <= 31_250 for n in message["chunk_id"]), "too far away")
    elif index == 4:
        message = {"type": 5, "client_time": finite(read.f64())}
    elif index == 5:
        message = {"type": 6}
    elif index == 6:
        message = {
            "type": 7,
            "spell_id": read.text(),
            "revision_id": read.text(),
            "target_position": place(read),
            "target_entity_id": read.u64(),
            "extra_params": json_object(read.text()),
        }
        require(SPELL_ID.fullmatch(message["spell_id"]), "no spell id")
        require(message["revision_id"] == "" or REVISION_ID.fullmatch(message["revision_id"]), "no revision id")
    elif index == 7:
        message = {"credits": read.u32()}
        require(1 <= message["credits"] <= 32, "out of range")
    elif index == 8:
        message = {"type": 8, "text": read.text()}
        require(1 <= len(message["text"].encode()) <= 256 and message["text"].strip() and not HIDDEN.search(message["text"]), "no line of text")
    else:
        raise Bad("no such message")
    read.end()
    return message


def finite(number):
    require(math.isfinite(number), "not a finite number")
    return number


def place(read):
    vector = read.vector()
    require(all(abs(n) <= 1_000_000 for n in vector), "too far away")
    return vector


def inputs(read):
    ack, tick, sequence, controls = read.u64(), read.u64(), read.u32(), read.blob()
    require(len(controls) % 8 == 0 and 1 <= len(controls) // 8 <= 4, "1 to 4 inputs of 8 bytes")
    frames = []
    for age in reversed(range(len(controls) // 8)):
        require(sequence >= age and tick >= age, "there were not so many before")
        x, y, z, u, v, buttons = struct.unpack_from("<bbbHHB", controls, 8 * len(frames))
        require(-128 not in (x, y, z) and buttons < 16, "out of range")
        frame = {"type": 2, "client_tick": tick - age, "server_tick_ack": ack, "sequence_id": sequence - age}
        frame.update(movement=[single(axis / 127) for axis in (x, y, z)], aim_direction=aim(u, v))
        frame.update(sprint=buttons & 1 != 0, fire=buttons & 2 != 0, interact=buttons & 4 != 0, jump=buttons & 8 != 0)
        frames.append(frame)
    return frames


def single(number):
    """Rounded to a float of 32 bits, as each step of a calculation in them is."""
    return struct.unpack("<f", struct.pack("<f", number))[0]


def aim(u, v):
    """A direction from a point of an octahedron's unfolded surface."""
    x, y = (single((n - 32_767) / 32_767) for n in (u, v))
    z = single(single(1 - abs(x)) - abs(y))
    if z < 0:
        x, y = math.copysign(single(1 - abs(y)), x), math.copysign(single(1 - abs(x)), y)
    squares = single(single(single(x * x) + single(y * y)) + single(z * z))
    length = single(math.sqrt(squares))
    return [single(axis / length) for axis in (x, y, z)]


# -- What servers say -------------------------------------------------------------------------------------------------------------------------------------


def properties(read):
    name, owner, health_max = read.text(), read.u64(), read.u32()
    return {key: value for key, value in (("hm", health_max), ("name", name), ("owner", owner)) if value}


def chunks(read):
    return [{"chunk_id": read.chunk_id(), "new_version": read.u64(), "hash": read.u64()} for _ in range(read.u32())]


def statuses(read):
    return [{"kind": STATUS(read), "strength": read.f32(), "until": read.u64()} for _ in range(few(read))]


def hooks(read):
    return [{"hook": HOOK(read), "calls": read.u32(), "fuel": read.u64(), "fuel_max": read.u64()} for _ in range(few(read))]


def few(read):
    count = read.u32()
    require(count <= 8, "too many in a list")
    return count


def one_of(*names):
    def choice(read):
        index = read.u32()
        require(index < len(names), "no such choice")
        return names[index]

    return choice


def error_code(read):
    code = read.u16()
    require(code in (400, 401, 403, 409, 413, 429, 501, 503), "no error code")
    return code


def option(read):
    return read.text() if read.bool() else None


STATUS = one_of("slow", "root", "shield", "burn")
HOOK = one_of("init", "on-cast", "on-tick", "on-event", "on-cancel", "save", "restore")
TEXT, U64, U32, BYTE, FLAG = Bytes.text, Bytes.u64, Bytes.u32, Bytes.byte, Bytes.bool
SINGLE, DOUBLE, VECTOR, CHUNK = Bytes.f32, Bytes.f64, Bytes.vector, Bytes.chunk_id
TICK = ("server_tick", U64)
CAST = (TICK, ("spell_id", TEXT), ("revision_id", TEXT), ("caster_entity_id", U64))

# By index: the number in v1, and the fields in their order.
SERVER = [
    (100, [("success", FLAG), TICK, ("assigned_entity_id", U64), ("world_id", TEXT), ("error", TEXT)]),
    (102, [TICK, ("entity_id", U64), ("entity_type", BYTE), ("position", VECTOR), ("rotation", VECTOR), ("properties", properties)]),
    (103, [TICK, ("entity_id", U64), ("reason", TEXT)]),
    (104, [TICK, ("projectile_id", U64), ("hit_entity_id", U64), ("hit_point", VECTOR), ("hit_normal", VECTOR), ("damage", SINGLE)]),
    (
        105,
        [
            TICK,
            ("npc_id", U64),
            ("event_type", one_of("spotted", "lost", "suspicion_changed")),
            ("target_entity_id", U64),
            ("detection_state", BYTE),
            ("suspicion_level", SINGLE),
        ],
    ),
    (
        106,
        [
            TICK,
            ("op_type", BYTE),
            ("center", VECTOR),
            ("radius", SINGLE),
            ("material_id", BYTE),
            ("affected_chunks", chunks),
            ("client_sequence_id", U32),
        ],
    ),
    (107, [("chunk_id", CHUNK), ("version", U64), ("data", TEXT), ("compressed", FLAG)]),
    (108, [("client_time", DOUBLE), ("server_time", DOUBLE), TICK]),
    (109, [("error_code", error_code), ("message", TEXT)]),
    (110, [("entity_id", U64), ("username", TEXT)]),
    (111, [("entity_id", U64), ("username", TEXT)]),
    (112, [*CAST, ("target_position", VECTOR), ("seed", U64), ("extra_params", lambda read: json_object(read.text()))]),
    (120, [*CAST, ("name", TEXT), ("position", VECTOR), ("scale", SINGLE)]),
    (123, [*CAST, ("text", TEXT), ("aloud", FLAG)]),
    (121, [*CAST, ("limit", TEXT), ("allowed", DOUBLE), ("asked", DOUBLE), ("hook", TEXT), ("message", TEXT)]),
    (122, [("spell_id", TEXT), ("channel", one_of("draft", "beta", "stable")), ("revision_id", option)]),
    (
        124,
        [TICK, ("seq", U32), ("digest", U32), ("mana", SINGLE), ("mana_max", U32), ("mana_per_second", U32), ("statuses", statuses)],
    ),
    (125, [TICK, ("entity_id", U64), ("text", TEXT)]),
    (126, [*CAST, ("began_tick", U64), ("reason", TEXT), ("mana", SINGLE), ("memory_bytes", U32), ("hooks", hooks)]),
]


def decode_message(data):
    """A server's message, named as in v1."""
    read = Bytes(data)
    index = read.u32()
    require(index < len(SERVER), "no such message")
    number, fields = SERVER[index]
    message = {"type": number}
    for name, field in fields:
        message[name] = field(read)
    read.end()
    return message


# -- Chunks -----------------------------------------------------------------------------------------------------------------------------------------------

CHUNK_VOXELS = 32 * 32 * 32
CHUNK_BYTES_MAX = 6 + 256 + CHUNK_VOXELS


def decode_chunk(data):
    """A chunk with its voxels' materials: (x, y, z) at x + 32 y + 1024 z."""
    read = Bytes(data)
    chunk = {"chunk_id": read.chunk_id(), "hash": read.u64()}
    length, block = read.u32(), read.blob()
    read.end()
    require(length <= CHUNK_BYTES_MAX, "longer than a chunk can be")
    content = Bytes(lz4_block(block, length))
    require(content.byte() == 1, "another format")
    chunk["version"] = int.from_bytes(content.take(4), "little")
    palette = content.take(content.byte() + 1)
    bits = next(bits for most, bits in ((1, 0), (2, 1), (4, 2), (16, 4), (256, 8)) if len(palette) <= most)
    indices = content.take(CHUNK_VOXELS * bits // 8)
    content.end()
    if bits == 0:
        chunk["voxels"] = palette * CHUNK_VOXELS
        return chunk
    each, voxels = (1 << bits) - 1, bytearray()
    for byte in indices:
        for shift in range(0, 8, bits):
            index = byte >> shift & each
            require(index < len(palette), "no such material")
            voxels.append(palette[index])
    chunk["voxels"] = bytes(voxels)
    return chunk


def lz4_block(block, length):
    """An LZ4 block (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md) that holds so many bytes."""
    read, out = Bytes(block), bytearray()

    def more(nibble):
        while nibble >= 15:
            byte = read.byte()
            nibble += byte
            if byte < 255:
                break
        return nibble

    while True:
        token = read.byte()
        out += read.take(more(token >> 4))
        if read.at == len(block):
            break
        distance = int.from_bytes(read.take(2), "little")
        require(0 < distance <= len(out), "a copy from before the beginning")
        for _ in range(4 + more(token & 15)):
            out.append(out[-distance])
            require(len(out) <= length, "more than was said")
    require(len(out) == length, "not as much as was said")
    return out


# -- The range coder --------------------------------------------------------------------------------------------------------------------------------------


class Bits:
    """Bits from bytes; behind their end come zeros."""

    def __init__(self, data):
        self.data, self.at = data, 4
        self.code, self.range = int.from_bytes(data[:4].ljust(4, b"\0"), "big"), 0xFFFF_FFFF

    def narrow(self, zeros):
        one = self.code >= zeros
        if one:
            self.code -= zeros
            self.range -= zeros
        else:
            self.range = zeros
        while self.range < 1 << 24:
            byte = self.data[self.at] if self.at < len(self.data) else 0
            self.at += 1
            self.range <<= 8
            self.code = (self.code << 8 | byte) & 0xFFFF_FFFF
        return int(one)

    def bit(self, context):
        return self.narrow((self.range >> 9) * max(2 * ZEROS[context], 1))

    def even(self):
        return self.narrow(self.range >> 1)

    def number(self, context):
        if not self.bit(context):
            return 0
        negative = self.even()
        length = 0
        while length < 29 and (self.bit(context + 1 + length) if length < 12 else self.even()):
            length += 1
        magnitude = 1
        for index in range(length):
            first = index == 0 and length <= 12
            magnitude = magnitude << 1 | (self.bit(context + 12 + length) if first else self.even())
        return -magnitude if negative else magnitude

    def two(self):
        high = self.bit(LARGEST)
        return high << 1 | self.bit(LARGEST + 1 + high)


NUMBER = 25
SAME, GONE, CHANGED = 0, 1, 2
MOVED = CHANGED + 4 * 3 * 4
TURNED = MOVED + 4 * 3
OTHER_LARGEST = TURNED + 4 * 3
LARGEST = OTHER_LARGEST + 4
HURT = LARGEST + 3
HEALTH = HURT + 4
POSITION = HEALTH + 4 * NUMBER
ROTATION = POSITION + 4 * 2 * 10 * 4 * NUMBER
FRESH = ROTATION + 4 * 10 * 5 * NUMBER
assert len(ZEROS) == FRESH + 2 * NUMBER


def bucket(magnitude):
    return min(magnitude.bit_length(), 9)


def off(magnitude):
    return 0 if magnitude == 0 else 1 if magnitude <= 2 else 2 if magnitude <= 6 else 3


# -- Rotations in whole numbers ---------------------------------------------------------------------------------------------------------------------------

ONE = 1 << 15
UNITS = 361
FAR = 1 << 23


def nearest(numerator, denominator):
    """The whole number nearest to a quotient, halves away from 0."""
    magnitude = (2 * abs(numerator) + denominator) // (2 * denominator)
    return -magnitude if numerator < 0 else magnitude


def quaternion(largest, others):
    parts = [nearest(other * ONE, UNITS) for other in others]
    parts.insert(largest, math.isqrt(max(ONE * ONE - sum(part * part for part in parts), 0)))
    return parts


def three(turn, largest):
    sign = -1 if turn[largest] < 0 else 1
    return [nearest(sign * turn[index] * UNITS, ONE) for index in range(4) if index != largest]


def largest_of(turn):
    return max(range(4), key=lambda index: (abs(turn[index]), index))


def after(a, b):
    (ax, ay, az, aw), (bx, by, bz, bw) = a, b
    product = (
        aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx,
        aw * bz + ax * by - ay * bx + az * bw,
        aw * bw - ax * bx - ay * by - az * bz,
    )
    return [nearest(component, ONE) for component in product]


def inverse(turn):
    return [-turn[0], -turn[1], -turn[2], turn[3]]


def cross(a, b):
    return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]


def turned(turn, vector):
    once = cross(turn[:3], vector)
    twice = cross(turn[:3], once)
    return [vector[axis] + nearest(2 * turn[3] * once[axis] + 2 * twice[axis], ONE * ONE) for axis in range(3)]


def minus(a, b):
    return [m - n for m, n in zip(a, b)]


def plus(a, b):
    return [m + n for m, n in zip(a, b)]


def length(vector):
    return math.isqrt(sum(axis * axis for axis in vector))


def clamp(number, most):
    return max(-most, min(most, number))


# -- Groups -----------------------------------------------------------------------------------------------------------------------------------------------

# An entity is (id, kind, position, (largest, others), health).


class Group:
    """One group's decoding. `seen` counts the ways that were taken."""

    def __init__(self, data, base, age, before, span, seen):
        self.bits, self.base, self.seen = Bits(data), base, seen
        self.before = {entity[0]: entity for entity in before}
        self.age, self.span = (max(1, min(ticks, 1 << 16)) for ticks in (age, span))
        self.carrier = None

    def decode(self):
        bits, states, latest = self.bits, [], 0
        other_members = bits.bit(SAME)
        for old in self.base:
            if other_members and bits.bit(GONE):
                self.seen["gone"] += 1
                continue
            earlier = self.before.get(old[0])
            activity = 0 if earlier is None else 1 if earlier == old else 2
            changed = bits.bit(CHANGED + (class_of(old[1]) * 3 + activity) * 4 + latest)
            latest = (latest << 1 | changed) & 3
            state = old
            if changed:
                earlier = earlier or old
                guess = self.guess(old, earlier)
                state = self.change(old, activity, *guess)
                if self.carrier is None:
                    turns = [quaternion(*entity[3]) for entity in (state, old, earlier)]
                    self.carrier = {
                        "place": state[2],
                        "old_place": old[2],
                        "turn": after(turns[0], inverse(turns[1])),
                        "old_move": minus(old[2], earlier[2]),
                        "old_turn": after(turns[1], inverse(turns[2])),
                    }
            else:
                self.seen["unchanged"] += 1
            states.append(state)
        if other_members:
            self.arrivals(states)
        return states

    def guess(self, old, earlier):
        """Class, place, pose, and the buckets of speed and spin."""
        age, span, kind = self.age, self.span, class_of(old[1])
        moved, pose, earlier_pose = minus(old[2], earlier[2]), quaternion(*old[3]), quaternion(*earlier[3])
        carrier = self.carrier
        if carrier and kind == 2:
            beside = minus(old[2], carrier["old_place"])
            beside_before = plus(minus(beside, moved), carrier["old_move"])
            drift = minus(beside, turned(carrier["old_turn"], beside_before))
            if length(beside) < 1536 and moved != [0, 0, 0] and 5 * length(drift) <= 4 * length(moved) + 2:
                self.seen["carried"] += 1
                own_turn = after(inverse(carrier["old_turn"]), after(pose, inverse(earlier_pose)))
                place = plus(carrier["place"], turned(carrier["turn"], beside))
                return 3, place, after(carrier["turn"], pose), bucket(length(drift) * age // span), bucket(spin(own_turn) * age // span)
        ahead = [clamp(nearest(axis * age, span), 2 * FAR) for axis in moved]
        turn = after(pose, inverse(earlier_pose))
        ahead_pose = pose
        for _ in range(min(age // span, 4) if kind == 2 else 0):
            ahead_pose = after(turn, ahead_pose)
        return kind, plus(old[2], ahead), ahead_pose, bucket(length(ahead)), bucket(spin(turn) * age // span)

    def change(self, old, activity, kind, place, pose, speed, spinning):
        bits = self.bits
        identity, entity_kind, position, rotation, health = old
        worst = 0
        if bits.bit(TURNED + kind * 3 + activity):
            rotation, worst = self.rotation(kind, pose, spinning)
        if bits.bit(MOVED + kind * 3 + activity):
            position, before = list(position), worst
            for axis in (1, 0, 2):
                context = POSITION + (((kind * 2 + (axis == 1)) * 10 + speed) * 4 + off(before)) * NUMBER
                residual = bits.number(context)
                position[axis] = in_range(clamp(place[axis], FAR) + residual, FAR)
                before = abs(residual) if axis == 1 else max(before, abs(residual))
        if bits.bit(HURT + kind):
            self.seen["hurt"] += 1
            health += bits.number(HEALTH + kind * NUMBER)
            require(0 <= health <= 65_535, "health is out of range")
        return identity, entity_kind, position, rotation, health

    def rotation(self, kind, pose, spinning):
        bits = self.bits
        largest = largest_of(pose)
        flipped = bits.bit(OTHER_LARGEST + kind)
        if flipped:
            self.seen["flipped"] += 1
            largest = bits.two()
        others, worst = [], 0
        for index, around in enumerate(three(pose, largest)):
            before = 4 if index == 0 else off(worst)
            residual = bits.number(FRESH + NUMBER if flipped else ROTATION + ((kind * 10 + spinning) * 5 + before) * NUMBER)
            others.append(in_range(around + residual, UNITS))
            worst = max(worst, abs(residual))
        return (largest, others), worst

    def arrivals(self, states):
        bits = self.bits
        identity, position, health, first = 0, [0, 0, 0], 0, True
        known = {entity[0] for entity in self.base}
        while bits.even():
            self.seen["arrived"] += 1
            require(len(states) < 64, "too many entities")
            step = self.id_step()
            identity += step
            require(identity < 1 << 64 and (step or first) and identity not in known, "an id is out of range, or not new")
            first = False
            kind = bits.two() + 1
            position = [in_range(axis + bits.number(FRESH), FAR) for axis in position]
            largest = bits.two()
            others = [in_range(bits.number(FRESH), UNITS) for _ in range(3)]
            health += bits.number(FRESH)
            require(0 <= health <= 65_535, "health is out of range")
            states.append((identity, kind, position, (largest, others), health))
        states.sort(key=lambda entity: entity[0])

    def id_step(self):
        step = 0
        for shift in range(0, 64, 8):
            byte = 0
            for _ in range(8):
                byte = byte << 1 | self.bits.even()
            step |= byte << shift
            if not self.bits.even():
                break
        return step


def class_of(kind):
    return {1: 0, 2: 0, 3: 1}.get(kind, 2)


def spin(turn):
    return max(abs(component) for component in turn[:3]) // 64


def in_range(number, most):
    require(abs(number) <= most, "out of range")
    return number


# -- Snapshots --------------------------------------------------------------------------------------------------------------------------------------------


class ServerStream:
    """What a server sends, frame by frame. It remembers the last 32 states of every group: what later snapshots are differences to."""

    def __init__(self):
        self.known, self.seen = {}, Counter()

    def read(self, frame):
        """A message, a snapshot or a chunk as a dictionary."""
        require(frame[:1] in (b"\0", b"\1", b"\2"), "no such frame")
        readers = (lambda body: self.snapshot(Bytes(body)), decode_message, decode_chunk)
        return readers[frame[0]](frame[1:])

    def snapshot(self, read):
        tick, sequence = read.varint(63), read.varint(33)
        axes = [single(single(read.i32()) / 1024) for _ in range(6)]
        own = {"sequence": sequence >> 1, "position": axes[:3], "velocity": axes[3:], "grounded": sequence & 1 == 1}
        groups = []
        parts, ages = [], (0, 0)
        while not read.is_over():
            require(len(parts) < 4096, "too many groups")
            named = read.varint(33)
            if named & 1:
                ages = (read.u32(), read.u32())
            parts.append((named >> 1, *ages, read.blob()))
        for number, age, span, data in parts:
            base = self.state(number, tick, age)
            before = self.state(number, tick - age, span)
            self.seen["delta" if age else "whole"] += 1
            groups.append({"group": number, "age": age, "span": span, "entities": Group(data, base, age, before, span, self.seen).decode()})
        for group in groups:
            self.known.setdefault(group["group"], deque(maxlen=32)).append((tick, group["entities"]))
        return {"server_tick": tick, "own": own, "groups": groups}

    def state(self, number, tick, age):
        if age == 0:
            return []
        for then, states in reversed(self.known.get(number, ())):
            if then == tick - age:
                return states
        raise Bad("a difference to a state that is not known")


# -- The vectors ------------------------------------------------------------------------------------------------------------------------------------------


def flat(entity):
    identity, kind, position, (largest, others), health = entity
    return [identity, kind, *position, largest, *others, health]


def same(where, got, wanted):
    if got != wanted:
        sys.exit(f"{where} differs:\n  decoded {got}\n  wanted  {wanted}")


def check(path):
    vectors = json.loads(path.read_text(encoding="utf-8"))
    stream = ServerStream()
    for index, vector in enumerate(vectors["client_messages"]):
        same(f"client message {index}", decode_client(bytes.fromhex(vector["hex"])), vector["value"])
    for index, vector in enumerate(vectors["server_messages"]):
        same(f"server message {index}", stream.read(bytes.fromhex(vector["hex"])), vector["value"])
    for index, vector in enumerate(vectors["chunks"]):
        chunk = stream.read(bytes.fromhex(vector["hex"]))
        chunk["runs"] = [[material, len(list(run))] for material, run in groupby(chunk.pop("voxels"))]
        same(f"chunk {index}", chunk, vector["value"])
    for vector in vectors["refused"]:
        read = decode_client if vector["from"] == "client" else ServerStream().read
        try:
            sys.exit(f"{vector['because']}: was not refused, but read as {read(bytes.fromhex(vector['hex']))}")
        except Bad:
            pass
    seen, frames, entities = Counter(), 0, 0
    for name, sequence in vectors["sequences"].items():
        stream = ServerStream()
        for index, vector in enumerate(sequence):
            view = stream.read(bytes.fromhex(vector["hex"]))
            for group in view["groups"]:
                group["entities"] = [flat(entity) for entity in group["entities"]]
                entities += len(group["entities"])
            same(f"snapshot {index} of {name}", view, {key: value for key, value in vector.items() if key != "hex"})
        frames += len(sequence)
        seen += stream.seen
    controls = " and ".join(f"{len(vectors[key])} {key.replace('_', ' ')}" for key in ("client_messages", "server_messages"))
    ways = ", ".join(f"{count} {way}" for way, count in sorted(seen.items()))
    print(f"{controls} read, {len(vectors['chunks'])} chunks; {len(vectors['refused'])} refused; {frames} snapshots of {entities} entities read: {ways}")


if __name__ == "__main__":
    check(Path(sys.argv[1]) if len(sys.argv) > 1 else VECTORS)
