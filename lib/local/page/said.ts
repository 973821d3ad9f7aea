/** The log on the watch page: the requests to the app, and its answers. */
import { fieldOf, type Reply } from '../simulated-atlassian.ts';

export interface Said {
  readonly number: number;
  readonly at: number;
  readonly tenant: string;
  readonly what: string;
  readonly answer: string;
  readonly mood: 'good' | 'bad' | 'trouble';
}

const MOST_SAID = 60;

export function saidLog() {
  const said: Said[] = [];
  let spoken = 0;

  function say(tenant: string, what: string, answer: string, mood: Said['mood']): void {
    spoken += 1;
    said.push({ number: spoken, at: Date.now(), tenant, what, answer, mood });
    said.splice(0, said.length - MOST_SAID);
  }

  return {
    /** Oldest first. */
    said: said as readonly Said[],
    say,
    heard: (tenant: string, what: string, reply: Reply): void =>
      say(tenant, what, answerOf(reply), isSuccess(reply) ? 'good' : 'bad'),
  };
}

export const isSuccess = ({ status }: Reply): boolean => status >= 200 && status < 300;

/** Status of a reply, and the app's word, code or sentence with it. */
export function answerOf(reply: Reply): string {
  const words = ['status', 'errorResponseCode', 'message'].map((name) => fieldOf(reply, name));
  return [String(reply.status), ...words.filter((word) => word !== undefined)].join(' ');
}
