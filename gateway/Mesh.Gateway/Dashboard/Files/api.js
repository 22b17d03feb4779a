// Questions to the administrative API. A key, once given, is kept for this tab alone.

const storedKey = 'mesh.key';
let key = null;
try { key = sessionStorage.getItem(storedKey); } catch { /* without storage the key lives as long as the page */ }

const listeners = new Set();

/** An answer that is not what was asked for: `status` (0 when nothing answered), `code`, and a message for people. */
export class ApiError extends Error {
  constructor(status, code, message) {
    super(message);
    this.status = status;
    this.code = code;
  }

  /** True when another key would help. */
  get needsKey() { return this.status === 401 || this.code === 'role_missing'; }
}

export const onKeyNeeded = listener => listeners.add(listener);
export const hasKey = () => key !== null;

export function setKey(value) {
  key = value || null;
  try {
    if (key) sessionStorage.setItem(storedKey, key);
    else sessionStorage.removeItem(storedKey);
  } catch { /* as above */ }
}

/** Sends a request and gives the response once its head has come; throws ApiError for everything but success. */
export async function send(path, { method = 'GET', body, signal } = {}) {
  const headers = {};
  if (key) headers.Authorization = `Bearer ${key}`;
  if (body !== undefined) headers['Content-Type'] = 'application/json';
  let response;
  try {
    response = await fetch(`/api/v1/${path}`, {
      method, headers, signal, cache: 'no-store', credentials: 'omit', body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new ApiError(0, 'unreachable', 'The gateway does not answer.');
  }
  if (response.ok) return response;
  let error = {};
  try { error = (await response.json()).error ?? {}; } catch { /* not from the gateway */ }
  const problem = new ApiError(response.status, error.code ?? 'unknown', error.message ?? `The gateway answered ${response.status}.`);
  if (problem.needsKey) for (const listener of listeners) listener(problem);
  throw problem;
}

/** Asks for JSON. */
export const get = async (path, options) => (await send(path, options)).json();
