/** The migrations, newest first, each with its timeline from the ledger. */
import {
  byId,
  clock,
  duration,
  element,
  keyed,
  setAttribute,
  setText,
  show,
  withCommas,
} from './dom.js';

export function showMigrations({ migrations, moreFinished }, isWanted) {
  const shown = migrations.filter(isWanted);
  const open = shown.filter(({ isFinal }) => !isFinal);
  const finished = shown.filter(({ isFinal }) => isFinal);
  byId('no-migrations').hidden = migrations.length > 0;
  show(byId('none-found'), migrations.length > 0 && shown.length === 0, 'No migration matches.');
  keyed(byId('migrations'), open, keyOf, makeMigration, updateMigration);
  byId('finished').hidden = finished.length === 0;
  setText(byId('finished').querySelector('summary'), `Finished (${withCommas(finished.length)})`);
  keyed(byId('finished-migrations'), finished, keyOf, makeMigration, updateMigration);
  const more = `${withCommas(moreFinished)} more that are finished are not shown.`;
  show(byId('more-finished'), moreFinished > 0, more);
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
    element(
      'div',
      { class: 'progress', hidden: '' },
      element('span', { class: 'bar', 'aria-hidden': 'true' }, element('span')),
      element('span', { class: 'percent' }),
    ),
    element('p', { class: 'window quiet', hidden: '' }),
    element('p', { class: 'ahead quiet', hidden: '' }),
    element('ol', { class: 'timeline', 'aria-label': `Timeline of migration ${id}` }),
  );

function updateMigration(card, migration) {
  const { status, trouble, timeline, progress, isFinal, ahead } = migration;
  card.querySelector('.progress').hidden = !progress;
  card.querySelector('.progress .bar span').style.width = `${progress?.percent ?? 0}%`;
  setText(card.querySelector('.percent'), progress ? progressOf(progress) : '');
  const until = isFinal ? '' : windowOf(migration);
  show(card.querySelector('.window'), until !== '', until);
  show(card.querySelector('.ahead'), Boolean(ahead), ahead ?? '');
  setAttribute(card, 'data-status', status);
  setText(card.querySelector('.pill'), status);
  show(card.querySelector('.notice'), Boolean(trouble), trouble ?? '');
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

const progressOf = ({ percent, endsAt }) =>
  `${percent} % copied and verified, ${endsAt ? `done at about ${clock(endsAt)}` : 'too early for a projection'}`;

/** The end of the window that Atlassian gave. */
function windowOf({ window }) {
  if (!window) return '';
  const left = Date.parse(window.endTime) - Date.now();
  const rest = left > 0 ? `${duration(left)} left` : `over for ${duration(-left)}`;
  return `Window until ${clock(window.endTime)}, ${rest}`;
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
