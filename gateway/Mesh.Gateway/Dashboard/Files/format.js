// Numbers as people read them. What is not known is a dash, never 0.

export const dash = '–';
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const one = new Intl.NumberFormat('en', { maximumFractionDigits: 1, minimumFractionDigits: 1 });

const known = value => typeof value === 'number' && Number.isFinite(value);

export const count = value => known(value) ? whole.format(value) : dash;

export function short(value) {
  if (!known(value)) return dash;
  if (Math.abs(value) >= 1e9) return one.format(value / 1e9) + ' G';
  if (Math.abs(value) >= 1e6) return one.format(value / 1e6) + ' M';
  if (Math.abs(value) >= 1e4) return one.format(value / 1e3) + ' k';
  return whole.format(value);
}

export const rate = value => !known(value) ? dash : value >= 100 ? whole.format(value) : one.format(value);

export function ms(value) {
  if (!known(value)) return dash;
  if (value >= 10000) return one.format(value / 1000) + ' s';
  if (value >= 1000) return (value / 1000).toFixed(2) + ' s';
  if (value >= 100) return whole.format(value) + ' ms';
  return one.format(value) + ' ms';
}

export const percent = value => known(value) ? `${Math.round(value * 100)}%` : dash;

export function age(seconds) {
  if (!known(seconds)) return dash;
  if (seconds < 1) return '< 1 s';
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

export function time(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return dash;
  const today = new Date().toDateString() === date.toDateString();
  const clock = date.toLocaleTimeString('en-GB');
  return today ? clock : `${date.toISOString().slice(0, 10)} ${clock}`;
}

export const plural = (n, word, words = word + 's') => `${whole.format(n)} ${n === 1 ? word : words}`;

/** The part of a pool's or backend's name that tells it apart in a narrow place. */
export const lastPart = name => name.slice(name.indexOf('/') + 1);
