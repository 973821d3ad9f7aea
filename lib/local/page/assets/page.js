/** The watch page: receives the view from the local host, and shows it. */
import { openDesk, showDesk } from './desk.js';
import { byId, clock, setAttribute, setText, show } from './dom.js';
import { keyOf, showMigrations } from './migrations.js';
import { showRealms } from './realms.js';
import { showWorkflow } from './workflow.js';

let view;
/** Time of the last event; none comes while nothing changes. */
let heardAt;
/** What has been read out, by migration and by tenant. */
let announced;

const events = new EventSource('/events');
events.addEventListener('open', () => showLink('live', 'live'));
events.addEventListener('error', () => {
  const since = heardAt === undefined ? '' : `; all of this is as it was at ${clock(heardAt)}`;
  showLink('lost', `the local host is away${since}`);
});
events.addEventListener('message', ({ data }) => {
  heardAt = Date.now();
  view = JSON.parse(data);
  showView();
  announce(view);
});
openDesk();
byId('tenant').addEventListener('change', showView);
byId('filter').addEventListener('input', showView);
/** Remaining times change without an event. */
setInterval(showView, 1_000);

function showView() {
  if (view === undefined) return;
  const isWanted = wanted(byId('filter').value.trim().toLowerCase());
  const { awaySince } = view;
  const away = `DynamoDB does not answer. All of this is as it was at ${clock(awaySince ?? 0)}.`;
  show(byId('away'), awaySince !== undefined, away);
  showRealms(view, isWanted);
  showDesk(view);
  showMigrations(view, isWanted);
  showWorkflow(view, isWanted);
}

/** Matches a part of the tenant's name or of the migration's id. */
const wanted =
  (text) =>
  ({ tenant, id = '' }) =>
    tenant.toLowerCase().includes(text) || id.toLowerCase().includes(text);

function showLink(link, text) {
  setAttribute(byId('link'), 'data-link', link);
  setAttribute(document.body, 'data-link', link);
  setText(byId('link'), text);
}

/**
 * Reads out changes of status and tenants that no realm serves, but not what was there when the
 * page was opened.
 */
function announce({ migrations, unserved }) {
  const statuses = new Map([
    ...migrations.map(({ tenant, id, status, ...rest }) => [
      keyOf({ tenant, id, ...rest }),
      `${tenant}, migration ${id}: ${status}`,
    ]),
    ...unserved.map(({ tenant }) => [tenant, `No realm serves ${tenant}`]),
  ]);
  if (announced !== undefined) {
    const news = [...statuses].filter(([key, text]) => announced.get(key) !== text);
    if (news.length > 0) setText(byId('announcer'), news.map(([, text]) => text).join('. '));
  }
  announced = statuses;
}
