/** The realms: one card each, with a table for every tenant that has a record or items there. */
import { byId, bytesText, element, keyed, setAttribute, setText, show, withCommas } from './dom.js';

/** What a tenant's state in a realm means for its users. */
const MEANINGS = {
  active: 'serves',
  frozen: 'reads only, while it is copied',
  standby: 'being filled, serves nobody yet',
  moved: 'sends users on',
  withdrawn: 'being emptied',
  retired: 'uninstalled',
  opening: 'about to serve',
  none: 'no record',
};

export function showRealms({ realms, parts, migrations, more, unserved }, isWanted) {
  const moving = migrations.filter(({ isFinal }) => !isFinal);
  keyed(
    byId('realms'),
    realms,
    ({ realm }) => realm,
    makeRealm,
    (card, row) => {
      setAttribute(card, 'data-source', moving.some(({ source }) => source === row.realm) || null);
      setAttribute(card, 'data-target', moving.some(({ target }) => target === row.realm) || null);
      setText(card.querySelector('.role'), rolesOf(card.dataset).join(' and '));
      card.querySelector('.empty').hidden = row.tenants.length > 0;
      const wanted = row.tenants.filter(isWanted);
      const tenants = card.querySelector('.tenants');
      keyed(tenants, wanted, ({ tenant }) => tenant, makeTenant(row, parts), updateTenant(realms));
    },
  );
  byId('unserved').hidden = unserved.length === 0;
  keyed(
    byId('unserved'),
    unserved,
    ({ tenant }) => tenant,
    ({ tenant }) =>
      element(
        'li',
        {},
        element('strong', {}, `No realm serves ${tenant}`),
        element('span', { class: 'where' }),
      ),
    (item, { where }) => setText(item.querySelector('.where'), `: it is ${where}.`),
  );
  show(byId('more'), more > 0, `${withCommas(more)} more tenants are not shown.`);
}

/** Whether the realm is a source or a target in running moves. */
const rolesOf = ({ source, target }) => [
  ...(source ? ['source'] : []),
  ...(target ? ['target'] : []),
];

function makeRealm({ realm, region, url }) {
  return element(
    'article',
    { class: 'realm', id: `realm-${realm}`, 'aria-labelledby': `realm-${realm}-name` },
    element(
      'h3',
      { id: `realm-${realm}-name` },
      realm.toUpperCase(),
      element('small', { class: 'role' }),
      element('small', {}, region),
    ),
    element('p', { class: 'address' }, url.replace('http://', '')),
    element('p', { class: 'empty quiet' }, 'nobody here'),
    element('div', { class: 'tenants' }),
  );
}

const makeTenant =
  ({ realm }, parts) =>
  ({ tenant }) =>
    element(
      'div',
      { class: 'tenant' },
      element(
        'p',
        { class: 'who' },
        element('strong', {}, tenant),
        element('span', { class: 'pill' }),
      ),
      element('p', { class: 'meaning quiet' }),
      element(
        'table',
        {},
        element('caption', { class: 'unseen' }, `Items and objects of ${tenant} in ${realm}`),
        element(
          'thead',
          { class: 'unseen' },
          element(
            'tr',
            {},
            element('th', { scope: 'col' }, 'Part'),
            element('th', { scope: 'col' }, 'Items or objects'),
          ),
        ),
        element('tbody', {}, ...parts.map(makePart)),
      ),
    );

const makePart = ({ name, isCache, ofObjects }) =>
  element(
    'tr',
    {},
    element(
      'th',
      { scope: 'row' },
      name,
      ofObjects ? element('small', { class: 'objects' }, ' objects') : '',
      isCache ? element('small', {}, ' cache') : '',
    ),
    element(
      'td',
      {},
      element('span', { class: 'bar', 'aria-hidden': 'true' }, element('span')),
      element('span', { class: 'number' }),
      element('span', { class: 'stale unseen' }),
    ),
  );

/** A bar is full where one realm has all items that the tenant has of a part. */
const updateTenant =
  (realms) =>
  (block, { tenant, state, movedTo, items, bytes, isStray, stale }) => {
    setAttribute(block, 'data-state', state);
    setAttribute(block, 'data-stray', isStray ? '' : null);
    setText(block.querySelector('.pill'), state);
    const meaning = `${MEANINGS[state] ?? ''}${movedTo ? ` to ${movedTo}` : ''}`;
    setText(
      block.querySelector('.meaning'),
      isStray ? `${meaning}: has items here that should not be here` : meaning,
    );
    block.querySelectorAll('tbody tr').forEach((row, part) => {
      const count = items[part] ?? null;
      const most = Math.max(1, ...realms.map((other) => ofTenant(other, tenant, part)));
      row.querySelector('.bar span').style.width = `${(100 * (count ?? 0)) / most}%`;
      setAttribute(row, 'data-empty', count === 0 ? '' : null);
      setText(row.querySelector('.number'), count === null ? '…' : withCommas(count));
      const objects = row.querySelector('.objects');
      if (objects) setText(objects, count > 0 ? ` objects, ${bytesText(bytes[part])}` : ' objects');
      const isStale = count !== null && stale.includes(part);
      setAttribute(row, 'data-stale', isStale ? '' : null);
      setText(row.querySelector('.stale'), isStale ? ' before the latest writes' : '');
    });
  };

const ofTenant = ({ tenants }, wanted, part) =>
  tenants.find(({ tenant }) => tenant === wanted)?.items[part] ?? 0;
