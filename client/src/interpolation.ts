/** Everybody else: who they are, and where they are drawn, 150 ms in the past. The core does the sums. */

import type { Detection, Kind, Pose, Properties, ServerMessage } from './protocol';

/** What does not come with every snapshot. */
export interface About {
  kind: Kind;
  name: string;
  owner: number;
  healthMax: number;
  /** What an NPC makes of anybody. */
  detection: Detection;
}

/** Somebody as they are drawn. */
export type Other = Pose & About;

/** Messages that wait for the picture to come to their tick, at most. */
const WAITING_MAX = 1024;
/** After which who is gone is drawn no more, with time to spare. */
const FORGET_MS = 1000;

export class Others {
  /** By id, who plays. */
  readonly players = new Map<number, string>();
  private readonly about = new Map<number, About>();
  private waiting: ServerMessage[] = [];

  begin(): void {
    this.players.clear();
    this.about.clear();
    this.waiting = [];
  }

  heed(message: ServerMessage): void {
    switch (message.type) {
      case 102:
        this.about.set(message.entity_id, about(message.entity_type, message.properties));
        break;
      case 103: {
        // It is drawn until its time has come in the past, too; and may have come back by then.
        const gone = this.about.get(message.entity_id);
        setTimeout(() => {
          if (this.about.get(message.entity_id) === gone) this.about.delete(message.entity_id);
        }, FORGET_MS);
        break;
      }
      case 105: {
        const npc = this.about.get(message.npc_id);
        if (npc) npc.detection = message.detection_state;
        break;
      }
      case 110:
        this.players.set(message.entity_id, message.username);
        break;
      case 111:
        this.players.delete(message.entity_id);
        break;
      case 104:
      case 120:
        // They belong to a moment that is not drawn yet.
        if (this.waiting.length < WAITING_MAX) this.waiting.push(message);
    }
  }

  /** Where everybody is drawn. */
  at(poses: Pose[]): Other[] {
    return poses.map((pose) => ({ ...pose, ...(this.about.get(pose.id) ?? about(pose.kind, {})) }));
  }

  /** What happens up to the tick that is drawn. */
  due(tick: number): ServerMessage[] {
    const isDue = (message: ServerMessage): boolean => 'server_tick' in message && message.server_tick <= tick;
    const due = this.waiting.filter(isDue);
    if (due.length > 0) this.waiting = this.waiting.filter((message) => !isDue(message));
    return due;
  }

  /** Who made it; 0 for the world, and for what is not known. */
  owner(id: number): number {
    return this.about.get(id)?.owner ?? 0;
  }
}

function about(kind: Kind, properties: Properties): About {
  return { kind, name: properties.name ?? '', owner: properties.owner ?? 0, healthMax: properties.hm ?? 0, detection: 0 };
}
