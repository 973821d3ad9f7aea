/**
 * Runs in the browser: the texts, and the states of the graph in each of their colours, that stand
 * out too little from their ground (WCAG 2, AA).
 */

const LEAST = 4.5;

/** `color` as the browser computes it: `rgb(1, 2, 3)`, or with an alpha. */
function channels(color) {
  const [red = 0, green = 0, blue = 0, alpha = 1] = color.match(/[\d.]+/g)?.map(Number) ?? [];
  return { red, green, blue, alpha: color === 'none' ? 0 : alpha };
}

function luminance({ red, green, blue }) {
  const [r, g, b] = [red, green, blue]
    .map((channel) => channel / 255)
    .map((share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(one, other) {
  const [dark, light] = [luminance(channels(one)), luminance(channels(other))].sort(
    (a, b) => a - b,
  );
  return (light + 0.05) / (dark + 0.05);
}

function groundOf(element) {
  for (let at = element; at; at = at.parentElement) {
    const { backgroundColor } = getComputedStyle(at);
    if (channels(backgroundColor).alpha === 1) return backgroundColor;
  }
  return 'rgb(255, 255, 255)';
}

export function faintTexts() {
  const hasText = (element) =>
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  return [...document.querySelectorAll('body *:not(svg *)')]
    .filter((element) => hasText(element) && element.checkVisibility())
    .map((element) => ({
      text: element.textContent.trim().slice(0, 40),
      ratio: contrast(getComputedStyle(element).color, groundOf(element)),
    }))
    .filter(({ ratio }) => ratio < LEAST);
}

export function faintStates() {
  const found = [];
  for (const group of document.querySelectorAll('#graph .state')) {
    const before = group.getAttribute('class');
    for (const dress of ['', ' visited', ' lit', ' visited lit']) {
      group.setAttribute('class', before.replace(/ (?:visited|lit)/g, '') + dress);
      const text = getComputedStyle(group.querySelector('text')).fill;
      const ground = getComputedStyle(group.querySelector('path, polygon')).fill;
      if (contrast(text, ground) < LEAST) found.push(`${group.id}${dress}: ${text} on ${ground}`);
    }
    group.setAttribute('class', before);
  }
  return found;
}
