// Pools: every import with its backends, what holds for it and where that is written, and its last quarter of an hour.
import { get } from '../api.js';
import { clear, h, keyed, set, text } from '../dom.js';
import { age, count, dash, ms, percent, plural, rate } from '../format.js';
import { live } from '../live.js';
import { empty, fullnessBar, pill, readiness, sparkline, updatePill } from '../parts.js';

export const title = 'Pools';

const maxCards = 60;
const steps = 180;
const seriesNames = ['inFlightRequests', 'requestsPerSecond', 'fullness', 'queuedRequests', 'firstTokenP50Ms', 'firstTokenP95Ms', 'outputTokenP50Ms', 'outputTokenP95Ms'];

export function open(main, rest) {
  const search = h('input', { type: 'search', placeholder: 'Filter by name  ( / )', 'aria-label': 'Filter pools by name', oninput: update });
  const shown = h('span', { class: 'muted', role: 'status' });
  const list = h('div', { class: 'pool-list' });
  const history = new Map();
  let last = null;
  let asking = false;
  let failed = null;
  if (rest.length === 2) search.value = rest.join('/');
  main.append(h('div', { class: 'page-head' }, h('h1', {}, 'Pools'), h('div', { class: 'tools' }, search, shown)), list);

  async function fetchHistory() {
    asking = true;
    try {
      const answer = await get(last === null ? 'history' : `history?since=${last}`);
      // Another process counts its steps anew.
      if (last !== null && answer.last < last) history.clear();
      for (const backend of answer.backends) {
        const key = `${backend.pool} ${backend.backend}`;
        const known = history.get(key) ?? Object.fromEntries(seriesNames.map(n => [n, []]));
        for (const name of seriesNames) known[name] = [...known[name], ...backend[name]].slice(-steps);
        history.set(key, known);
      }
      last = answer.last;
      failed = null;
    } catch (e) {
      failed = e;
    }
    asking = false;
    update();
  }

  function update() {
    const state = live.first('state');
    if (state && !asking && state.lastHistoryStep !== last && failed === null) fetchHistory();
    if (live.state === 'lost') failed = null;
    const wanted = search.value.trim().toLowerCase();
    const all = live.rows('pools').sort((a, b) => a.id.localeCompare(b.id));
    const pools = all.filter(p => p.id.toLowerCase().includes(wanted));
    text(shown, pools.length === all.length ? plural(all.length, 'pool') : `${count(pools.length)} of ${plural(all.length, 'pool')}`);
    if (pools.length === 0) {
      clear(list, all.length === 0 ? empty('No pools', 'The manifests export none.') : empty('No pool has this in its name'));
      list.meshKeyed = null;
      return;
    }
    if (!list.meshKeyed) list.replaceChildren();
    const backends = live.rows('backends');
    const queue = live.rows('queue');
    const utilizations = live.rows('utilizations');
    keyed(list, pools.slice(0, maxCards), p => p.id, poolCard, (card, pool) => card.meshUpdate(pool, backends.filter(b => b.pool === pool.id).sort((a, b) => a.id.localeCompare(b.id)),
      queue.filter(q => q.pool === pool.id).sort((a, b) => b.priority - a.priority), utilizations.filter(u => u.pool === pool.id), history));
  }

  return {
    update,
    open(parts) {
      if (parts.length === 2) search.value = parts.join('/');
    },
  };
}

function figure(name) {
  const value = h('dd');
  return { element: h('div', {}, h('dt', {}, name), value), update(now, tone = null) { text(value, now); set(value, 'data-tone', tone); } };
}

function poolCard(pool) {
  const health = pill('');
  const figures = {
    rate: figure('Requests/s'), inFlight: figure('In flight'), queued: figure('Queued'), full: figure('Fullest'), first: figure('TTFT p50 / p95'), each: figure('TPOT p50 / p95'),
  };
  const sparks = {
    inFlight: sparkline('In flight', count), rate: sparkline('Requests per second', rate), queued: sparkline('Queued', count), first: sparkline('TTFT p95', ms), each: sparkline('TPOT p95', ms),
  };
  const spark = (name, part) => h('figure', {}, part.element, h('figcaption', {}, name));
  const queue = h('div', { class: 'queue' });
  const backends = h('tbody');
  const policy = policyDetails(pool.id);
  const card = h('section', { class: 'card pool', 'aria-label': `Pool ${pool.id}` },
    h('div', { class: 'card-head' }, h('h2', {}, h('span', { class: 'muted' }, pool.id.split('/')[0] + '/'), pool.id.split('/')[1]), health,
      pool.localToCluster ? pill(`only ${pool.localToCluster}`, 'info') : null, h('span', { class: 'muted profile' }, `profile ${pool.profile ?? dash}`)),
    h('dl', { class: 'figures' }, Object.values(figures).map(f => f.element)),
    h('div', { class: 'sparks' }, spark('In flight', sparks.inFlight), spark('Requests/s', sparks.rate), spark('Queued', sparks.queued), spark('TTFT p95', sparks.first), spark('TPOT p95', sparks.each)),
    queue,
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Backends of ${pool.id}` },
      h('table', { class: 'backends' },
        h('thead', {}, h('tr', {}, [['Backend'], ['h / N', 'Healthy endpoints of all'], ['Target'], ['Load'], ['Fullness', 'Load over target; the mark is the target'], ['Utilization', 'Custom metrics against their target, else the KV cache'],
          ['TTFT p50 / p95'], ['TPOT p50 / p95'], ['Fullness, 15 min']].map(([name, hint], i) => h('th', { scope: 'col', title: hint ?? null, class: [1, 2, 3, 6, 7].includes(i) ? 'num' : null }, name)))),
        backends)),
    policy.element);

  card.meshUpdate = (now, rows, bands, utilizations, history) => {
    const ready = readiness(now.readyEndpoints, now.endpoints);
    updatePill(health, `${ready.text} ready`, ready.tone);
    figures.rate.update(rate(now.requestsPerSecond));
    figures.inFlight.update(count(now.inFlightRequests));
    figures.queued.update(count(now.queuedRequests), now.queuedRequests > 0 ? 'warn' : null);
    figures.full.update(percent(now.fullness), now.fullness >= 1 ? 'bad' : null);
    figures.first.update(`${ms(now.firstTokenP50Ms)} / ${ms(now.firstTokenP95Ms)}`);
    figures.each.update(`${ms(now.outputTokenP50Ms)} / ${ms(now.outputTokenP95Ms)}`);
    updateQueue(queue, bands);
    keyed(backends, rows, b => b.id, backendRow, (row, b) => row.meshUpdate(b, utilizations.filter(u => u.backend === b.id), history.get(`${now.id} ${b.id}`)));
    const series = rows.map(b => history.get(`${now.id} ${b.id}`)).filter(s => s);
    sparks.inFlight.update(together(series, 'inFlightRequests', add));
    sparks.rate.update(together(series, 'requestsPerSecond', add));
    sparks.queued.update(history.get(`${now.id} `)?.queuedRequests ?? []);
    sparks.first.update(together(series, 'firstTokenP95Ms', Math.max));
    sparks.each.update(together(series, 'outputTokenP95Ms', Math.max));
  };
  return card;
}

const add = (a, b) => a + b;

// Backends that came later have shorter series: the ends are the same moment.
function together(series, name, join) {
  const length = Math.max(0, ...series.map(s => s[name].length));
  const values = new Array(length).fill(null);
  for (const one of series) {
    const offset = length - one[name].length;
    one[name].forEach((value, i) => { if (value !== null) values[offset + i] = values[offset + i] === null ? value : join(values[offset + i], value); });
  }
  return values;
}

function updateQueue(container, bands) {
  container.hidden = bands.length === 0;
  const most = Math.max(1, ...bands.map(b => b.requests));
  keyed(container, bands, b => b.priority, band => {
    const fill = h('span', { class: 'fill' });
    const facts = h('span');
    const row = h('div', { class: 'band' }, h('span', { class: 'band-name' }, `Priority ${band.priority}`), h('span', { class: 'track' }, fill), facts);
    row.meshUpdate = now => {
      fill.style.width = `${100 * now.requests / now.most}%`;
      text(facts, `${plural(now.requests, 'request')} of ${plural(now.flows, 'flow')}, the first for ${age(now.oldestWaitSeconds)}`);
    };
    return row;
  }, (row, band) => row.meshUpdate({ ...band, most }));
}

function backendRow(backend) {
  const cell = () => h('td', { class: 'num' });
  const cells = { endpoints: cell(), target: cell(), load: cell(), utilization: h('td', { class: 'utilization' }), first: cell(), each: cell() };
  const flags = h('span', { class: 'flags' });
  const bar = fullnessBar(`${backend.id} fullness`);
  const spark = sparkline('Fullness', percent, { width: 110, height: 26, least: 1 });
  const row = h('tr', {}, h('th', { scope: 'row' }, h('a', { href: `#/endpoints?pool=${encodeURIComponent(backend.pool)}&backend=${encodeURIComponent(backend.id)}` }, backend.cluster),
    h('span', { class: 'sub' }, `${backend.zone}:${backend.port} · ${backend.region}`), flags),
  cells.endpoints, cells.target, cells.load, h('td', {}, bar.element), cells.utilization, cells.first, cells.each, h('td', {}, spark.element));
  row.meshUpdate = (now, utilizations, history) => {
    const words = [];
    if (now.preference === 'PREFERRED') words.push(['preferred', 'info']);
    if (now.drained) words.push(['drained', 'warn']);
    if (now.capacityScaler !== 1) words.push([`capacity ${percent(now.capacityScaler)}`, now.capacityScaler === 0 ? 'warn' : 'plain']);
    keyed(flags, words, w => w[0], w => pill(...w));
    text(cells.endpoints, `${count(now.healthyEndpoints)} / ${count(now.endpoints)}`);
    set(cells.endpoints, 'data-tone', now.healthyEndpoints === 0 ? 'bad' : now.healthyEndpoints < now.endpoints ? 'warn' : null);
    text(cells.target, targetOf(now, utilizations));
    text(cells.load, now.targetRequestsPerSecond !== null ? `${rate(now.requestsPerSecond)} req/s` : `${count(now.inFlightRequests)} in flight`);
    set(cells.load, 'title', `${rate(now.requestsPerSecond)} req/s, ${count(now.inFlightRequests)} in flight, ${count(now.waitingRequests)} waiting`);
    bar.update(now.fullness, now.mode ? 'unknown' : 'no target');
    text(cells.utilization, utilizations.length > 0
      ? utilizations.map(u => `${u.metric} ${percent(u.valueRatio)} of ${percent(u.targetRatio)}${u.dryRun ? ' (dry run)' : ''}`).join(', ') : `KV ${percent(now.kvUtilizationRatio)}`);
    text(cells.first, `${ms(now.firstTokenP50Ms)} / ${ms(now.firstTokenP95Ms)}`);
    text(cells.each, `${ms(now.outputTokenP50Ms)} / ${ms(now.outputTokenP95Ms)}`);
    spark.update(history?.fullness ?? []);
  };
  return row;
}

function targetOf(backend, utilizations) {
  const parts = [];
  if (backend.targetRequestsPerSecond !== null) parts.push(`${rate(backend.targetRequestsPerSecond)} req/s`);
  if (backend.targetInFlightRequests !== null) parts.push(`${count(backend.targetInFlightRequests)} in flight`);
  if (backend.targetUtilizationRatio !== null) parts.push(`${percent(backend.targetUtilizationRatio)} utilization`);
  for (const metric of utilizations) if (!metric.dryRun) parts.push(`${metric.metric} ${percent(metric.targetRatio)}`);
  return parts.join(', ') || 'none';
}

// Asked for when it is opened: it changes with the manifests alone.
function policyDetails(id) {
  const body = h('div', { class: 'policy' });
  let version = null;
  const element = h('details', { ontoggle: () => element.open && load() }, h('summary', {}, 'Effective policy and where it is written'), body);
  async function load() {
    const now = live.first('state')?.configurationVersion;
    if (version === now) return;
    try {
      const pool = await get(`pools/${id.split('/').map(encodeURIComponent).join('/')}`);
      version = now;
      clear(body, policyTables(pool));
    } catch (e) {
      clear(body, h('p', { class: 'problem' }, e.message));
    }
  }
  return { element };
}

function policyTables(pool) {
  if (!pool.settings) return h('p', { class: 'muted' }, 'This gateway was configured by a program: there are no manifests to name.');
  const table = (caption, settings) => h('table', { class: 'settings' }, h('caption', {}, caption),
    h('thead', {}, h('tr', {}, ['Setting', 'Value', 'Source'].map(c => h('th', { scope: 'col' }, c)))),
    h('tbody', {}, settings.map(s => h('tr', { 'data-origin': s.origin }, h('th', { scope: 'row' }, s.name), h('td', {}, s.value), h('td', { class: 'source' }, s.source)))));
  return [
    h('p', {}, pool.policies.length === 0 ? 'No policy is attached: built-in defaults hold.' : ['Attached: ', pool.policies.map(p => [pill(`${p.kind} ${p.name}`, 'info'), ' '])]),
    table('Whole pool', pool.settings),
    pool.backends.map(b => [
      table(`${b.id}${b.scope ? `, by ${b.scope}` : ''}`, b.settings ?? []),
      b.capacity?.length ? h('p', { class: 'capacity' }, 'Target: ', b.capacity.map(c => `${c.measure}: ${c.formula} = ${Number(c.value.toFixed(6))}${c.dryRun ? ' (dry run)' : ''}`).join('; ')) : null,
    ]),
  ];
}
