/** The state machine: marks the states of the executions in the graph, and names them in words. */
import { byId, duration, element, keyed, setAttribute, setText } from './dom.js';

export function showWorkflow({ executions: all }, isWanted) {
  const executions = all.filter(({ tenant, migration: id }) => isWanted({ tenant, id }));
  byId('no-executions').hidden = executions.length > 0;
  keyed(
    byId('executions'),
    executions,
    ({ realm, name }) => `${realm} ${name}`,
    makeExecution,
    updateExecution,
  );

  const lit = new Set(executions.flatMap(({ states }) => states.map(({ id }) => id)));
  const visited = new Set(executions[0]?.visited ?? []);
  for (const group of document.querySelectorAll('#graph .state')) {
    const isLit = lit.has(group.id);
    if (isLit && !group.classList.contains('lit')) bringIntoView(group);
    group.classList.toggle('lit', isLit);
    group.classList.toggle('visited', visited.has(group.id));
  }
}

const makeExecution = ({ phase, tenant, migration, realm }) =>
  element(
    'li',
    {},
    element('strong', {}, phase),
    element('span', {}, ` of ${tenant}, migration ${migration}, in ${realm}`),
    element('span', { class: 'where' }),
    element('span', { class: 'how' }),
  );

function updateExecution(item, { status, states, retries, startedAt, endedAt }) {
  setAttribute(item, 'data-status', status);
  setText(item.querySelector('.where'), states.map(({ name }) => name).join(' › '));
  const ends = {
    RUNNING: 'running',
    SUCCEEDED: 'succeeded',
    FAILED: 'failed',
    TIMED_OUT: 'timed out',
    ABORTED: 'aborted',
  };
  const took = endedAt === undefined ? '' : ` after ${duration(endedAt - startedAt)}`;
  const tries = retries === 0 ? '' : `, ${retries} tried again`;
  setText(item.querySelector('.how'), `${ends[status] ?? status}${took}${tries}`);
}

/** Scrolls the graph where it is wider than the screen; the page itself does not scroll. */
function bringIntoView(group) {
  const frame = byId('graph');
  if (frame.scrollWidth <= frame.clientWidth || frame.contains(document.activeElement)) return;
  const [outer, inner] = [frame.getBoundingClientRect(), group.getBoundingClientRect()];
  const left = frame.scrollLeft + inner.left - outer.left - (outer.width - inner.width) / 2;
  const isCalm = matchMedia('(prefers-reduced-motion: reduce)').matches;
  frame.scrollTo({ left, behavior: isCalm ? 'auto' : 'smooth' });
}
