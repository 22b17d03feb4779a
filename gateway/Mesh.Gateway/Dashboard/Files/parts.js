// Parts that several pages share.
import { h, set, text } from './dom.js';
import { count, dash, percent } from './format.js';

/** A bar of load against its target, the mark being the target. `update(fullness)` with 1 at target; null is unknown or without one. */
export function fullnessBar(label = 'Fullness') {
  const fill = h('span', { class: 'fill' });
  const value = h('span', { class: 'bar-value' });
  const track = h('span', { class: 'track', role: 'img' }, fill, h('span', { class: 'target-mark' }));
  const element = h('span', { class: 'bar' }, track, value);
  return {
    element,
    update(fullness, none = 'no target') {
      const isKnown = typeof fullness === 'number';
      // The target stands at three quarters, so that overload has room to show.
      fill.style.width = isKnown ? `${Math.min(100, fullness * 75)}%` : '0%';
      set(element, 'data-level', !isKnown ? 'none' : fullness >= 1 ? 'over' : fullness >= 0.8 ? 'near' : 'fine');
      set(track, 'aria-label', isKnown ? `${label} ${percent(fullness)} of target` : `${label}: ${none}`);
      text(value, isKnown ? percent(fullness) : none === 'no target' ? dash : none);
    },
  };
}

const statePhrases = {
  ready: 'takes requests', drained: 'drained by an operator: finishes its requests, gets no new ones', draining: 'no longer configured: finishes its requests, gets no new ones', ejected: 'left alone for failing requests', asleep: 'its engine sleeps',
  unhealthy: 'its probes fail', unknown: 'not probed often enough yet',
};

/** A word with the colour of its meaning; never the colour alone. */
export function pill(word, tone, title) {
  return h('span', { class: 'pill', 'data-tone': tone ?? 'plain', title: title ?? null }, word);
}

export const stateTone = state => ({ ready: 'good', drained: 'info', draining: 'info', ejected: 'bad', asleep: 'info', unhealthy: 'bad', unknown: 'warn' })[state] ?? 'plain';
export const statePhrase = state => statePhrases[state] ?? state;

export function updatePill(element, word, tone, title) {
  text(element, word);
  set(element, 'data-tone', tone);
  set(element, 'title', title ?? null);
}

/** A line of the last quarter of an hour; gaps where nothing was known. */
export function sparkline(name, format, { width = 150, height = 36, least = 0 } = {}) {
  const area = h('path', { class: 'spark-area' });
  const line = h('path', { class: 'spark-line' });
  const dot = h('path', { class: 'spark-dot' });
  const title = h('title');
  const svg = h('svg', { class: 'spark', viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', role: 'img' }, title, area, line, dot);
  return {
    element: svg,
    update(values, length = 180) {
      const points = [];
      let top = least;
      for (const value of values) if (value !== null && value > top) top = value;
      const offset = length - values.length;
      values.forEach((value, i) => points.push(value === null ? null : [
        (offset + i) / (length - 1) * (width - 5) + 1,
        height - 3 - (top > 0 ? value / top : 0) * (height - 7),
      ]));
      let path = '';
      let shade = '';
      let open = null;
      let last = null;
      for (const point of [...points, null]) {
        if (point) {
          path += `${open ? 'L' : 'M'}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
          open ??= { from: point[0], text: '' };
          open.text += `L${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
          last = point;
        } else if (open) {
          shade += `M${open.from.toFixed(1)} ${height - 2}${open.text}L${last[0].toFixed(1)} ${height - 2}Z`;
          open = null;
        }
      }
      set(line, 'd', path || null);
      set(area, 'd', shade || null);
      const now = points.length > 0 ? points[points.length - 1] : null;
      // A line of no length with round ends: a circle would be stretched with the rest.
      set(dot, 'd', now ? `M${now[0].toFixed(1)} ${now[1].toFixed(1)}h.01` : null);
      const current = values.length > 0 ? values[values.length - 1] : null;
      const label = `${name}, last 15 minutes: now ${current === null ? 'unknown' : format(current)}, at most ${format(top)}`;
      text(title, label);
      set(svg, 'aria-label', label);
    },
  };
}

/** A figure with its name. */
export function tile(name, hint) {
  const value = h('dd');
  const note = h('dd', { class: 'note' });
  const element = h('div', { class: 'tile', title: hint ?? null }, h('dt', {}, name), value, note);
  return {
    element,
    update(figure, more = '', tone = null) {
      text(value, figure);
      text(note, more);
      set(element, 'data-tone', tone);
    },
  };
}

export const empty = (title, ...more) => h('div', { class: 'empty' }, h('p', { class: 'empty-title' }, title), more.length ? h('p', {}, more) : null);

/** Something like "7 of 8 ready", with the tone that it deserves. */
export const readiness = (ready, all) => ({ text: `${count(ready)} of ${count(all)}`, tone: all === 0 || ready === 0 ? 'bad' : ready < all ? 'warn' : 'good' });
