/** Starts the stub's process, sends it orders, and ends it. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Order, Report } from './server.ts';

export interface Stub {
  readonly url: string;
  order(order: Order): Promise<Report>;
  close(): Promise<void>;
}

interface Message {
  readonly port?: number;
  readonly report?: Report;
  readonly error?: string;
}

export async function startStub(): Promise<Stub> {
  const child = fork(new URL('./server.ts', import.meta.url), {
    execArgv: ['--max-old-space-size=4096'],
  });
  const answers: ((message: Message) => void)[] = [];
  child.on('message', (message: Message) => answers.shift()?.(message));
  const next = () => new Promise<Message>((resolve) => answers.push(resolve));
  const { port = 0 } = await next();

  return {
    url: `http://127.0.0.1:${port}`,
    async order(order) {
      const answer = next();
      child.send(order);
      const { report, error } = await answer;
      if (report === undefined) throw new Error(`the stub cannot ${order.do}: ${error}`);
      return report;
    },
    async close() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}
