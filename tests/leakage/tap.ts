import { createServer, connect, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';

/** A TCP proxy that keeps every byte that passes it, in either direction. */
export class Tap {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #kept: Buffer[] = [];

  private constructor(port: number) {
    this.#server = createServer((near) => {
      const far = connect(port, '127.0.0.1');
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        // One recording per connection and direction, so that a value that spans two packets is found.
        const parts: Buffer[] = [];
        this.#sockets.add(from);
        from.on('data', (data: Buffer) => {
          parts.push(data);
          to.write(data);
        });
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          this.#kept.push(Buffer.concat(parts));
          to.end();
        });
      }
    });
  }

  static async start(target: string): Promise<Tap> {
    const tap = new Tap(Number(new URL(target).port));
    await new Promise<void>((resolve) => tap.#server.listen(0, '127.0.0.1', resolve));
    return tap;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Closes everything and returns all that passed. */
  async close(): Promise<Buffer> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    return Buffer.concat(this.#kept);
  }
}
