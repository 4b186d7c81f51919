/** Prometheus' text format, as far as our servers write it. */

export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

const LINE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;

/** All samples; comments and what is none are passed over. */
export function parse(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    const [, name, labels = '', value] = LINE.exec(line) ?? [];
    if (name === undefined) return [];
    const pairs = [...labels.matchAll(LABEL)].map(([, key, quoted]) => [key, unescape(quoted ?? '')]);
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value) }];
  });
}

function unescape(quoted: string): string {
  return quoted.replace(/\\(.)/g, (_, character: string) => (character === 'n' ? '\n' : character));
}

/** Counters of one server, by name and labels: what they have grown by since they were read last. */
export class Growth {
  private before = new Map<string, number>();
  private beforeMs = 0;

  /** The growth of each sample in a second; nothing the first time, and nothing where a server counts anew. */
  note(samples: Sample[], nowMs: number): Sample[] {
    const seconds = (nowMs - this.beforeMs) / 1000;
    const now = new Map(samples.map((sample) => [key(sample), sample.value]));
    const known = this.before;
    const isFirst = this.beforeMs === 0;
    [this.before, this.beforeMs] = [now, nowMs];
    if (isFirst) return [];
    return samples.map((sample) => ({ ...sample, value: Math.max(0, sample.value - (known.get(key(sample)) ?? 0)) / seconds }));
  }
}

function key({ name, labels }: Sample): string {
  return `${name} ${JSON.stringify(labels)}`;
}
