/** Atlassian's part of the page: the buttons, why some have no effect now, and the log. */
import {
  byId,
  clock,
  element,
  keyed,
  setAttribute,
  setOptions,
  setText,
  withCommas,
} from './dom.js';

const REASON = 'reason';
let known;
/** A tenant that was just installed. It is chosen as soon as it is in the list. */
let arriving;

export function showDesk({ atlassian, realms }) {
  known = atlassian;
  const { sites, sizes, closed, losesReply, killsNextOf, said } = atlassian;
  byId('closed').hidden = closed === undefined;
  setText(byId('closed'), closed ?? '');
  const names = realms.map(({ realm }) => ({ value: realm, label: realm }));
  setOptions(byId('home'), names);
  setOptions(
    byId('items'),
    sizes.map((size) => ({
      value: String(size),
      label: size === 0 ? 'none' : `about ${withCommas(size)}`,
    })),
  );
  setOptions(
    byId('tenant'),
    sites.map(({ tenant, realm }) => ({ value: tenant, label: `${tenant} (in ${realm})` })),
  );
  if (sites.some(({ tenant }) => tenant === arriving)) {
    byId('tenant').value = arriving;
    arriving = undefined;
  }
  const site = chosenSite();
  setOptions(
    byId('target'),
    names.filter(({ value }) => value !== site?.realm),
  );

  setReason(byId('do-install'), closed);
  setText(undoButton(), site?.undo ?? 'Cancel');
  for (const button of document.querySelectorAll('[data-action]'))
    setReason(
      button,
      closed ?? (site ? site.refused[button.dataset.action] : 'install the app on a site first'),
    );
  const [loses, kills] = document.querySelectorAll('[data-switch]');
  setAttribute(loses, 'aria-pressed', losesReply);
  setReason(loses, closed);
  setAttribute(kills, 'aria-pressed', killsNextOf !== undefined);
  setReason(
    kills,
    closed ??
      (site
        ? killsNextOf === undefined && site.refused['kill-worker']
        : 'install the app on a site first'),
  );

  keyed(
    byId('said'),
    said.toReversed(),
    ({ number }) => String(number),
    makeSaid,
    () => {},
  );
}

const undoButton = () => document.querySelector('[data-action=cancel]');

const chosenSite = () => known.sites.find(({ tenant }) => tenant === byId('tenant').value);

/** A button without effect can still be focused, and says why it has none. */
function setReason(button, reason) {
  const id = `${button.dataset.action ?? button.dataset.switch ?? 'install'}-${REASON}`;
  if (!byId(id)) button.after(element('span', { id, class: REASON }));
  setText(byId(id), reason || '');
  setAttribute(button, 'aria-disabled', reason ? 'true' : null);
  setAttribute(button, 'aria-describedby', reason ? id : null);
}

const makeSaid = ({ at, tenant, what, answer, mood }) =>
  element(
    'li',
    { 'data-mood': mood },
    element('time', { datetime: new Date(at).toISOString() }, clock(at)),
    element('span', { class: 'what' }, `${tenant}: ${what}`),
    element('span', { class: 'answer' }, answer),
  );

/** Sends the action, and shows its outcome. */
async function perform(action, fields) {
  showOutcome('asking the app …');
  try {
    const response = await fetch(`/atlassian/${action}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(fields),
    });
    const { isDone, message } = await response.json();
    showOutcome(message, isDone);
    return isDone;
  } catch {
    showOutcome('the local host does not answer', false);
    return false;
  }
}

function showOutcome(message, isDone) {
  const outcome = byId('outcome');
  setAttribute(outcome, 'data-done', isDone);
  setText(outcome, message);
}

/** Asks before a rollback of a committed migration, which serves its users. Escape cancels. */
function isMeant() {
  const { tenant, migration, undo, realm } = chosenSite();
  if (undo === 'Cancel') return Promise.resolve(true);
  const dialog = byId('rollback');
  setText(
    byId('rollback-text'),
    `Migration ${migration} is committed, and ${tenant} is served in ${realm}. A rollback closes it there, copies everything back, and discards the copy.`,
  );
  dialog.returnValue = 'no';
  dialog.showModal();
  byId('rollback-no').focus();
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => resolve(dialog.returnValue === 'yes'), { once: true });
  });
}

/** A button without effect shows why. */
function pressed(button, act) {
  if (button.getAttribute('aria-disabled') !== 'true') act();
  else showOutcome(byId(button.getAttribute('aria-describedby')).textContent, false);
}

export function openDesk() {
  byId('tenant').addEventListener('change', () => {
    arriving = undefined;
  });
  byId('install').addEventListener('submit', (event) => {
    event.preventDefault();
    const { tenant, realm, items } = Object.fromEntries(new FormData(event.target));
    pressed(byId('do-install'), async () => {
      arriving = tenant.trim();
      const isDone = await perform('install', { tenant, realm, items: Number(items) });
      if (!isDone) arriving = undefined;
    });
  });
  for (const button of document.querySelectorAll('[data-action]')) {
    button.addEventListener('click', () =>
      pressed(button, async () => {
        const fields = { tenant: byId('tenant').value, target: byId('target').value };
        if (button === undoButton() && !(await isMeant())) return;
        await perform(button.dataset.action, fields);
      }),
    );
  }
  byId('rollback-no').addEventListener('click', () => byId('rollback').close('no'));
  byId('rollback-yes').addEventListener('click', () => byId('rollback').close('yes'));
  for (const button of document.querySelectorAll('[data-switch]')) {
    const isOn = () => button.getAttribute('aria-pressed') === 'true';
    button.addEventListener('click', () =>
      pressed(button, () =>
        perform(button.dataset.switch, { tenant: byId('tenant').value, on: !isOn() }),
      ),
    );
  }
}
