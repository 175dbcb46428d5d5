// JIFF's relay, on a free port that it tells its parent.
const http = require('node:http').createServer();
const { JIFFServer } = require('jiff-mpc');

process.once('disconnect', () => process.exit());
new JIFFServer(http, { logs: false });
http.listen(0, '127.0.0.1', () => process.send(http.address().port));
