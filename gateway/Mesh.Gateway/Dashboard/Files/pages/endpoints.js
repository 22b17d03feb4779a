// Endpoints: a table of thousands of rows, of which only those in sight exist.
import { h, set, text } from '../dom.js';
import { drain, drains, onDrains, refreshDrains, undrain } from '../drains.js';
import { age, count, dash, ms, percent, plural, short } from '../format.js';
import { live } from '../live.js';
import { statePhrase, stateTone } from '../parts.js';

export const title = 'Endpoints';

const rowHeight = 40;
const spare = 6;
const gravity = { ready: 0, asleep: 1, drained: 2, draining: 3, ejected: 4, unknown: 5, unhealthy: 6 };
const ratioCell = value => ({ text: percent(value), bar: value });

// Each column: what it is called, what it shows, and by what it is sorted.
const columns = [
  { key: 'address', name: 'Endpoint', width: 230, show: e => ({ text: e.address, sub: e.pod }), sort: e => e.address },
  { key: 'state', name: 'State', width: 108, show: e => ({ pill: e.state, tone: stateTone(e.state), title: e.ejectedForSeconds ? `ejected for ${age(e.ejectedForSeconds)} more` : statePhrase(e.state) }), sort: e => gravity[e.state] ?? 9 },
  { key: 'cluster', name: 'Cluster', width: 170, show: e => ({ text: e.cluster, sub: e.region }), sort: e => `${e.cluster} ${e.address}` },
  { key: 'pool', name: 'Pool', width: 190, show: e => ({ text: e.pool.split('/')[1], sub: e.pool.split('/')[0] }), sort: e => e.pool },
  { key: 'inFlightRequests', name: 'In flight', width: 84, number: true, show: e => ({ text: count(e.inFlightRequests) }), hint: 'Requests in flight, exact' },
  { key: 'inFlightTokens', name: 'Tokens', width: 82, number: true, show: e => ({ text: short(e.inFlightTokens) }), hint: 'Prompt and expected output tokens in flight' },
  { key: 'waitingRequests', name: 'Waiting', width: 82, number: true, show: e => ({ text: count(e.waitingRequests), title: `predicted wait ${ms(e.predictedWaitMs)}` }), hint: 'Requests that wait in the pool for it' },
  { key: 'predictedWaitMs', name: 'Wait', width: 82, number: true, show: e => ({ text: ms(e.predictedWaitMs) }), hint: 'Predicted time until a prompt sent now would begin to be computed' },
  { key: 'kvUtilizationRatio', name: 'KV cache', width: 100, number: true, show: e => ratioCell(e.kvUtilizationRatio), hint: 'Share of the KV cache in use, as last scraped' },
  { key: 'prefixHitRatio', name: 'Prefix hits', width: 100, number: true, show: e => ratioCell(e.prefixHitRatio), hint: 'Prompt tokens found in the prefix cache since the engine’s start' },
  { key: 'engineRunningRequests', name: 'Batch', width: 72, number: true, show: e => ({ text: count(e.engineRunningRequests), title: `${count(e.engineWaitingRequests)} in the engine’s own queue` }), hint: 'Requests in the engine’s batch, as last scraped' },
  { key: 'runningAdapters', name: 'LoRA', width: 120, show: e => ({ text: e.runningAdapters ?? dash, title: e.models ? `lists ${e.models}` : null }), sort: e => e.runningAdapters, hint: 'Adapters that run' },
  { key: 'sampleAgeSeconds', name: 'Sample', width: 80, number: true, show: e => ({ text: e.sampleAgeSeconds === null ? 'never' : age(e.sampleAgeSeconds), tone: e.sampleAgeSeconds === null || e.sampleAgeSeconds >= 5 ? 'warn' : null }), hint: 'Age of the last sample of its own metrics' },
  { key: 'ejections', name: 'Ejections', width: 92, number: true, show: e => ({ text: count(e.ejections), tone: e.ejections > 0 ? 'warn' : null }), hint: 'Times that it was left alone for failing requests' },
];

export function open(main, rest, query) {
  let sortKey = 'address';
  let descending = false;
  let rows = [];
  let wanted = null;
  const search = h('input', { type: 'search', placeholder: 'Address or pod  ( / )', 'aria-label': 'Filter by address or pod', oninput: refilter });
  const selects = Object.fromEntries([['pool', 'All pools'], ['cluster', 'All clusters'], ['region', 'All regions'], ['state', 'All states']].map(([key, all]) =>
    [key, h('select', { 'aria-label': `Filter by ${key}`, onchange: refilter }, h('option', { value: '' }, all))]));
  const shown = h('span', { class: 'muted', role: 'status' });
  const actions = h('th', { scope: 'col', class: 'act' }, h('span', { class: 'hidden-text' }, 'Drain'));
  const heads = columns.map(column => {
    const head = h('th', { scope: 'col', class: column.number ? 'num' : null, title: column.hint ?? null },
      h('button', { type: 'button', onclick: () => sortBy(column) }, column.name, h('span', { class: 'arrow', 'aria-hidden': 'true' })));
    return head;
  });
  const above = h('tr', { class: 'spacer', 'aria-hidden': 'true' }, h('td', { colspan: columns.length + 1 }));
  const below = h('tr', { class: 'spacer', 'aria-hidden': 'true' }, h('td', { colspan: columns.length + 1 }));
  const body = h('tbody', {}, above, below);
  const table = h('table', { class: 'endpoints' }, h('colgroup', {}, columns.map(c => { const col = h('col'); col.style.width = `${c.width}px`; return col; }), widthOf(96)),
    h('thead', {}, h('tr', {}, heads, actions)), body);
  table.style.width = `${columns.reduce((sum, c) => sum + c.width, 96)}px`;
  const none = h('p', { class: 'empty', hidden: true });
  const scroller = h('div', { class: 'scroll tall', tabindex: 0, role: 'region', 'aria-label': 'Endpoints' }, table, none);
  const nodes = [];
  main.append(h('div', { class: 'page-head' }, h('h1', {}, 'Endpoints'), h('div', { class: 'tools' }, search, Object.values(selects), shown)), scroller);
  scroller.addEventListener('scroll', place, { passive: true });
  const endDrains = onDrains(update);
  preset(query);

  function preset(from) {
    wanted = Object.fromEntries([...Object.keys(selects), 'backend'].map(key => [key, from.get(key) ?? '']));
    for (const key of Object.keys(selects)) {
      if (wanted[key] && ![...selects[key].options].some(o => o.value === wanted[key])) selects[key].append(h('option', { value: wanted[key] }, wanted[key]));
      selects[key].value = wanted[key];
    }
    search.value = from.get('search') ?? '';
  }

  function refilter() {
    wanted.backend = '';
    scroller.scrollTop = 0;
    update();
  }

  function sortBy(column) {
    // Numbers begin with the greatest: that is what one looks for.
    if (sortKey === column.key) descending = !descending;
    else { sortKey = column.key; descending = column.number === true || column.key === 'state'; }
    update();
  }

  function update() {
    refreshDrains();
    const all = live.rows('endpoints');
    for (const [key, select] of Object.entries(selects)) options(select, [...new Set(all.map(e => e[key]))].sort());
    const needle = search.value.trim().toLowerCase();
    rows = all.filter(e => (!needle || e.address.includes(needle) || e.pod.toLowerCase().includes(needle)) && (!wanted.backend || e.backend === wanted.backend)
      && Object.entries(selects).every(([key, select]) => !select.value || e[key] === select.value));
    const column = columns.find(c => c.key === sortKey);
    const by = column.sort ?? (e => e[sortKey]);
    const sign = descending ? -1 : 1;
    rows = rows.map(e => [by(e), e]).sort(([a, x], [b, y]) => {
      // What is not known comes last either way.
      if (a === null || b === null) return a === b ? x.number - y.number : a === null ? 1 : -1;
      return sign * (a < b ? -1 : a > b ? 1 : 0) || x.number - y.number;
    }).map(([, e]) => e);
    heads.forEach((head, i) => set(head, 'aria-sort', columns[i].key === sortKey ? descending ? 'descending' : 'ascending' : null));
    text(shown, rows.length === all.length ? plural(all.length, 'endpoint') : `${count(rows.length)} of ${plural(all.length, 'endpoint')}`);
    none.hidden = rows.length > 0;
    text(none, all.length === 0 ? 'No endpoint is configured.' : 'No endpoint is like this.');
    set(table, 'aria-rowcount', rows.length + 1);
    table.dataset.drains = String(drains.available === true);
    place();
  }

  // Only the rows in sight, and a few more, are there; they are used again as they leave it.
  function place() {
    const first = Math.max(0, Math.min(rows.length, Math.floor(scroller.scrollTop / rowHeight) - spare));
    const last = Math.min(rows.length, first + Math.ceil(scroller.clientHeight / rowHeight) + 2 * spare);
    while (nodes.length < last - first) nodes.push(makeRow());
    for (let i = 0; i < nodes.length; i++) {
      const node = nodes[i];
      if (first + i < last) {
        fill(node, rows[first + i], first + i);
        if (!node.element.isConnected) body.insertBefore(node.element, below);
      } else if (node.element.isConnected) node.element.remove();
    }
    above.firstChild.style.height = `${first * rowHeight}px`;
    below.firstChild.style.height = `${(rows.length - last) * rowHeight}px`;
    above.hidden = first === 0;
    below.hidden = last === rows.length;
  }

  return {
    update,
    open(_, from) { preset(from); },
    close() { endDrains(); },
  };
}

function widthOf(pixels) {
  const col = h('col');
  col.style.width = `${pixels}px`;
  return col;
}

function options(select, values) {
  const have = [...select.options].slice(1).map(o => o.value);
  const current = select.value;
  // One that a filter names stays, though no endpoint is like it now.
  const want = current && !values.includes(current) ? [...values, current].sort() : values;
  if (have.length === want.length && have.every((v, i) => v === want[i])) return;
  while (select.options.length > 1) select.options[1].remove();
  for (const value of want) select.append(h('option', { value }, value));
  select.value = current;
}

function makeRow() {
  const cells = columns.map((column, i) => {
    const main = h('span', { class: 'cell-main' });
    const sub = column.show.length && ['address', 'cluster', 'pool'].includes(column.key) ? h('span', { class: 'sub' }) : null;
    const bar = ['kvUtilizationRatio', 'prefixHitRatio'].includes(column.key) ? h('span', { class: 'mini', 'aria-hidden': 'true' }, h('span')) : null;
    const element = h(i === 0 ? 'th' : 'td', { scope: i === 0 ? 'row' : null, class: column.number ? 'num' : null }, bar, main, sub);
    if (column.key === 'state') main.className = 'pill';
    return { element, main, sub, bar };
  });
  const button = h('button', { type: 'button', class: 'small' });
  const element = h('tr', { class: 'endpoint' }, cells.map(c => c.element), h('td', { class: 'act' }, button));
  const node = { element, cells, button, endpoint: null };
  button.addEventListener('click', () => (drains.of('endpoint', node.endpoint.address) ? undrain : drain)('endpoint', node.endpoint.address));
  return node;
}

function fill(node, endpoint, index) {
  node.endpoint = endpoint;
  set(node.element, 'aria-rowindex', index + 2);
  set(node.element, 'data-odd', index % 2 === 1);
  set(node.element, 'data-address', endpoint.address);
  columns.forEach((column, i) => {
    const cell = node.cells[i];
    const show = column.show(endpoint);
    text(cell.main, show.pill ?? show.text);
    if (cell.sub) text(cell.sub, show.sub);
    if (cell.bar) {
      cell.bar.hidden = show.bar === null;
      cell.bar.firstChild.style.width = `${Math.min(100, (show.bar ?? 0) * 100)}%`;
    }
    if (show.pill) set(cell.main, 'data-tone', show.tone);
    else set(cell.element, 'data-tone', show.tone ?? null);
    set(cell.element, 'title', show.title ?? (cell.sub ? `${show.text}\n${show.sub}` : null));
  });
  const isDrained = drains.of('endpoint', endpoint.address) !== null;
  const isCovered = endpoint.state === 'drained' && !isDrained;
  node.button.disabled = isCovered;
  set(node.button, 'title', isCovered ? 'Drained with its cluster, its region, or in this pool alone' : null);
  text(node.button, isDrained ? 'Undrain' : isCovered ? 'Drained' : 'Drain');
  set(node.button, 'aria-label', `${isDrained ? 'Undrain' : 'Drain'} ${endpoint.address}`);
  node.button.hidden = drains.available !== true;
}
