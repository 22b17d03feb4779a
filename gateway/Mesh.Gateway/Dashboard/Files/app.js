// The frame: pages by the address's hash, the state of the connection, keys and themes.
import { onKeyNeeded, setKey } from './api.js';
import { ask } from './dialogs.js';
import { clear, h, set, text } from './dom.js';
import { age, time } from './format.js';
import { live, onChange, reconnect, start } from './live.js';
import { empty } from './parts.js';
import * as configuration from './pages/configuration.js';
import * as endpoints from './pages/endpoints.js';
import * as grains from './pages/grains.js';
import * as mesh from './pages/mesh.js';
import * as pools from './pages/pools.js';

const pages = { mesh, pools, endpoints, grains, configuration };
const main = document.getElementById('main');
const link = document.getElementById('link');
const linkText = document.getElementById('link-text');
const notice = document.getElementById('notice');
const where = document.getElementById('where');
let shown = null;
let drawing = 0;
let askingForKey = false;

function open() {
  const [name, ...rest] = location.hash.replace(/^#\/?/, '').split('?')[0].split('/').map(decodeURIComponent);
  const page = pages[name] ? name : 'mesh';
  const query = new URLSearchParams(location.hash.split('?')[1] ?? '');
  if (shown?.name === page && shown.view?.open) {
    shown.view.open(rest, query);
    draw();
    return;
  }
  shown?.view?.close?.();
  shown = { name: page, view: null };
  delete main.dataset.waiting;
  document.title = `${pages[page].title} · Mesh`;
  for (const a of document.querySelectorAll('nav a')) set(a, 'aria-current', a.dataset.page === page ? 'page' : null);
  clear(main);
  main.dataset.page = page;
  shown.pending = { rest, query };
  draw();
  main.scrollTop = 0;
  window.scrollTo(0, 0);
}

function draw() {
  if (drawing) return;
  drawing = requestAnimationFrame(() => {
    drawing = 0;
    frame();
    if (!shown) return;
    if (!live.hasData) {
      const title = live.needsKey ? 'This gateway asks for a key' : live.state === 'lost' ? 'No connection to the gateway' : 'Waiting for the gateway …';
      if (main.dataset.waiting !== title) {
        main.dataset.waiting = title;
        const button = live.needsKey ? h('button', { type: 'button', class: 'primary', onclick: reconnect }, 'Give a key') : live.state === 'lost' ? h('button', { type: 'button', onclick: reconnect }, 'Try now') : null;
        clear(main, empty(title, live.needsKey ? '' : live.problem ?? '', button));
      }
      return;
    }
    if (!shown.view) {
      delete main.dataset.waiting;
      clear(main);
      shown.view = pages[shown.name].open(main, shown.pending.rest, shown.pending.query);
    }
    shown.view.update?.();
  });
}

function frame() {
  const words = { connecting: 'Connecting', live: 'Live', paused: 'Paused', lost: 'Disconnected' };
  link.dataset.state = live.state;
  text(linkText, words[live.state]);
  const state = live.first('state');
  text(where, state ? state.region || 'all regions' : '');
  set(link, 'title', live.time ? `As of ${time(live.time)}` : null);
  if (live.state === 'lost' && live.hasData) {
    const since = (Date.now() - Date.parse(live.time)) / 1000;
    say(`${live.problem ?? 'The connection is lost.'} These numbers are ${since >= 0 && since < 1e6 ? age(since) + ' old' : 'old'}; trying again.`, true);
  } else if (state && state.ready === false) say(`Not ready: ${state.notReadyReason}.`);
  else if (state && state.warning) say(`Warning: ${state.warning}.`);
  else notice.hidden = true;
}

function say(message, canRetry = false) {
  notice.hidden = false;
  if (notice.dataset.text === message) return;
  notice.dataset.text = message;
  clear(notice, h('span', {}, message), canRetry ? h('button', { type: 'button', onclick: reconnect }, 'Try now') : null);
}

onKeyNeeded(async problem => {
  if (askingForKey) return;
  askingForKey = true;
  const answer = await ask({
    title: 'A key, please',
    body: [h('p', {}, problem.message), h('p', { class: 'muted' }, 'A reader’s key shows everything; draining needs an operator’s. It is kept for this tab alone.')],
    fields: [{ name: 'key', label: 'API key', type: 'password', required: true, maxLength: 4096 }],
    confirm: 'Use this key',
  });
  askingForKey = false;
  if (!answer) return;
  setKey(answer.key);
  reconnect();
  open();
});

document.getElementById('theme').addEventListener('click', switchTheme);
function switchTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  root.dataset.theme = dark ? 'light' : 'dark';
  try { localStorage.setItem('mesh.theme', root.dataset.theme); } catch { /* it lasts as long as the page */ }
}

// g then m, p, e, g, c opens a page; / goes to the search; t switches the theme.
let afterG = 0;
document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, select, textarea, dialog')) return;
  const name = performance.now() - afterG < 1500 ? { m: 'mesh', p: 'pools', e: 'endpoints', g: 'grains', c: 'configuration' }[event.key] : null;
  afterG = 0;
  if (name) location.hash = `#/${name}`;
  else if (event.key === 'g') afterG = performance.now();
  else if (event.key === 't') switchTheme();
  else if (event.key === '/') {
    const search = main.querySelector('input[type=search]');
    if (!search) return;
    search.focus();
    event.preventDefault();
  }
});

addEventListener('hashchange', () => {
  open();
  main.focus({ preventScroll: true });
});
addEventListener('resize', draw);
onChange(draw);
setInterval(() => { if (live.state === 'lost') draw(); }, 1000);
open();
start();
