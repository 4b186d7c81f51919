/** Server-sent events by `fetch`: the browser's own EventSource sends no Authorization. */

import type { Api } from '../api';

export interface ServerEvent {
  id: string;
  event: string;
  data: unknown;
}

/** The events of a stream, behind the one with the id `after`, until it ends or is given up. */
export async function* events(api: Api, path: string, options: { after?: string; signal?: AbortSignal } = {}): AsyncGenerator<ServerEvent> {
  const { after, signal } = options;
  const reply = await api.reach('GET', path, undefined, { ...(after && { headers: { 'Last-Event-ID': after } }), ...(signal && { signal }) });
  if (!reply.body) return;
  const reader = reply.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  try {
    for (let chunk = await reader.read(); !chunk.done; chunk = await reader.read()) {
      text += chunk.value;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const event = parse(block);
        if (event) yield event;
      }
    }
  } finally {
    // Whoever stops listening ends the request.
    await reader.cancel();
  }
}

/** Comments, which keep the line alive, are none. */
function parse(block: string): ServerEvent | null {
  const field = (name: string): string | undefined => block.split('\n').find((line) => line.startsWith(`${name}:`))?.slice(name.length + 1).trim();
  const data = field('data');
  return data === undefined ? null : { id: field('id') ?? '', event: field('event') ?? '', data: JSON.parse(data) };
}
