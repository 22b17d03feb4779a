// The state machines that decide, their live state, and how they decided.
import { get } from '../api.js';
import { clear, h, keyed, nextId, set, text } from '../dom.js';
import { age, count, dash, ms, percent, plural, time } from '../format.js';
import { live } from '../live.js';
import { empty, pill, stateTone, updatePill } from '../parts.js';

export const title = 'Grains';

const refreshMs = 5000;

export function open(main, rest) {
  const machines = h('tbody');
  const decisions = h('div', { class: 'decisions' });
  const inputId = nextId('request');
  const request = h('input', { id: inputId, type: 'search', placeholder: 'Request id  ( / )', autocomplete: 'off', spellcheck: 'false', maxlength: 128 });
  const pool = h('select', { 'aria-label': 'Pool of the decisions', onchange: () => load() }, h('option', { value: '' }, 'All pools'));
  const follow = h('input', { type: 'checkbox', checked: true, onchange: () => load() });
  const note = h('p', { class: 'muted', role: 'status' });
  const form = h('form', { class: 'tools', onsubmit: e => { e.preventDefault(); follow.checked = !request.value.trim(); load(); } },
    h('label', { for: inputId, class: 'hidden-text' }, 'Request id'), request, h('button', { type: 'submit' }, 'Look up'), pool, h('label', { class: 'check' }, follow, ' keep up'));
  main.append(h('h1', {}, 'Grains'),
    h('section', { class: 'card' }, h('div', { class: 'card-head' }, h('h2', {}, 'State machines'), h('span', { class: 'muted' }, 'pools, the endpoints that they watch, and the gateways that hold leases')),
      h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'State machines' },
        h('table', { class: 'machines' }, h('thead', {}, h('tr', {}, ['Machine', 'Key', 'State', 'Facts', 'Silo', 'Epoch', 'Running for'].map(c => h('th', { scope: 'col' }, c)))), machines))),
    h('section', { class: 'card' }, h('div', { class: 'card-head' }, h('h2', {}, 'Decisions'), form), note, decisions));
  let askedAt = -Infinity;
  let serial = 0;
  if (rest[0]) {
    request.value = rest[0];
    follow.checked = false;
  }

  async function load() {
    askedAt = performance.now();
    const own = ++serial;
    const id = request.value.trim();
    const query = new URLSearchParams({ limit: id ? '100' : '30' });
    if (id) query.set('requestId', id);
    if (pool.value) query.set('pool', pool.value);
    try {
      const answer = await get(`decisions?${query}`);
      if (own !== serial) return;
      show(answer.decisions, id);
    } catch (e) {
      if (own === serial) text(note, e.message);
    }
  }

  function show(all, id) {
    text(note, all.length > 0 ? (id ? `${plural(all.length, 'decision')} on request ${id}, one for each attempt, the newest first.` : `${plural(all.length, 'decision')} kept, the newest first.`)
      : id ? `No decision on request ${id} is kept.` : 'No decision is kept yet. Kept are those of requests with the header x-mesh-explain: 1, a sample by Mesh:DecisionLog:SampleRate, and refusals.');
    keyed(decisions, all, d => `${d.request_id} ${d.pool} ${d.attempt} ${d.time}`, decision, (node, d) => node.meshUpdate(d));
    if (id && all.length > 0) for (const details of decisions.querySelectorAll('details')) details.open = true;
  }

  function update() {
    const ids = live.rows('pools').map(p => p.id).sort();
    if (pool.options.length !== ids.length + 1) {
      const current = pool.value;
      clear(pool, h('option', { value: '' }, 'All pools'), ids.map(id => h('option', { value: id }, id)));
      pool.value = current;
    }
    keyed(machines, machineRows(), m => `${m.kind} ${m.sortKey}`, machineRow, (row, m) => row.meshUpdate(m));
    const isFirst = askedAt === -Infinity;
    if (isFirst || (follow.checked && performance.now() - askedAt > refreshMs && !document.hidden)) load();
  }

  return {
    update,
    open(parts) {
      request.value = parts[0] ?? '';
      follow.checked = !parts[0];
      load();
    },
  };
}

function machineRows() {
  const endpoints = live.rows('endpoints');
  const rows = [];
  // Where machines run in silos, each says where; else all of them run in the process that serves this page.
  const machines = new Map(live.rows('machines').map(m => [`${m.kind} ${m.key}`, m]));
  const place = (kind, key, epoch) => {
    const machine = machines.get(`${kind} ${key}`);
    if (machine) return { where: siloOf(machine.host), whereTitle: machine.host, epoch: machine.epoch, running: machine.ageSeconds };
    return { where: machines.size > 0 ? dash : 'in process', epoch };
  };
  for (const pool of live.rows('pools').sort((a, b) => a.id.localeCompare(b.id))) {
    rows.push({
      kind: 'Pool', key: pool.id, href: `#/pools/${pool.id}`, ...place('pool', pool.id, pool.epoch),
      states: [[pool.readyEndpoints === 0 ? 'no endpoint' : pool.queuedRequests > 0 ? 'queueing' : 'placing', pool.readyEndpoints === 0 ? 'bad' : pool.queuedRequests > 0 ? 'warn' : 'good']],
      facts: `${plural(pool.leases, 'lease')}, ${plural(pool.sessions, 'session')}, ${count(pool.queuedRequests)} queued, profile ${pool.profile ?? dash}`,
    });
    // A divided pool: the row above is all of it; each shard is a machine of its own, the first under the pool's name.
    for (const shard of live.rows('shards').filter(s => s.pool === pool.id).sort((a, b) => a.shard - b.shard)) {
      rows.push({
        kind: 'Shard', key: `${pool.id} #${shard.shard}`, href: `#/pools/${pool.id}`, ...place('pool', shard.shard === 0 ? pool.id : `${pool.id}#${shard.shard}`, shard.epoch),
        states: [[shard.healthyEndpoints === 0 ? 'no endpoint' : shard.queuedRequests > 0 ? 'queueing' : 'placing', shard.healthyEndpoints === 0 ? 'bad' : shard.queuedRequests > 0 ? 'warn' : 'good']],
        facts: `${count(shard.healthyEndpoints)} of ${plural(shard.endpoints, 'endpoint')} healthy, ${plural(shard.leases, 'lease')}, ${count(shard.queuedRequests)} queued, `
          + `${count(shard.forwarded)} sent on to other shards, ${count(shard.received)} from them`,
      });
    }
    const own = endpoints.filter(e => e.pool === pool.id);
    const states = new Map();
    for (const endpoint of own) states.set(endpoint.state, (states.get(endpoint.state) ?? 0) + 1);
    const knowledge = new Map();
    for (const endpoint of own) knowledge.set(endpoint.cacheKnowledge, (knowledge.get(endpoint.cacheKnowledge) ?? 0) + 1);
    const oldest = Math.max(0, ...own.map(e => e.sampleAgeSeconds ?? 0));
    rows.push({
      kind: 'Endpoints', key: `${plural(own.length, 'endpoint')} of ${pool.id}`, id: pool.id, href: `#/endpoints?pool=${encodeURIComponent(pool.id)}`,
      where: machines.size > 0 ? 'spread over the silos' : 'in process',
      states: [...states].sort().map(([state, n]) => [`${count(n)} ${state}`, stateTone(state), `#/endpoints?pool=${encodeURIComponent(pool.id)}&state=${state}`]),
      facts: `oldest sample ${age(oldest)}, caches known by ${[...knowledge].sort().map(([k, n]) => `${k} (${count(n)})`).join(', ') || dash}, ${count(own.reduce((sum, e) => sum + e.ejections, 0))} ejections`,
    });
  }
  for (const region of live.rows('regions').sort((a, b) => a.name.localeCompare(b.name))) {
    rows.push({
      kind: 'Region', key: region.name, href: '#/mesh', ...(region.own || region.link === 'direct' ? place('region', region.name) : { where: 'another region' }),
      states: [[region.link, { own: 'good', reachable: 'good', direct: 'info', stale: 'warn', unreachable: 'bad', refused: 'bad' }[region.link] ?? 'plain']],
      facts: `${count(region.readyEndpoints)} of ${count(region.endpoints)} endpoints ready, ${percent(region.fullness)} of target`
        + (region.roundTripMs === null ? '' : `, RTT ${ms(region.roundTripMs)}`) + (region.reportAgeSeconds === null ? '' : `, report ${age(region.reportAgeSeconds)} old`),
    });
  }
  for (const cluster of [...machines.values()].filter(m => m.kind === 'cluster').sort((a, b) => a.key.localeCompare(b.key))) {
    rows.push({
      kind: 'Cluster', key: cluster.key, href: '#/mesh', ...place('cluster', cluster.key),
      states: [[cluster.endpoints === 0 ? 'no endpoint' : cluster.readyEndpoints === cluster.endpoints ? 'ready' : 'degraded',
        cluster.endpoints === 0 || cluster.readyEndpoints === 0 ? 'bad' : cluster.readyEndpoints === cluster.endpoints ? 'good' : 'warn']],
      facts: `${count(cluster.readyEndpoints)} of ${count(cluster.endpoints)} endpoints ready, oldest sample ${age(cluster.sampleAgeSeconds)}`
        + (cluster.configVersion > 0 ? `, publishes configuration ${cluster.configVersion}` : ''),
    });
  }
  for (const session of live.rows('sessions').sort((a, b) => a.session.localeCompare(b.session))) {
    rows.push({
      kind: 'Session', key: session.session, where: session.own ? 'this gateway' : 'another gateway', states: [['alive', 'good']], facts: `holds ${plural(session.leases, 'lease')}`,
    });
  }
  return rows.map(row => ({ ...row, key: row.key, sortKey: row.id ?? row.key }));
}

// A silo is called by its address; what comes after the @ tells its starts apart.
const siloOf = host => host.split('@')[0];

function machineRow(machine) {
  const states = h('td', { class: 'states' });
  const facts = h('td');
  const key = h('span');
  // The labels show where there is no room for the heads of the columns.
  const where = h('td', { class: 'muted', 'data-label': 'Silo' });
  const epoch = h('td', { class: 'num', 'data-label': 'Epoch' });
  const running = h('td', { class: 'num', 'data-label': 'Running for' });
  const row = h('tr', {}, h('th', { scope: 'row' }, machine.kind), h('td', {}, machine.href ? h('a', { href: machine.href }, key) : key), states, facts, where, epoch, running);
  row.meshUpdate = now => {
    text(key, now.key);
    text(facts, now.facts);
    text(where, now.where);
    set(where, 'title', now.whereTitle ?? null);
    text(epoch, now.epoch ? String(now.epoch) : dash);
    text(running, age(now.running));
    for (const cell of [where, epoch, running]) set(cell, 'data-none', cell.textContent === dash);
    keyed(states, now.states, (s) => s[1] + (s[2] ?? ''), s => s[2] ? h('a', { href: s[2], class: 'plain-link' }, pill(s[0], s[1])) : pill(s[0], s[1]),
      (node, s) => updatePill(node.matches('a') ? node.firstChild : node, s[0], s[1]));
  };
  return row;
}

const outcomes = { send: ['sent', 'good'], wait: ['waits', 'warn'], refuse: ['refused', 'bad'], cancelled: ['cancelled', 'plain'] };

function decision(first) {
  const outcome = pill('');
  const body = h('div', { class: 'decision-body' });
  const to = h('span', { class: 'decision-to' });
  const waited = h('span', { class: 'muted' });
  let drawn = '';
  const node = h('details', { class: 'decision' }, h('summary', {},
    h('time', { datetime: first.time }, time(first.time)), h('code', { class: 'request-id' }, first.request_id), outcome, to, waited), body);
  const draw = () => {
    const now = node.meshDecision;
    const content = JSON.stringify(now);
    if (!node.open || content === drawn) return;
    drawn = content;
    clear(body, decisionBody(now));
  };
  node.addEventListener('toggle', draw);
  node.meshUpdate = now => {
    node.meshDecision = now;
    updatePill(outcome, ...outcomes[now.outcome] ?? [now.outcome, 'plain']);
    text(to, [now.endpoint ? `→ ${now.endpoint}` : '', now.reason ? `because ${now.reason.replaceAll('_', ' ')}` : ''].filter(Boolean).join(' '));
    text(waited, now.waited_ms >= 0.1 ? `waited ${ms(now.waited_ms)}` : '');
    draw();
  };
  return node;
}

function decisionBody(d) {
  const fact = (name, value) => h('div', {}, h('dt', {}, name), h('dd', {}, value));
  const candidates = d.candidates ?? [];
  const byCost = candidates.some(c => c.cost_ms !== undefined);
  const cost = c => c.cost_ms ?? 0;
  const most = Math.max(...candidates.map(c => byCost ? cost(c) : c.score ?? 0), 0);
  return [
    h('dl', { class: 'figures' }, fact('Pool', d.pool), fact('Model', d.model ?? dash), fact('Prompt', `${count(d.prompt_tokens)} tokens`), fact('Priority', d.priority), fact('Attempt', d.attempt),
      fact('Profile', d.profile || dash), fact('Others waiting', count(d.waiting_requests)), d.wait_reason ? fact('It waited', d.wait_reason.replaceAll('_', ' ')) : null),
    candidates.length === 0 ? h('p', { class: 'muted' }, 'No candidate was noted.') : h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Candidates of ${d.request_id}` },
      h('table', {}, h('caption', {}, `The best ${candidates.length} of ${plural(d.candidate_count, 'candidate')}, as they were when the request came`),
        h('thead', {}, h('tr', {}, ['Endpoint', byCost ? 'Cost' : 'Score', 'TTFT', 'Wait', 'Queued', 'Own prompt', 'Cached', 'TPOT', 'In flight', 'KV'].map((name, i) => h('th', { scope: 'col', class: i > 0 ? 'num' : null }, name)))),
        h('tbody', {}, candidates.map(c => {
          const bar = h('span', { class: 'mini' }, h('span'));
          bar.firstChild.style.width = most > 0 ? `${100 * (byCost ? cost(c) : c.score ?? 0) / most}%` : '0%';
          return h('tr', { class: c.chosen ? 'chosen' : null }, h('th', { scope: 'row' }, c.endpoint, c.chosen ? [' ', pill('chosen', 'good')] : null, h('span', { class: 'sub' }, c.backend ?? 'not looked at')),
            h('td', { class: 'num', title: c.scores?.map(s => `${s.scorer} ${s.score} × ${s.weight}`).join('\n') ?? null }, bar, byCost ? ms(cost(c)) : c.score?.toFixed(3) ?? dash),
            [c.predicted_ttft_ms, c.wait_ms, c.queued_ms, c.own_ms].map(v => h('td', { class: 'num' }, ms(v))), h('td', { class: 'num' }, count(c.cached_tokens)), h('td', { class: 'num' }, ms(c.predicted_tpot_ms)),
            h('td', { class: 'num' }, count(c.in_flight_requests)), h('td', { class: 'num' }, percent(c.kv_utilization_ratio)));
        })))),
    d.removed_by?.length ? h('p', {}, 'Removed: ', d.removed_by.map(r => `${r.filter} ${count(r.count)}`).join(', '), d.removed?.length ? h('span', { class: 'muted' }, ` (${d.removed.map(r => r.endpoint).join(', ')})`) : null) : null,
    d.backends?.length ? h('p', { class: 'muted' }, 'Backends then: ', d.backends.map(b => `${b.backend} ${percent(b.fullness)} of target, ${b.healthy} of ${b.endpoints} healthy${b.open ? '' : ', closed'}`).join('; ')) : null,
  ];
}
