const { createServer } = require('node:http');

/**
 * A small HTTP service as many have: `handle` does the work of one request. Tells its port on standard output, as every
 * scenario does.
 * @param {(request: import('node:http').IncomingMessage) => unknown} handle
 */
exports.serve = function serve(handle) {
  const server = createServer((request, response) => {
    Promise.resolve(request)
      .then(handle)
      .then(
        (text) => response.end(String(text ?? 'ok')),
        (error) => {
          response.statusCode = 500;
          response.end(String(error));
        },
      );
  });
  server.listen(0, '127.0.0.1', () => console.log(`listening ${server.address().port}`));
  return server;
};
