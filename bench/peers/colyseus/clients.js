// Players of the room, by the official client. Arguments: port, players, seconds before anything is counted, seconds that are counted.
// Prints "begin", and afterwards one line of JSON: seconds, and for each player the bytes and the patches that came.
import { Client } from "@colyseus/sdk";

const TICK_MS = 1000 / 60;
// As in bench/src/bot.rs.
const LEG_TICKS = 45;
// The first byte of a message with changes of the state.
const PATCH = 15;

const [port, count, warming, measured] = process.argv.slice(2).map(Number);
const players = [];
for (let number = 0; number < count; number++) {
  const room = await new Client(`ws://127.0.0.1:${port}`).joinOrCreate("arena");
  const player = { room, number, ticks: 0, bytes: 0, patches: 0 };
  room.connection.transport.ws.addEventListener("message", ({ data }) => {
    player.bytes += data.byteLength;
    if (new Uint8Array(data)[0] === PATCH) player.patches += 1;
  });
  players.push(player);
}

// 0 to 1, the same for a player and a leg as for our bots.
function turn(player) {
  const leg = (Math.floor(player.ticks / LEG_TICKS) + player.number * 7) >>> 0;
  return (Math.imul(leg, 2654435761) >>> 16) / 65536;
}

const began = performance.now();
let ticks = 0;
function tick() {
  for (const player of players) {
    player.room.send("controls", { forward: 1, yaw: turn(player) * 2 * Math.PI });
    player.ticks += 1;
  }
  ticks += 1;
  setTimeout(tick, Math.max(0, began + ticks * TICK_MS - performance.now()));
}
tick();

let since;
setTimeout(() => {
  since = performance.now();
  for (const player of players) [player.bytes, player.patches] = [0, 0];
  console.log("begin");
}, warming * 1000);
setTimeout(() => {
  const seconds = (performance.now() - since) / 1000;
  console.log(JSON.stringify({ seconds, players: players.map(({ bytes, patches, room }) => ({ bytes, patches, seen: room.state.players.size })) }));
  process.exit();
}, (warming + measured) * 1000);
