/** The migrations, newest first, each with its way through the statuses as the ledger remembers it. */
import { byId, clock, duration, element, keyed, setAttribute, setText } from './dom.js';

export function showMigrations({ migrations }) {
  byId('no-migrations').hidden = migrations.length > 0;
  keyed(byId('migrations'), migrations, keyOf, makeMigration, updateMigration);
}

export const keyOf = ({ tenant, id }) => JSON.stringify([tenant, id]);

const makeMigration = ({ tenant, id, source, target }) =>
  element(
    'article',
    { class: 'migration panel', 'data-migration': id },
    element(
      'header',
      {},
      element('h3', {}, tenant, element('small', {}, ` migration ${id}`)),
      element(
        'p',
        { class: 'way' },
        element('b', {}, source),
        element('span', { 'aria-label': ' to ', role: 'img' }, ' → '),
        element('b', {}, target),
      ),
      element('span', { class: 'pill' }),
    ),
    element('p', { class: 'notice', hidden: '' }),
    element('ol', { class: 'timeline', 'aria-label': `Timeline of migration ${id}` }),
  );

function updateMigration(card, { status, trouble, timeline }) {
  setAttribute(card, 'data-status', status);
  setText(card.querySelector('.pill'), status);
  const notice = card.querySelector('.notice');
  notice.hidden = !trouble;
  setText(notice, trouble ?? '');
  const steps = timeline.map((entry, at) => ({
    ...entry,
    before: timeline[at - 1],
    isLast: at === timeline.length - 1,
  }));
  keyed(
    card.querySelector('.timeline'),
    steps,
    ({ at, status: to }) => `${at} ${to}`,
    makeStep,
    (step, { isLast }) => {
      setAttribute(step, 'aria-current', isLast ? 'step' : null);
    },
  );
}

const makeStep = ({ status, at, actor, before }) =>
  element(
    'li',
    { 'data-status': status },
    element('strong', {}, status),
    element(
      'span',
      { class: 'when' },
      before ? `after ${duration(Date.parse(at) - Date.parse(before.at))}` : clock(at),
    ),
    element('span', { class: 'actor' }, `by ${actor}`),
  );
