/** The bridge to the thinking half (core/, WebAssembly), and the messages that cross it: those of `ugc.v1.json`, see docs/protocol.md. */

import type { Quat, Vec3 } from './vec';

/** What the server says, as far as the page cares; the core has taken its part already. */
export type ServerMessage =
  | { type: 100; success: boolean; server_tick: number; assigned_entity_id: number; world_id: string; error: string }
  | { type: 102; server_tick: number; entity_id: number; entity_type: number; position: Vec3; rotation: Vec3; properties: Properties }
  | { type: 103; server_tick: number; entity_id: number; reason: string }
  | { type: 104; server_tick: number; projectile_id: number; hit_entity_id: number; hit_point: Vec3; hit_normal: Vec3; damage: number }
  | { type: 105; server_tick: number; npc_id: number; event_type: string; target_entity_id: number; detection_state: Detection; suspicion_level: number }
  | { type: 106; server_tick: number; op_type: number; center: Vec3; radius: number; material_id: number; client_sequence_id: number }
  | { type: 108; client_time: number; server_time: number; server_tick: number }
  | { type: 109; error_code: number; message: string }
  | { type: 110 | 111; entity_id: number; username: string }
  | { type: 112; server_tick: number; spell_id: string; revision_id: string; caster_entity_id: number; target_position: Vec3 }
  | { type: 120; server_tick: number; spell_id: string; revision_id: string; caster_entity_id: number; name: string; position: Vec3; scale: number }
  | { type: 121; server_tick: number; spell_id: string; limit: string; allowed: number; asked: number; hook: string; message: string }
  | { type: 122; spell_id: string; channel: string; revision_id: string | null }
  | { type: 123; server_tick: number; spell_id: string; caster_entity_id: number; text: string; aloud: boolean }
  | { type: 124; server_tick: number; seq: number; digest: number; mana: number; mana_max: number; mana_per_second: number; statuses: Status[] }
  | { type: 125; server_tick: number; entity_id: number; text: string }
  | { type: 126; server_tick: number; spell_id: string; revision_id: string; began_tick: number; reason: string; mana: number; memory_bytes: number; hooks: HookReport[] };

/** What a player bears, until the first tick without it. */
export interface Status {
  kind: 'slow' | 'root' | 'shield' | 'burn';
  /** The part of the speed that is left; what a shield still takes; health a second. */
  strength: number;
  until: number;
}

/** A hook's calls in one cast. */
export interface HookReport {
  hook: string;
  calls: number;
  /** Of them all, and of the dearest. */
  fuel: number;
  fuel_max: number;
}

export interface Properties {
  name?: string;
  owner?: number;
  /** Full health. */
  hm?: number;
}

/** What an NPC makes of somebody: idle, suspicious, sure. */
export type Detection = 0 | 1 | 2;

/** What the page says, apart from controls and chunks, which are the core's. */
export type ClientMessage =
  | { type: 1; protocol_version: 2; session_token: string; client_id: string; timestamp: number }
  | { type: 3; op_type: 1 | 2 | 3; center: Vec3; radius: number; material_id: number; client_sequence_id: number }
  | { type: 5; client_time: number }
  | { type: 6 }
  | { type: 7; spell_id: string; revision_id: string; target_position: Vec3; target_entity_id: number; extra_params: object }
  | { type: 8; text: string };

export const enum Kind {
  Player = 1,
  Npc = 2,
  Projectile = 3,
  Prop = 4,
}

/** A player's controls in one tick. */
export interface Controls {
  /** -1 to 1. */
  right: number;
  /** -1 to 1. */
  back: number;
  /** Any length but 0. */
  aim: Vec3;
  sprint: boolean;
  fire: boolean;
  jump: boolean;
}

/** What is to be drawn. */
export interface Picture {
  own: { position: Vec3; velocity: Vec3; grounded: boolean };
  /** The tick at which others are drawn, with its fraction. */
  tick: number;
  others: Pose[];
}

export interface Pose {
  id: number;
  kind: Kind;
  position: Vec3;
  rotation: Quat;
  health: number;
}

/** A chunk whose picture is old. Without a volume it is gone. */
export interface StaleChunk {
  id: Vec3;
  volume: Uint8Array | null;
}

const STATS = [
  'tick', 'sequence', 'pending', 'corrections', 'correctionsLate', 'correctionLastM', 'correctionLargestM', 'chunks', 'chunksWrong',
  'entities', 'snapshotsLost', 'health', 'onKnownGround', 'delayTicks', 'digestServer', 'digestHere',
] as const;
/** The overlay's figures; `correctionsLate` are those that the line alone is to blame for; digests are below 0 before the first comparison. */
export type Stats = Record<(typeof STATS)[number], number>;

/** What core/src/exports.rs offers. Lengths below 0 mean that the input was refused. */
interface Exports {
  memory: WebAssembly.Memory;
  input(bytes: number): number;
  output(): number;
  begin(): void;
  receive(nowMs: number): number;
  encode(): number;
  step(right: number, back: number, aimX: number, aimY: number, aimZ: number, buttons: number, nowMs: number): number;
  skip(ticks: number): void;
  outgoing(): number;
  scene(nowMs: number, share: number): number;
  look(x: number, y: number, z: number, toX: number, toY: number, toZ: number): number;
  next_stale(): number;
  mesh_volume(): number;
  sha256(): number;
  stats(nowMs: number): number;
}

/** Numbers of the picture before the first entity, and of each. */
const OWN_NUMBERS = 8;
const POSE_NUMBERS = 10;
const VOLUME_HEAD_BYTES = 12;

/** One instance of the module. The page has one, and the mesh worker another. */
export class Core {
  private readonly encoder = new TextEncoder();
  private readonly decoder = new TextDecoder();

  private constructor(private readonly exports: Exports) {}

  static async load(module: WebAssembly.Module): Promise<Core> {
    const instance = await WebAssembly.instantiate(module, {});
    return new Core(instance.exports as unknown as Exports);
  }

  /** Forgets the connection before this one. */
  begin(): void {
    this.exports.begin();
  }

  /** Takes in a frame. Answers the message in it; snapshots and chunks are none, and neither is what cannot be read. */
  receive(frame: Uint8Array, nowMs: number): ServerMessage | null {
    this.put(frame);
    const text = this.answer(this.exports.receive(nowMs));
    return text && text.length > 0 ? (JSON.parse(this.decoder.decode(text)) as ServerMessage) : null;
  }

  /** The message as a frame. */
  encode(message: ClientMessage): Uint8Array {
    this.put(this.encoder.encode(JSON.stringify(message)));
    const frame = this.answer(this.exports.encode());
    if (!frame) throw new Error(`message ${JSON.stringify(message)} is out of range`);
    return frame;
  }

  /** One tick of the player. Answers the frame to send, if there is a game. */
  step(controls: Controls, nowMs: number): Uint8Array | null {
    const { right, back, aim, sprint, fire, jump } = controls;
    const buttons = (sprint ? 1 : 0) | (fire ? 2 : 0) | (jump ? 4 : 0);
    return this.some(this.exports.step(right, back, ...aim, buttons, nowMs));
  }

  /** Ticks that the page slept through. */
  skip(ticks: number): void {
    this.exports.skip(ticks);
  }

  /** The next frame that the core has to send by itself: credits for chunks, and chunks to ask for. */
  outgoing(): Uint8Array | null {
    return this.some(this.exports.outgoing());
  }

  /** Everybody as they are to be drawn now, the player at this share of the way from the last tick to the next. */
  picture(nowMs: number, share: number): Picture {
    const bytes = this.some(this.exports.scene(nowMs, share));
    const n = new Float64Array(bytes?.buffer ?? new ArrayBuffer(8 * OWN_NUMBERS));
    const at = (index: number): number => n[index] ?? 0;
    const vec3 = (index: number): Vec3 => [at(index), at(index + 1), at(index + 2)];
    const others: Pose[] = [];
    for (let i = OWN_NUMBERS; i < n.length; i += POSE_NUMBERS) {
      const rotation: Quat = [at(i + 5), at(i + 6), at(i + 7), at(i + 8)];
      others.push({ id: at(i), kind: at(i + 1), position: vec3(i + 2), rotation, health: at(i + 9) });
    }
    return { own: { position: vec3(0), velocity: vec3(3), grounded: at(6) === 1 }, tick: at(7), others };
  }

  /** How far the ground is along a ray, metres. */
  look(from: Vec3, toward: Vec3): number | null {
    const distance = this.exports.look(...from, ...toward);
    return distance < 0 ? null : distance;
  }

  /** The nearest chunk whose picture is old. */
  nextStale(): StaleChunk | null {
    const bytes = this.some(this.exports.next_stale());
    if (!bytes) return null;
    const id = Array.from(new Int32Array(bytes.buffer, 0, 3)) as Vec3;
    return { id, volume: bytes.length > VOLUME_HEAD_BYTES ? bytes.slice(VOLUME_HEAD_BYTES) : null };
  }

  /** The quads of a volume: those that hide what is behind them, and those that do not. */
  mesh(volume: Uint8Array): { opaque: Uint8Array; clear: Uint8Array } {
    this.put(volume);
    const bytes = this.answer(this.exports.mesh_volume());
    if (!bytes) throw new Error(`a volume of ${volume.length} bytes is none`);
    const opaqueBytes = new DataView(bytes.buffer).getUint32(0, true);
    return { opaque: bytes.slice(4, 4 + opaqueBytes), clear: bytes.slice(4 + opaqueBytes) };
  }

  /** The SHA-256 of these bytes, as 64 hex digits. */
  sha256(bytes: Uint8Array): string {
    this.put(bytes);
    return this.decoder.decode(this.answer(this.exports.sha256()) ?? new Uint8Array());
  }

  stats(nowMs: number): Stats {
    const numbers = new Float64Array(this.some(this.exports.stats(nowMs))?.buffer ?? new ArrayBuffer(0));
    return Object.fromEntries(STATS.map((name, index) => [name, numbers[index] ?? 0])) as Stats;
  }

  private put(bytes: Uint8Array): void {
    const start = this.exports.input(bytes.length);
    // Looked up each time: memory that grows is another buffer.
    new Uint8Array(this.exports.memory.buffer, start, bytes.length).set(bytes);
  }

  /** A copy of the answer, in a buffer of its own; null if it was refused. */
  private answer(length: number): Uint8Array<ArrayBuffer> | null {
    if (length < 0) return null;
    const start = this.exports.output();
    return new Uint8Array(this.exports.memory.buffer.slice(start, start + length) as ArrayBuffer);
  }

  /** The same; null also if it is empty. */
  private some(length: number): Uint8Array<ArrayBuffer> | null {
    return length > 0 ? this.answer(length) : null;
  }
}
