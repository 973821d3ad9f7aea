/**
 * A DNS server on this machine that knows who answers for some domains, and nothing else (RFC 1035,
 * over UDP).
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

export interface NameServer extends AsyncDisposable {
  /** As `dns.setServers` takes it. */
  readonly address: string;
  /** Domain to the servers that it is delegated to. */
  readonly delegations: Map<string, readonly string[]>;
}

const NS = 2;
const NO_SUCH_NAME = 3;

export async function startNameServer(): Promise<NameServer> {
  const delegations = new Map<string, readonly string[]>();
  const socket = createSocket('udp4');
  socket.on('message', (question, from) => {
    const { name, end } = nameAt(question, 12);
    const servers = delegations.get(name);
    const header = Buffer.from(question.subarray(0, 12));
    header.writeUInt16BE(0x8180 | (servers === undefined ? NO_SUCH_NAME : 0), 2);
    header.writeUInt16BE(1, 4);
    header.writeUInt16BE(servers?.length ?? 0, 6);
    header.writeUInt32BE(0, 8);
    const answers = (servers ?? []).map(record);
    socket.send(
      Buffer.concat([header, question.subarray(12, end + 4), ...answers]),
      from.port,
      from.address,
    );
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    delegations,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => socket.close(() => resolve())),
  };
}

/** Points to the name in the question: the domain that was asked for. */
function record(server: string): Buffer {
  const data = wireName(server);
  const head = Buffer.alloc(12);
  head.writeUInt16BE(0xc00c, 0);
  head.writeUInt16BE(NS, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(60, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

const wireName = (name: string): Buffer =>
  Buffer.concat([
    ...name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)])),
    Buffer.from([0]),
  ]);

function nameAt(message: Buffer, start: number) {
  const labels: string[] = [];
  let at = start;
  for (let length = message[at] ?? 0; length > 0; length = message[at] ?? 0) {
    labels.push(message.toString('latin1', at + 1, at + 1 + length).toLowerCase());
    at += length + 1;
  }
  return { name: labels.join('.'), end: at + 1 };
}
