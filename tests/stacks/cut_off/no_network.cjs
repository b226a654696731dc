// Node reads this at its start when NODE_OPTIONS requires it: from then on no socket connects.
"use strict";
const dgram = require("node:dgram");
const dns = require("node:dns");
const fs = require("node:fs");
const net = require("node:net");

function refuse(what) {
  return function () {
    throw new Error(`This process is cut off from the network: ${what}`);
  };
}

net.Socket.prototype.connect = refuse("net.Socket.connect");
dgram.Socket.prototype.send = refuse("dgram.Socket.send");
dgram.Socket.prototype.connect = refuse("dgram.Socket.connect");
dns.lookup = refuse("dns.lookup");
dns.promises.lookup = refuse("dns.promises.lookup");
fs.appendFileSync(process.env.ROLEBOUND_GUARDED, `node ${process.argv[1]}\n`);
