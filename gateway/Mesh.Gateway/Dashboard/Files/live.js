// The live state: tables that the server keeps up to date by server-sent events, read by fetch so that a key can go along.
import { send } from './api.js';

const retryMs = [500, 1000, 2000, 5000, 10000];
// A delta comes every second, or every 30 s at the very least.
const silenceMs = 45000;
const hiddenMs = 15000;

class Table {
  columns = [];
  index = new Map();
  rows = new Map();

  replace({ columns, rows }) {
    this.columns = columns;
    this.index = new Map(columns.map((name, i) => [name, i]));
    this.rows = new Map(rows.map(row => [row[0], this.objectOf(row)]));
  }

  change({ add = [], set = [], remove = [] }) {
    for (const number of remove) this.rows.delete(number);
    for (const row of add) this.rows.set(row[0], this.objectOf(row));
    for (const cells of set) {
      const row = this.rows.get(cells[0]);
      if (!row) continue;
      for (let i = 1; i < cells.length; i += 2) row[this.columns[cells[i]]] = cells[i + 1];
    }
  }

  objectOf(row) {
    const object = { number: row[0] };
    for (let i = 0; i < this.columns.length; i++) object[this.columns[i]] = row[i + 1];
    return object;
  }

  all() { return [...this.rows.values()]; }
}

const tables = new Map();
const listeners = new Set();
let controller = null;
let failures = 0;
let retry = 0;
let wanted = false;
let hiddenTimer = 0;

export const live = {
  /** `connecting`, `live`, `paused` or `lost`. */
  state: 'connecting',
  /** Why it is lost, for people. */
  problem: null,
  /** True when a key is what it lacks. */
  needsKey: false,
  /** Time of the state by the gateway's clock; null before there is one. */
  time: null,
  /** True once there is a state, however old. */
  get hasData() { return live.time !== null; },
  rows(name) { return tables.get(name)?.all() ?? []; },
  first(name) { return tables.get(name)?.rows.values().next().value ?? null; },
};

/** Told after every change of the state or of the connection; gives a function that ends it. */
export function onChange(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function start() {
  wanted = true;
  reconnect();
}

/** Tries again at once. */
export function reconnect() {
  clearTimeout(retry);
  controller?.abort();
  if (!wanted) return;
  const own = controller = new AbortController();
  follow(own).then(
    () => lost(own, 'The gateway closed the connection.'),
    e => e.name === 'AbortError' && own !== controller ? undefined : lost(own, e.needsKey ? 'A key is needed.' : e.message ?? String(e), e.needsKey));
}

document.addEventListener('visibilitychange', () => {
  clearTimeout(hiddenTimer);
  // Nobody looks: the gateway need not build what nobody sees.
  if (document.hidden) {
    hiddenTimer = setTimeout(() => {
      wanted = false;
      controller?.abort();
      tell('paused');
    }, hiddenMs);
  } else if (!wanted && live.state === 'paused') start();
});

function lost(own, problem, needsKey = false) {
  if (own !== controller || !wanted) return;
  live.problem = problem;
  live.needsKey = needsKey;
  tell('lost');
  // A key has to come from a person; asking again and again would only count as guessing.
  if (needsKey) return;
  retry = setTimeout(reconnect, retryMs[Math.min(failures++, retryMs.length - 1)]);
}

function tell(state) {
  live.state = state;
  for (const listener of listeners) listener();
}

async function follow(own) {
  if (live.state !== 'lost') tell('connecting');
  const response = await send('events', { signal: own.signal });
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  let watchdog = 0;
  const feed = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(() => reader.cancel(), silenceMs);
  };
  try {
    feed();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      feed();
      rest += value;
      let end;
      while ((end = rest.indexOf('\n\n')) >= 0) {
        take(rest.slice(0, end));
        rest = rest.slice(end + 2);
      }
    }
  } finally {
    clearTimeout(watchdog);
  }
}

function take(event) {
  let name = 'message';
  let data = '';
  for (const line of event.split('\n')) {
    if (line.startsWith('event: ')) name = line.slice(7);
    else if (line.startsWith('data: ')) data = line.slice(6);
  }
  if (!data) return;
  const message = JSON.parse(data);
  if (name === 'snapshot') {
    tables.clear();
    for (const [table, content] of Object.entries(message.tables)) {
      const made = new Table();
      made.replace(content);
      tables.set(table, made);
    }
  } else if (name === 'delta') {
    for (const [table, content] of Object.entries(message.tables)) tables.get(table)?.change(content);
  } else return;
  live.time = message.time;
  live.problem = null;
  live.needsKey = false;
  failures = 0;
  tell('live');
}
