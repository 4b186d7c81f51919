/** The way to a game server: login, ticket, handshake; pings; and back again when the line breaks. */

import { ApiError, type Api, type Place } from './api';
import { CONNECT_TIMEOUT_MS, PING_INTERVAL_MS, RECONNECT_MS, TICK_MS, TRAFFIC_SECONDS } from './limits';
import { Line, type Loss } from './line';
import type { ClientMessage, Core, ServerMessage } from './protocol';

export type State = 'not connected' | 'joining' | 'connecting' | 'playing' | 'lost' | 'closed';

/** What others do with what comes. */
export interface Listener {
  /** Told after the core has taken its part. */
  heed(message: ServerMessage): void;
  /** A new connection begins: nothing of the one before is true any more. */
  begin(): void;
  /** For people. */
  say(text: string): void;
}

/** The first byte of a snapshot, and of controls: what is said again soon. */
const SNAPSHOT = 0;
const INPUTS = 1;
/** Closed with this code, the server does not want us back at once: taken over by another tab, or closed by an operator. */
const STAY_AWAY = 1008;
const STAY_AWAY_REASONS = /taken over|operator/;

export class Connection {
  state: State = 'not connected';
  worldId = '';
  /** The player's entity. */
  me = 0;
  /** How often the line broke and was mended. */
  reconnects = 0;
  readonly line = new Line();
  readonly clock = new Clock();
  readonly traffic = new Traffic();

  private socket: WebSocket | null = null;
  private username = '';
  private pause = RECONNECT_MS.first;

  constructor(private readonly core: Core, private readonly api: Api, private readonly listener: Listener) {
    setInterval(() => this.ping(), PING_INTERVAL_MS);
  }

  /** Comes into a world. Throws if that cannot be; afterwards a line that breaks is mended from here. */
  async join(username: string, world: Parameters<Api['join']>[0]): Promise<void> {
    this.username = username;
    this.state = 'joining';
    try {
      await this.api.login(username);
      this.connect(await this.api.join(world));
    } catch (error) {
      this.state = 'not connected';
      throw error;
    }
  }

  send(message: ClientMessage): void {
    if (this.state === 'playing') this.sendFrame(this.core.encode(message), 'must come');
  }

  /** Sends what the core has made: controls, and what it says by itself. */
  sendFrame(frame: Uint8Array, loss: Loss = frame[0] === INPUTS ? 'may be lost' : 'must come'): void {
    const socket = this.socket;
    this.line.outward.pass(loss, () => {
      if (socket?.readyState !== WebSocket.OPEN) return;
      this.traffic.out(frame.length);
      socket.send(frame as Uint8Array<ArrayBuffer>);
    });
  }

  private connect(place: Place): void {
    this.state = 'connecting';
    this.worldId = place.world_id;
    const socket = new WebSocket(place.server_address, 'ugc.v2.bin');
    socket.binaryType = 'arraybuffer';
    this.socket = socket;
    const given = setTimeout(() => socket.close(), CONNECT_TIMEOUT_MS);
    socket.onopen = () => {
      this.core.begin();
      this.listener.begin();
      const { session_token, client_id } = place;
      const hello = { type: 1, protocol_version: 2, session_token, client_id, timestamp: performance.now() } as const;
      this.sendFrame(this.core.encode(hello), 'must come');
    };
    socket.onmessage = (event: MessageEvent<ArrayBuffer>) => {
      const frame = new Uint8Array(event.data);
      this.traffic.in(frame.length);
      this.line.inward.pass(frame[0] === SNAPSHOT ? 'may be lost' : 'must come', () => {
        if (this.socket === socket) this.receive(frame, given);
      });
    };
    socket.onclose = (event) => {
      clearTimeout(given);
      if (this.socket === socket) this.lost(event);
    };
  }

  private receive(frame: Uint8Array, given: ReturnType<typeof setTimeout>): void {
    const message = this.core.receive(frame, performance.now());
    if (!message) return;
    if (message.type === 100) {
      clearTimeout(given);
      if (message.success) this.welcome(message.assigned_entity_id);
      else this.listener.say(message.error);
    } else if (message.type === 108) {
      this.clock.heard(message.client_time, message.server_tick);
    }
    this.listener.heed(message);
  }

  private welcome(me: number): void {
    if (this.me !== 0) this.reconnects += 1;
    this.me = me;
    this.state = 'playing';
    this.pause = RECONNECT_MS.first;
    this.ping();
  }

  private lost(event: CloseEvent): void {
    this.socket = null;
    if (event.code === STAY_AWAY && STAY_AWAY_REASONS.test(event.reason)) {
      this.state = 'closed';
      this.listener.say(event.reason);
      return;
    }
    if (this.state === 'playing') this.listener.say(`connection lost${event.reason && `: ${event.reason}`}`);
    this.state = 'lost';
    setTimeout(() => void this.comeBack(), this.pause);
    this.pause = Math.min(2 * this.pause, RECONNECT_MS.last);
  }

  /** A ticket is good once, so each try takes a new one; and a new session, if ours has ended. */
  private async comeBack(): Promise<void> {
    try {
      this.connect(await this.api.join({ world_id: this.worldId }));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) await this.api.login(this.username).catch(() => undefined);
      setTimeout(() => void this.comeBack(), this.pause);
      this.pause = Math.min(2 * this.pause, RECONNECT_MS.last);
    }
  }

  private ping(): void {
    this.traffic.second();
    this.send({ type: 5, client_time: performance.now() });
  }
}

/** The server's clock, by pings. */
export class Clock {
  /** The way there and back; null before the first pong. */
  rttMs: number | null = null;
  /** How much that changes from one to the next, on average. */
  jitterMs = 0;
  private tickZeroMs = 0;

  heard(sentMs: number, serverTick: number): void {
    const now = performance.now();
    const rtt = now - sentMs;
    // As RTP has it: the newest difference counts a sixteenth.
    if (this.rttMs !== null) this.jitterMs += (Math.abs(rtt - this.rttMs) - this.jitterMs) / 16;
    this.rttMs = rtt;
    this.tickZeroMs = now - rtt / 2 - serverTick * TICK_MS;
  }

  /** The tick that the server is in now. */
  serverTick(): number {
    return this.rttMs === null ? 0 : Math.floor((performance.now() - this.tickZeroMs) / TICK_MS);
  }
}

/** Bytes by the second, newest last. */
export class Traffic {
  readonly received: number[] = [0];
  readonly sent: number[] = [0];

  in(bytes: number): void {
    this.received.push((this.received.pop() ?? 0) + bytes);
  }

  out(bytes: number): void {
    this.sent.push((this.sent.pop() ?? 0) + bytes);
  }

  /** Another second begins. */
  second(): void {
    for (const series of [this.received, this.sent]) {
      series.push(0);
      if (series.length > TRAFFIC_SECONDS) series.shift();
    }
  }
}
