// Drains: which there are, and asking for one. Gateways without them say so, and the buttons stay away.
import { get, send } from './api.js';
import { ask, say } from './dialogs.js';
import { h } from './dom.js';
import { live } from './live.js';

let known = new Map();
let listed = [];
let history = [];
let available = null;
let askedAt = -Infinity;
let asking = false;
const listeners = new Set();
const refreshMs = 3000;

export const drains = {
  /** True, false, or null while that is not known. */
  get available() { return available; },
  of: (kind, name) => known.get(`${kind} ${name}`) ?? null,
  all: () => listed,
  /** Who did what, the newest first. */
  history: () => history,
};

export function onDrains(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Looks again, at most every few seconds. */
export async function refreshDrains(now = false) {
  if (asking || available === false || (!now && performance.now() - askedAt < refreshMs)) return;
  asking = true;
  askedAt = performance.now();
  try {
    const answer = await get('drains');
    known = new Map(answer.drains.filter(d => !d.pool).map(d => [`${d.kind} ${d.name}`, d]));
    listed = answer.drains;
    history = answer.history;
    available = true;
  } catch (e) {
    if (e.status === 404) available = false;
  }
  asking = false;
  for (const listener of listeners) listener();
}

const effects = {
  endpoint: 'It finishes the requests that it has and gets no new ones.',
  cluster: 'Its endpoints finish the requests that they have and get no new ones.',
  region: 'Its endpoints finish the requests that they have and get no new ones.',
};

/** Asks whether to drain, and does it. */
export async function drain(kind, name) {
  const others = kind === 'endpoint' ? live.rows('endpoints').filter(e => e.address !== name && e.state === 'ready' && live.rows('endpoints').some(o => o.address === name && o.pool === e.pool)).length : null;
  const answer = await ask({
    title: `Drain ${kind} ${name}?`,
    body: [h('p', {}, effects[kind]), others === null ? null : h('p', { class: others === 0 ? 'problem' : 'muted' }, others === 0 ? 'No other endpoint of its pool is ready.' : `${others} others of its pool are ready.`)],
    fields: [{ name: 'reason', label: 'Reason, for the log', placeholder: 'replacing a GPU', maxLength: 256 }],
    confirm: 'Drain', tone: 'danger',
  });
  if (!answer) return;
  const body = { kind, name, reason: answer.reason };
  const problem = await change({ method: 'POST', body }, 'drains', `${name} is drained.`);
  if (problem?.code !== 'last_endpoint') return;
  const sure = await ask({ title: `Drain ${name} all the same?`, body: [h('p', { class: 'problem' }, problem.message)], confirm: 'Drain all the same', tone: 'danger' });
  if (sure) await change({ method: 'POST', body: { ...body, force: true } }, 'drains', `${name} is drained.`);
}

/** Asks whether to take a drain back, and does it. */
export async function undrain(kind, name) {
  const why = drains.of(kind, name)?.reason;
  const answer = await ask({ title: `Undrain ${kind} ${name}?`, body: [h('p', {}, 'It gets new requests again.'), why ? h('p', { class: 'muted' }, `It was drained for: ${why}`) : null], confirm: 'Undrain' });
  if (!answer) return;
  await change({ method: 'DELETE' }, `drains/${kind}/${encodeURIComponent(name)}`, `${name} gets requests again.`);
}

// Gives the problem, if there was one that the caller may want to go on from.
async function change(options, path, done) {
  let problem = null;
  try {
    const answer = await (await send(path, options)).json();
    say(answer.warning ? `${done} ${answer.warning}` : done, answer.warning ? 'warn' : 'good');
  } catch (e) {
    problem = e;
    if (e.code !== 'last_endpoint' && !e.needsKey) say(e.message, 'bad');
  }
  await refreshDrains(true);
  return problem;
}

/** A button that drains a cluster or a region, or takes that back; `update()` after the drains have changed. */
export function drainButton(kind, name) {
  const button = h('button', { type: 'button', class: 'drain-button', onclick: () => (drains.of(kind, name) ? undrain : drain)(kind, name) });
  return {
    element: button,
    update() {
      button.hidden = available !== true;
      const word = drains.of(kind, name) ? 'Undrain' : 'Drain';
      if (button.textContent === word) return;
      button.textContent = word;
      button.setAttribute('aria-label', `${word} ${kind} ${name}`);
    },
  };
}
