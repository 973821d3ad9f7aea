/**
 * What stands in front of both, as nginx would: the paths of each base URL that are the stack's go
 * there, without the base URL's own path; all others go to the app, as they came.
 */
const { createServer, request: send } = require('node:http');

const OURS = /^\/(installed|uninstalled|dare-migration\/.*|forge\/.*)$/;

/** `apps` and `stacks`: realm to base URL. Before the adoption, `stacks` is empty. */
exports.startRouter = async (port, { apps, stacks }) => {
  const server = createServer((request, response) => {
    const [, realm = '', path = '', query = ''] =
      /^\/(\w+)(\/[^?]*)(\?.*)?$/.exec(request.url) ?? [];
    const stack = OURS.test(path) ? stacks[realm] : undefined;
    const to = stack === undefined ? `${apps[realm]}/${realm}${path}` : `${stack}${path}`;
    const { host: _, ...headers } = request.headers;
    const onward = send(`${to}${query}`, { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end());
    request.pipe(onward);
  });
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    close() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
};
