// Configuration: objects with their conditions, findings, and what changed when.
import { get } from '../api.js';
import { clear, h, keyed, set, text } from '../dom.js';
import { drains, onDrains, refreshDrains } from '../drains.js';
import { count, plural, time } from '../format.js';
import { live } from '../live.js';
import { empty, pill, tile } from '../parts.js';

export const title = 'Configuration';

export function open(main) {
  const tiles = { version: tile('In force'), errors: tile('Errors'), warnings: tile('Warnings'), objects: tile('Objects') };
  const banner = h('div', { class: 'card problem-card', role: 'alert', hidden: true });
  const findings = h('div', { class: 'findings' });
  const search = h('input', { type: 'search', placeholder: 'Kind, name, cluster  ( / )', 'aria-label': 'Filter objects', oninput: draw });
  const only = h('input', { type: 'checkbox', onchange: draw });
  const shown = h('span', { class: 'muted', role: 'status' });
  const objects = h('div', { class: 'objects' });
  const history = h('ol', { class: 'history' });
  const drainsBody = h('div');
  const drainsCard = h('section', { class: 'card', hidden: true }, h('div', { class: 'card-head' }, h('h2', {}, 'Drains by hand')), drainsBody);
  const endDrains = onDrains(drawDrains);
  const findingsCard = h('section', { class: 'card' }, h('div', { class: 'card-head' }, h('h2', {}, 'Findings')), findings);
  main.append(h('h1', {}, 'Configuration'), h('dl', { class: 'tiles' }, Object.values(tiles).map(t => t.element)), banner, findingsCard,
    h('section', { class: 'card' }, h('div', { class: 'card-head' }, h('h2', {}, 'Objects'), h('div', { class: 'tools' }, search, h('label', { class: 'check' }, only, ' only those with problems'), shown)), objects),
    h('section', { class: 'card' }, h('div', { class: 'card-head' }, h('h2', {}, 'What changed when')), history), drainsCard);
  let revision = null;
  let asking = false;
  let data = null;

  async function load(now) {
    asking = true;
    try {
      data = await get('configuration');
      revision = now;
      draw();
    } catch (e) {
      banner.hidden = false;
      clear(banner, h('p', {}, e.message));
      revision = now;
    }
    asking = false;
  }

  function draw() {
    if (!data) return;
    tiles.version.update(`Version ${count(data.version)}`, `since ${time(data.takenAt)}`, data.inForce ? null : 'warn');
    tiles.errors.update(count(data.errors), data.errors > 0 ? 'of the last reading' : 'none', data.errors > 0 ? 'bad' : null);
    tiles.warnings.update(count(data.warnings), data.warnings > 0 ? 'of the last reading' : 'none', data.warnings > 0 ? 'warn' : null);
    tiles.objects.update(count(data.objects.length), data.source ?? 'configured by a program');
    banner.hidden = data.inForce;
    if (!data.inForce) clear(banner, h('h2', {}, 'The last edit is not in force'), h('p', {}, `${data.problem} Version ${data.version} goes on; requests are not affected.`));
    findingsCard.hidden = data.findings.length === 0;
    clear(findings, data.findings.slice(0, 500).map(finding), data.findings.length > 500 ? h('p', { class: 'muted' }, `and ${count(data.findings.length - 500)} more`) : null);
    drawObjects();
    clear(history, data.history.map(edit), data.history.length === 0 ? h('li', { class: 'muted' }, 'Nothing yet.') : null);
  }

  function drawObjects() {
    const needle = search.value.trim().toLowerCase();
    const wanted = data.objects.filter(o => (!only.checked || hasProblem(o)) && (!needle || `${o.kind} ${o.namespace}/${o.name} ${o.cluster}`.toLowerCase().includes(needle)));
    text(shown, wanted.length === data.objects.length ? plural(wanted.length, 'object') : `${count(wanted.length)} of ${plural(data.objects.length, 'object')}`);
    if (wanted.length === 0) {
      clear(objects, empty(data.objects.length === 0 ? 'No objects' : only.checked ? 'No object has a problem' : 'No object is like this'));
      return;
    }
    const groups = new Map();
    for (const object of wanted.slice(0, 1000)) groups.set(object.cluster, [...groups.get(object.cluster) ?? [], object]);
    clear(objects, [...groups].map(([cluster, members]) => h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `Objects of ${cluster}` },
      h('table', { class: 'object-table' }, h('caption', {}, `Cluster ${cluster}`), h('thead', {}, h('tr', {}, ['Kind', 'Name', 'Conditions', 'Where'].map(c => h('th', { scope: 'col' }, c)))),
        h('tbody', {}, members.map(objectRow))))));
  }

  let drawn = '';
  function drawDrains() {
    drainsCard.hidden = drains.available !== true;
    const content = JSON.stringify([drains.all(), drains.history()]);
    if (content === drawn) return;
    drawn = content;
    const of = d => [`${d.kind} ${d.name}`, d.pool ? h('span', { class: 'sub' }, `in pool ${d.pool}`) : null];
    const table = (caption, heads, rows) => h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption }, h('table', { class: 'drains' }, h('caption', {}, caption),
      h('thead', {}, h('tr', {}, heads.map(name => h('th', { scope: 'col' }, name)))), h('tbody', {}, rows)));
    clear(drainsBody,
      drains.all().length === 0 ? h('p', { class: 'muted' }, 'Nothing is drained by hand.') : table('In force', ['What', 'Endpoints', 'In flight', 'Reason', 'By', 'Since'], drains.all().map(d =>
        h('tr', {}, h('th', { scope: 'row' }, of(d)), [count(d.endpoints), count(d.inFlightRequests), d.reason || '–', d.by || '–', time(d.since)].map(v => h('td', {}, v))))),
      drains.history().length === 0 ? null : table('Who did what', ['When', 'What', 'Of', 'Reason', 'By'], drains.history().slice(0, 50).map(d =>
        h('tr', {}, h('td', {}, time(d.time)), h('td', {}, pill(d.action, d.action === 'drain' ? 'info' : 'good'), d.forced ? ' forced' : null), h('th', { scope: 'row' }, of(d)), h('td', {}, d.reason || '–'), h('td', {}, d.by || '–')))));
  }

  return {
    close() { endDrains(); },
    update() {
      refreshDrains();
      const now = live.first('state')?.journalRevision ?? 0;
      if (!asking && now !== revision) load(now);
    },
  };
}

const hasProblem = object => object.conditions.some(c => !c.status) || object.findings.some(f => f.severity !== 'info');

function objectRow(object) {
  return h('tr', {}, h('td', {}, object.kind, h('span', { class: 'sub' }, object.apiVersion)), h('th', { scope: 'row' }, h('span', { class: 'muted' }, object.namespace + '/'), object.name),
    h('td', {}, h('div', { class: 'conditions' }, object.conditions.map(c => pill(c.status ? c.type : `${c.type}: ${c.reason}`, c.status ? 'good' : 'bad', `${c.type} is ${c.status ? 'true' : 'false'} since ${time(c.since)}${c.message ? ': ' + c.message : ''}`))),
      object.conditions.filter(c => !c.status && c.message).map(c => h('p', { class: 'problem' }, c.message)),
      object.findings.filter(f => f.severity === 'warning').map(f => h('p', { class: 'warning' }, f.message))),
    h('td', { class: 'source' }, object.file ? `${object.file}${object.line ? ':' + object.line : ''}` : 'computed'));
}

function finding(f) {
  const tone = { error: 'bad', warning: 'warn' }[f.severity] ?? 'info';
  return h('div', { class: 'finding' }, pill(f.severity, tone), h('div', {},
    h('p', {}, f.message, f.hint ? h('span', { class: 'muted' }, ` – ${f.hint}`) : null),
    h('p', { class: 'source' }, `${f.file}${f.line > 0 ? `:${f.line}:${f.column}` : ''}${f.path ? ` · ${f.path}` : ''} · ${f.code}`)));
}

const results = {
  started: ['started', 'info', 'The gateway started with it'], taken: ['taken', 'good', 'It is in force since'], refused: ['refused', 'bad', 'It has errors; nothing changed'],
  unusable: ['unusable', 'bad', 'This gateway cannot use it; nothing changed'],
};

function edit(e) {
  const [word, tone, phrase] = results[e.result] ?? [e.result, 'plain', ''];
  const changes = e.changes.map(c => h('tr', {}, h('td', {}, `${c.kind} ${c.subject}`, c.backend ? h('span', { class: 'sub' }, c.backend) : null), h('td', {}, c.name),
    h('td', { class: 'before' }, c.before ?? '–'), h('td', { class: 'after' }, c.after ?? '–')));
  return h('li', {}, h('div', { class: 'edit-head' }, h('time', { datetime: e.time }, time(e.time)), pill(word, tone, phrase), h('span', {}, `version ${count(e.version)}`),
    e.errors > 0 ? h('span', { class: 'problem' }, plural(e.errors, 'error')) : null, e.warnings > 0 ? h('span', { class: 'warning' }, plural(e.warnings, 'warning')) : null,
    e.result === 'taken' ? h('span', { class: 'muted' }, e.changeCount === 0 ? 'nothing changed in effect' : plural(e.changeCount, 'change')) : null),
  e.problem ? h('p', { class: 'problem' }, e.problem) : null,
  changes.length > 0 ? h('details', { open: e.changes.length <= 8 }, h('summary', {}, `What changed${e.changeCount > e.changes.length ? `, the first ${e.changes.length}` : ''}`),
    h('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': 'Changes' },
      h('table', {}, h('thead', {}, h('tr', {}, ['Of', 'Setting', 'Before', 'After'].map(c => h('th', { scope: 'col' }, c)))), h('tbody', {}, changes)))) : null);
}
