import type { Connections } from './connections.ts';
import { CLOSE } from './connection.ts';

/**
 * Pings every connection and drops those that left two pings unanswered or did not take what waits for them in time.
 * Returns a function that stops it.
 */
export function startHeartbeat(of: {
  connections: Connections;
  interval: number;
  stuck: number;
  clock: () => number;
}): () => void {
  const beat = (): void => {
    for (const connection of of.connections.all()) {
      // Of a peer that is not being read no pong can be seen: silence means nothing then.
      if (connection.held) connection.missed = 0;
      else if (connection.missed >= 2) {
        of.connections.drop(connection, CLOSE.goingAway, 'silent');
        connection.socket.terminate();
        continue;
      }
      connection.missed++;
      if (connection.open) connection.socket.ping();
    }
  };
  const unstick = (): void => {
    const now = of.clock();
    for (const connection of of.connections.all()) {
      const since = connection.backloggedSince;
      if (since === undefined || now - since <= of.stuck) continue;
      of.connections.drop(connection, CLOSE.violation, 'stuck');
      connection.socket.terminate();
    }
  };
  const timers = [setInterval(beat, of.interval), setInterval(unstick, Math.min(of.stuck / 4, 5000))];
  return () => timers.forEach(clearInterval);
}
