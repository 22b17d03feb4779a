// Regions and clusters as a map of flows, and the mesh at a glance.
import { clear, h, keyed, set, text } from '../dom.js';
import { drainButton, drains, refreshDrains } from '../drains.js';
import { age, count, dash, ms, percent, plural, rate, short } from '../format.js';
import { live } from '../live.js';
import { empty, fullnessBar, pill, readiness, tile, updatePill } from '../parts.js';

export const title = 'Mesh';

export function open(main) {
  const tiles = {
    ready: tile('Ready endpoints', 'Endpoints that can be sent requests'),
    inFlight: tile('In flight', 'Requests that endpoints work on'),
    rate: tile('Requests per second', 'Placed over the last second'),
    queued: tile('Queued', 'Requests that wait in pools'),
    full: tile('Fullest backend', 'Load over target'),
    ttft: tile('TTFT p95', 'Time to the first token over the last minute, of the slowest pool'),
  };
  const map = h('div', { class: 'map' });
  const regions = h('div', { class: 'regions' });
  const flows = h('tbody');
  const flowsEmpty = h('p', { class: 'muted' }, 'No request has been placed yet.');
  main.append(
    h('h1', {}, 'Mesh'),
    h('dl', { class: 'tiles' }, Object.values(tiles).map(t => t.element)),
    h('section', { class: 'card', 'aria-labelledby': 'map-title' },
      h('div', { class: 'card-head' }, h('h2', { id: 'map-title' }, 'Flows'),
        h('ul', { class: 'legend', 'aria-hidden': 'true' },
          h('li', { 'data-kind': 'direct' }, 'first choice'), h('li', { 'data-kind': 'overflow' }, 'overflow'), h('li', { 'data-kind': 'idle' }, 'idle'))),
      map),
    h('h2', {}, 'Regions and clusters'),
    regions,
    h('section', { class: 'card' }, h('div', { class: 'card-head' }, h('h2', {}, 'Flows by reason')),
      h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Flows by reason' },
        h('table', { class: 'flows' }, h('thead', {}, h('tr', {}, ['Pool', 'To', 'Reason'].map(c => h('th', { scope: 'col' }, c)), ['Requests/s', 'Total'].map(c => h('th', { scope: 'col', class: 'num' }, c)))), flows)),
      flowsEmpty));
  const drawing = new FlowMap(map);

  function update() {
    refreshDrains();
    const pools = live.rows('pools');
    const backends = live.rows('backends');
    const state = live.first('state') ?? {};
    const sum = name => backends.reduce((total, b) => total + b[name], 0);
    const ready = readiness(sum('readyEndpoints'), sum('endpoints'));
    tiles.ready.update(ready.text, plural(pools.length, 'pool'), ready.tone === 'good' ? null : ready.tone);
    tiles.inFlight.update(count(sum('inFlightRequests')), plural(state.openRequests ?? 0, 'open request') + ' here');
    tiles.rate.update(rate(sum('requestsPerSecond')), 'over the last second');
    const oldest = Math.max(0, ...live.rows('queue').map(q => q.oldestWaitSeconds));
    tiles.queued.update(count(state.queuedRequests), state.queuedRequests > 0 ? `the first for ${age(oldest)}` : 'nobody waits', state.queuedRequests > 0 ? 'warn' : null);
    const fullest = backends.filter(b => b.fullness !== null).sort((a, b) => b.fullness - a.fullness)[0];
    tiles.full.update(fullest ? percent(fullest.fullness) : dash, fullest ? `${fullest.cluster} · ${fullest.pool.split('/')[1]}` : 'no targets', fullest?.fullness >= 1 ? 'bad' : null);
    const slowest = pools.filter(p => p.firstTokenP95Ms !== null).sort((a, b) => b.firstTokenP95Ms - a.firstTokenP95Ms)[0];
    tiles.ttft.update(slowest ? ms(slowest.firstTokenP95Ms) : dash, slowest ? slowest.id.split('/')[1] : 'no streams in the last minute');
    updateRegions(regions);
    drawing.update(state);
    const all = live.rows('flows').sort((a, b) => b.requestsPerSecond - a.requestsPerSecond || b.total - a.total).slice(0, 50);
    flowsEmpty.hidden = all.length > 0;
    flows.parentElement.hidden = all.length === 0;
    keyed(flows, all, f => f.number, flowRow, (row, f) => row.meshUpdate(f));
  }

  return { update };
}

function flowRow(flow) {
  const cells = { rate: h('td', { class: 'num' }), total: h('td', { class: 'num' }) };
  const row = h('tr', {}, h('td', {}, flow.pool || 'all'), h('td', {}, flow.cluster ? `${flow.cluster} · ${flow.region}` : `gateway of ${flow.region}`),
    h('td', {}, pill(flow.reason.replaceAll('_', ' '), flow.overflow ? 'warn' : 'plain')), cells.rate, cells.total);
  row.meshUpdate = now => {
    text(cells.rate, rate(now.requestsPerSecond));
    text(cells.total, count(now.total));
  };
  return row;
}

function updateRegions(container) {
  const clusters = live.rows('clusters');
  const regions = live.rows('regions').sort((a, b) => b.own - a.own || a.name.localeCompare(b.name));
  if (regions.length === 0) {
    if (!container.firstChild) container.append(empty('No region', 'The manifests name no cluster.'));
    return;
  }
  keyed(container, regions, r => r.name, regionCard, (card, region) => card.meshUpdate(region, clusters.filter(c => c.region === region.name)));
}

const links = {
  own: ['own', 'good', 'This gateway serves it'], direct: ['direct', 'info', 'This gateway reaches its endpoints itself'], reachable: ['reachable', 'good', 'Its reports arrive'],
  stale: ['stale', 'warn', 'Its last report is old: nothing new is sent there'], unreachable: ['cut off', 'bad', 'No report for long'],
  connecting: ['connecting', 'plain', 'It has not been heard yet'], refused: ['refused', 'bad', 'One of the two does not take the other for its peer: the log says why'],
};

function regionCard(region) {
  const link = pill('');
  const facts = h('span', { class: 'muted' });
  const rows = h('div', { class: 'cluster-rows' });
  const bar = fullnessBar(`${region.name} fullness`);
  const health = pill('');
  const peer = h('div', { class: 'cluster-row peer' }, h('span', {}, 'as it reports'), health, bar.element);
  const button = drainButton('region', region.name);
  const drained = pill('drained', 'info');
  const card = h('section', { class: 'card region' }, h('div', { class: 'card-head' }, h('h3', {}, region.name), link, drained, facts, button.element), peer, rows);
  card.meshUpdate = (now, clusters) => {
    // A peer's endpoints are its own gateway's to drain, and only what was sent there is counted here.
    const isPeer = now.link !== 'own' && now.link !== 'direct';
    button.update();
    if (isPeer) button.element.hidden = true;
    // What a peer said last is no news of one that is not heard.
    peer.hidden = !isPeer || !isHeard(now) || !(now.endpoints > 0);
    if (!peer.hidden) {
      const ready = readiness(now.readyEndpoints, now.endpoints);
      updatePill(health, `${ready.text} ready`, ready.tone, 'Its endpoints that can be sent requests');
      bar.update(now.fullness);
    }
    drained.hidden = drains.of('region', region.name) === null;
    updatePill(link, ...links[now.link] ?? [now.link, 'plain']);
    const parts = isPeer ? [`${count(now.inFlightRequests)} in flight from here`] : [`${rate(now.requestsPerSecond)} req/s`, `${count(now.inFlightRequests)} in flight`];
    if (now.roundTripMs !== null) parts.push(`RTT ${ms(now.roundTripMs)}`);
    if (now.creditRequests !== null) parts.push(`${count(now.creditRequests)} credits`);
    if (now.reportAgeSeconds !== null) parts.push(`report ${age(now.reportAgeSeconds)} old`);
    text(facts, parts.join(' · '));
    keyed(rows, clusters, c => c.name, clusterRow, (row, c) => row.meshUpdate(c));
  };
  return card;
}

function clusterRow(cluster) {
  const health = pill('');
  const facts = h('span', { class: 'cluster-facts' });
  const bar = fullnessBar(`${cluster.name} fullness`);
  const button = drainButton('cluster', cluster.name);
  const row = h('div', { class: 'cluster-row' },
    h('a', { class: 'cluster-name', href: `#/endpoints?cluster=${encodeURIComponent(cluster.name)}` }, cluster.name),
    h('span', { class: 'muted zone' }, cluster.zone, cluster.configCluster ? ' · config cluster ' : ' ', button.element), health, bar.element, facts);
  row.meshUpdate = now => {
    const ready = readiness(now.readyEndpoints, now.endpoints);
    button.update();
    const isDrained = drains.of('cluster', now.name) !== null;
    updatePill(health, isDrained ? 'drained' : `${ready.text} ready`, isDrained ? 'info' : ready.tone, 'Endpoints that can be sent requests');
    bar.update(now.fullness);
    text(facts, `${rate(now.requestsPerSecond)} req/s · ${count(now.inFlightRequests)} in flight`);
  };
  return row;
}

/** The map: this gateway, and a line to each cluster, or to the gateway of a peer region, as thick as what flows there. Drawn anew when the fleet or the width changes, else only brought up to date. */
class FlowMap {
  constructor(container) {
    this.container = container;
    this.shape = '';
  }

  update(state) {
    const clusters = targets().sort((a, b) => a.region.localeCompare(b.region) || a.name.localeCompare(b.name)).slice(0, 40);
    const narrow = this.container.clientWidth < 560;
    const shape = JSON.stringify([this.container.clientWidth, state.region, clusters.map(c => c.key)]);
    if (shape !== this.shape) {
      this.shape = shape;
      this.draw(state, clusters, Math.max(300, this.container.clientWidth), narrow);
    }
    const flows = new Map();
    for (const flow of live.rows('flows')) {
      const key = flow.cluster || peerKey(flow.region);
      const known = flows.get(key) ?? { rate: 0, overflow: 0 };
      known.rate += flow.requestsPerSecond;
      if (flow.overflow) known.overflow += flow.requestsPerSecond;
      flows.set(key, known);
    }
    const most = Math.max(1, ...[...flows.values()].map(f => f.rate));
    for (const cluster of clusters) this.parts.get(cluster.key)?.(cluster, flows.get(cluster.key) ?? { rate: 0, overflow: 0 }, most);
    for (const region of live.rows('regions')) {
      const parts = [region.name];
      if (region.roundTripMs !== null) parts.push(`RTT ${ms(region.roundTripMs)}`);
      if (region.creditRequests !== null) parts.push(`${short(region.creditRequests)} credits`);
      // What finds no room in the box stands on the region's card below.
      while (parts.length > 1 && parts.join(' · ').length > this.nameRoom) parts.pop();
      if (this.regionNames.has(region.name)) text(this.regionNames.get(region.name), fit(parts.join(' · '), this.nameRoom * 7.4));
    }
    const all = [...flows.values()].reduce((sum, f) => sum + f.rate, 0);
    text(this.total, `${rate(all)} req/s`);
    set(this.svg, 'aria-label', `Flows from ${state.region || 'this gateway'}: ` + clusters.map(c => `${c.isPeer ? c.region : c.name} ${rate(flows.get(c.key)?.rate ?? 0)} requests per second`).join(', '));
  }

  draw(state, clusters, width, narrow) {
    this.parts = new Map();
    // Many clusters stand closer together, name, figure and bar in one line's height.
    const compact = clusters.length > 8;
    const rowHeight = compact ? 38 : 62;
    const boxHeight = compact ? 32 : 50;
    const gap = 30;
    const left = narrow ? 12 : 16;
    const boxWidth = narrow ? 96 : 150;
    const targetWidth = narrow ? Math.min(170, width - boxWidth - 70) : 240;
    const targetX = width - targetWidth - left;
    this.nameRoom = Math.floor((targetWidth + 8) / 6.6);
    const groups = new Map();
    for (const cluster of clusters) groups.set(cluster.region, [...groups.get(cluster.region) ?? [], cluster]);
    let y = 8;
    const shapes = [];
    const names = [];
    this.regionNames = new Map();
    const links = [];
    const places = [];
    for (const [region, members] of groups) {
      const height = gap + members.length * rowHeight;
      shapes.push(h('rect', { class: 'map-region', x: targetX - 10, y, width: targetWidth + 20, height, rx: 10 }),
        names[names.length] = h('text', { class: 'map-region-name', x: targetX, y: y + 20 }));
      this.regionNames.set(region, names[names.length - 1]);
      members.forEach((cluster, i) => places.push({ cluster, y: y + gap + i * rowHeight }));
      y += height + 14;
    }
    const height = Math.max(150, y);
    const center = height / 2;
    for (const place of places) {
      const at = place.y + boxHeight / 2;
      const fromX = left + boxWidth;
      const toX = targetX;
      const curve = `M${fromX} ${center}C${fromX + (toX - fromX) * 0.5} ${center} ${toX - (toX - fromX) * 0.5} ${at} ${toX} ${at}`;
      const line = h('path', { class: 'map-flow', d: curve });
      const over = h('path', { class: 'map-flow overflow', d: curve });
      links.push(line, over);
      const box = h('rect', { class: 'map-cluster', x: targetX, y: place.y, width: targetWidth, height: boxHeight, rx: compact ? 6 : 8 });
      const name = h('text', { class: 'map-name', x: targetX + 12, y: place.y + (compact ? 16 : 20) }, fit(place.cluster.name, targetWidth - (narrow && !compact ? 20 : 110)));
      const flowText = h('text', narrow && !compact ? { class: 'map-number', x: targetX + 12, y: place.y + 36 } : { class: 'map-number', x: targetX + targetWidth - 12, y: place.y + (compact ? 16 : 20), 'text-anchor': 'end' });
      const barWidth = targetWidth - 24;
      const thin = narrow || compact;
      const barY = compact ? place.y + 25 : narrow ? place.y + 42 : place.y + 34;
      const fill = h('rect', { class: 'map-fill', x: targetX + 12, y: barY, width: 0, height: thin ? 4 : 6, rx: 2 });
      const details = h('title');
      const group = h('g', { class: 'map-node' }, details, box, name, flowText, h('rect', { class: 'map-track', x: targetX + 12, y: barY, width: barWidth, height: thin ? 4 : 6, rx: 2 }), fill,
        h('line', { class: 'map-target', x1: targetX + 12 + barWidth * 0.75, x2: targetX + 12 + barWidth * 0.75, y1: barY - 2, y2: barY + (thin ? 6 : 8) }));
      shapes.push(group);
      this.parts.set(place.cluster.key, (now, flow, most) => {
        const thickness = flow.rate > 0 ? 1.5 + 9 * Math.sqrt(flow.rate / most) : 1;
        line.style.strokeWidth = `${thickness}px`;
        set(line, 'data-idle', flow.rate === 0);
        over.style.strokeWidth = flow.overflow > 0 ? `${Math.max(1.5, thickness * flow.overflow / flow.rate)}px` : '0px';
        set(over, 'visibility', flow.overflow > 0 ? 'visible' : 'hidden');
        text(flowText, `${rate(flow.rate)} req/s`);
        const level = now.fullness;
        set(fill, 'width', level === null ? 0 : (barWidth * Math.min(1, level * 0.75)).toFixed(1));
        set(fill, 'data-level', level === null ? 'none' : level >= 1 ? 'over' : level >= 0.8 ? 'near' : 'fine');
        set(group, 'data-health', now.isPeer ? (now.link === 'reachable' ? 'good' : isHeard(now) ? 'warn' : 'bad') : now.readyEndpoints === 0 ? 'bad' : now.readyEndpoints < now.endpoints ? 'warn' : 'good');
        text(details, now.isPeer ? `${now.region}: ${level === null ? 'fullness unknown' : percent(level) + ' of target'}, ${short(now.inFlightRequests)} in flight from here, ${rate(flow.rate)} req/s` : `${now.name}: ${now.readyEndpoints} of ${now.endpoints} endpoints ready, ${level === null ? 'no target' : percent(level) + ' of target'}, ${short(now.inFlightRequests)} in flight, `
          + `${rate(flow.rate)} req/s of which ${rate(flow.overflow)} overflow`);
      });
    }
    this.total = h('text', { class: 'map-number', x: left + boxWidth / 2, y: center + 16, 'text-anchor': 'middle' });
    const origin = [h('rect', { class: 'map-origin', x: left, y: center - 32, width: boxWidth, height: 64, rx: 10 }),
      h('text', { class: 'map-origin-name', x: left + boxWidth / 2, y: center - 4, 'text-anchor': 'middle' }, fit(state.region || (narrow ? 'Gateway' : 'This gateway'), boxWidth - 18)), this.total];
    this.svg = h('svg', { viewBox: `0 0 ${width} ${height}`, width, height, role: 'img' }, links, shapes, origin);
    clear(this.container, clusters.length > 0 ? this.svg : empty('No clusters', 'The manifests name none.'));
  }
}

// Whose last report still says something: a stale one is a moment old.
const isHeard = region => region.link === 'reachable' || region.link === 'stale';

const peerKey = region => `region ${region}`;

// Where requests can go from here: clusters whose endpoints this gateway reaches itself, and the gateways of peer regions.
function targets() {
  const regions = live.rows('regions');
  const peers = new Map(regions.filter(r => r.link !== 'own' && r.link !== 'direct').map(r => [r.name, r]));
  const clusters = live.rows('clusters').filter(c => !peers.has(c.region)).map(c => ({ ...c, key: c.name }));
  const gateways = [...peers.values()].map(r => ({ ...r, key: peerKey(r.name), name: 'gateway', region: r.name, isPeer: true, fullness: isHeard(r) ? r.fullness ?? null : null }));
  return [...clusters, ...gateways];
}

// About as many characters as there is room for; the whole name stands in the title and in the list below.
function fit(name, width) {
  const most = Math.max(4, Math.floor(width / 7.4));
  return name.length <= most ? name : name.slice(0, most - 1) + '…';
}
