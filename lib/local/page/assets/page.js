/** The watch page: hears from the local host what there is to see, and shows it. */
import { openDesk, showDesk } from './desk.js';
import { byId, setAttribute, setText } from './dom.js';
import { keyOf, showMigrations } from './migrations.js';
import { showRealms } from './realms.js';
import { showWorkflow } from './workflow.js';

let view;
/** Statuses that have been read out, by migration. */
let announced;

const events = new EventSource('/events');
events.addEventListener('open', () => showLink('live', 'live'));
events.addEventListener('error', () => showLink('lost', 'the local host is away; asking again'));
events.addEventListener('message', ({ data }) => {
  view = JSON.parse(data);
  show();
  announce(view);
});
openDesk();
byId('tenant').addEventListener('change', show);

function show() {
  if (view === undefined) return;
  showRealms(view);
  showDesk(view);
  showMigrations(view);
  showWorkflow(view);
}

function showLink(link, text) {
  setAttribute(byId('link'), 'data-link', link);
  setText(byId('link'), text);
}

/** Changes of status are read out; what was there when the page was opened is not. */
function announce({ migrations }) {
  const statuses = new Map(migrations.map((migration) => [keyOf(migration), migration]));
  if (announced !== undefined) {
    const news = [...statuses]
      .filter(([key, { status }]) => announced.get(key)?.status !== status)
      .map(([, { tenant, id, status }]) => `${tenant}, migration ${id}: ${status}`);
    if (news.length > 0) setText(byId('announcer'), news.join('. '));
  }
  announced = statuses;
}
