/** Changes the document. Every value from a table becomes text, never markup. */

export const byId = (id) => document.getElementById(id);

/** A new element; `children` are elements, or texts. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) {
    if (value !== undefined) made.setAttribute(attribute, value);
  }
  made.append(...children);
  return made;
}

/** Writes only what is different, so that nothing loses its focus or is read out twice. */
export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

/** Shows the node with a text, or hides it. */
export function show(node, isShown, text) {
  node.hidden = !isShown;
  setText(node, isShown ? text : '');
}

export function setAttribute(node, name, value) {
  if (value === undefined || value === null) node.removeAttribute(name);
  else if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

/**
 * Keeps one child per entry, in their order, and reuses the elements. `make` builds one, `update`
 * brings it up to date.
 */
export function keyed(parent, entries, keyOf, make, update) {
  const known = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  let before = null;
  for (const entry of entries) {
    const key = keyOf(entry);
    const child = known.get(key) ?? make(entry);
    child.dataset.key = key;
    known.delete(key);
    update(child, entry);
    const place = before === null ? parent.firstElementChild : before.nextElementSibling;
    if (place !== child) parent.insertBefore(child, place);
    before = child;
  }
  for (const left of known.values()) left.remove();
}

/** Sets the options of a list; the chosen one stays chosen while it exists. */
export function setOptions(select, options) {
  const wanted = JSON.stringify(options);
  if (select.dataset.options === wanted) return;
  select.dataset.options = wanted;
  const chosen = select.value || select.dataset.first;
  select.replaceChildren(...options.map(({ value, label }) => element('option', { value }, label)));
  if (options.some(({ value }) => value === chosen)) select.value = chosen;
}

export const withCommas = (number) => number.toLocaleString('en-US');

/** `300 B`, `2.1 KB`, `12 MB`. */
export function bytesText(bytes) {
  const [units, step] = [['B', 'KB', 'MB', 'GB', 'TB'], 1024];
  let [value, unit] = [bytes, 0];
  for (; value >= step && unit < units.length - 1; unit += 1) value /= step;
  return `${unit > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/** A duration in milliseconds as text: `0.4 s`, `12 s`, `3 min`, `2.5 h`. */
export function duration(ms) {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}

export const clock = (at) =>
  new Date(at).toLocaleTimeString('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  });
