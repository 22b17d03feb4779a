// Small helpers over the DOM. Texts are always set as text, never as markup.

const svgNames = new Set(['svg', 'g', 'path', 'rect', 'circle', 'line', 'text', 'title', 'defs', 'marker', 'tspan']);

/** Makes an element: attributes, `on…` listeners, `class`, and children that are nodes, texts or lists of them. */
export function h(name, attributes = {}, ...children) {
  const svg = svgNames.has(name);
  const element = svg ? document.createElementNS('http://www.w3.org/2000/svg', name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) set(element, key, value);
  append(element, children);
  return element;
}

/** Sets one attribute; null, undefined and false take it away. */
export function set(element, key, value) {
  if (key.startsWith('on')) element.addEventListener(key.slice(2), value);
  else if (value === null || value === undefined || value === false) element.removeAttribute(key);
  else {
    const text = value === true ? '' : String(value);
    if (element.getAttribute(key) !== text) element.setAttribute(key, text);
  }
}

/** Sets a text, and touches the page only when it differs. */
export function text(element, value) {
  const wanted = value === null || value === undefined ? '' : String(value);
  if (element.textContent !== wanted) element.textContent = wanted;
  return element;
}

export function append(element, children) {
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined || child === false) continue;
    element.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

export function clear(element, ...children) {
  element.replaceChildren();
  append(element, children);
  return element;
}

/**
 * Keeps one child for each item, in their order, and updates those that stay: what has the focus keeps it.
 * `create(item)` gives a node, `update(node, item)` brings it up to date.
 */
export function keyed(container, items, keyOf, create, update) {
  const known = container.meshKeyed ??= new Map();
  const seen = new Set();
  let place = container.firstChild;
  for (const item of items) {
    const key = keyOf(item);
    seen.add(key);
    let node = known.get(key);
    if (!node) {
      node = create(item);
      known.set(key, node);
    }
    update?.(node, item);
    if (node !== place) container.insertBefore(node, place);
    else place = place.nextSibling;
  }
  for (const [key, node] of known) {
    if (seen.has(key)) continue;
    node.remove();
    known.delete(key);
  }
}

let lastId = 0;
export const nextId = prefix => `${prefix}-${++lastId}`;
