// Fifty players in one room, moved as ours are: 60 ticks and 20 patches a second, 8 m/s along their headings. Prints "ready" once it listens on the port of its argument.
import { Room, Server } from "@colyseus/core";
import { schema, t } from "@colyseus/schema";
import { WebSocketTransport } from "@colyseus/ws-transport";

const TICK_HZ = 60;
const PATCH_HZ = 20;
const WALK_SPEED = 8;

const Player = schema({ x: t.float32(), y: t.float32(), z: t.float32(), yaw: t.float32() }, "Player");
const World = schema({ players: t.map(Player) }, "World");

class Arena extends Room {
  maxClients = 64;
  // A client sends its controls 60 times a second.
  maxMessagesPerSecond = Infinity;
  patchRate = 1000 / PATCH_HZ;
  controls = new Map();

  onCreate() {
    this.state = new World();
    this.onMessage("controls", (client, controls) => this.controls.set(client.sessionId, controls));
    this.setSimulationInterval(() => this.move(), 1000 / TICK_HZ);
  }

  onJoin(client) {
    const place = { x: (this.clients.length % 8) * 2, y: 1, z: Math.floor(this.clients.length / 8) * 2, yaw: 0 };
    this.state.players.set(client.sessionId, new Player().assign(place));
  }

  onLeave(client) {
    this.controls.delete(client.sessionId);
    this.state.players.delete(client.sessionId);
  }

  move() {
    const step = WALK_SPEED / TICK_HZ;
    for (const [id, { forward, yaw }] of this.controls) {
      const player = this.state.players.get(id);
      if (!player) continue;
      player.x += Math.sin(yaw) * forward * step;
      player.z -= Math.cos(yaw) * forward * step;
      player.yaw = yaw;
    }
  }
}

const server = new Server({ transport: new WebSocketTransport(), greet: false });
server.define("arena", Arena);
await server.listen(Number(process.argv[2]), "127.0.0.1");
console.log("ready");
