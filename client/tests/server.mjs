/** What stories ask of the server as somebody who has no browser. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { TIMEOUT_MS } from './player.mjs';

export const URL = process.env.UGC_URL ?? 'http://127.0.0.1:5000';

/** A file of the library's spells. */
export function library(path, encoding = 'utf8') {
  return readFileSync(new globalThis.URL(`../../spells/${path}`, import.meta.url), encoding);
}

export async function ask(method, path, body, player) {
  const headers = { 'Content-Type': 'application/json', ...(player && { Authorization: `Bearer ${player.session_token}` }) };
  const reply = await fetch(URL + path, { method, headers, ...(body && { body: JSON.stringify(body) }) });
  assert.ok(reply.ok, `${method} ${path}: ${reply.status} ${await reply.clone().text()}`);
  return reply.json();
}

/** Builds a spell and makes it everybody's; answers the revision. */
export async function publish(author, spell, code, { name = spell, assets = {} } = {}) {
  let job = await ask('POST', `/api/spells/${spell}/build`, { code, assets, options: { metadata: { name } } }, author);
  const deadline = Date.now() + TIMEOUT_MS;
  while (job.status !== 'completed') {
    assert.ok(job.status !== 'failed' && Date.now() < deadline, `the build: ${JSON.stringify(job)}`);
    job = await ask('GET', `/api/jobs/${job.job_id}?wait_ms=500`, undefined, author);
  }
  await ask('POST', `/api/spells/${spell}/publish`, { revision_id: job.result_revision_id, channel: 'stable' }, author);
  return job.result_revision_id;
}
