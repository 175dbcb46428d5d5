import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Counter, Gauge, Registry } from 'prom-client';

/** What the operator may count. Names and codes only: no label ever carries an organisation's data. */
export class Metrics {
  readonly registry = new Registry();
  readonly connections = this.#gauge('healthchain_connections', 'Hospitals connected now.');
  readonly sessions = this.#gauge('healthchain_sessions', 'Sessions open on the ledger now, by furthest stage.', [
    'stage',
  ]);
  readonly streams = this.#gauge('healthchain_streams', 'Answer streams open now.');
  readonly frames = this.#counter('healthchain_frames_total', 'Frames read from hospitals.', ['type']);
  readonly relayedBytes = this.#counter(
    'healthchain_relayed_bytes_total',
    'Bytes of frames relayed between hospitals.',
  );
  readonly dropped = this.#counter('healthchain_frames_dropped_total', 'Frames not forwarded, by cause.', ['cause']);
  readonly streamBytes = this.#counter('healthchain_stream_bytes_total', 'Bytes streamed to researchers.');
  readonly paused = this.#counter('healthchain_paused_total', 'Times a hospital was not read for a while.', ['cause']);
  readonly closed = this.#counter('healthchain_closed_total', 'Connections closed by the coordinator.', ['cause']);
  readonly refused = this.#counter('healthchain_refused_total', 'Connections and requests refused.', ['code']);
  readonly aborts = this.#counter('healthchain_aborts_total', 'Sessions aborted on the ledger.', ['reason']);
  readonly opened = this.#counter('healthchain_sessions_opened_total', 'Sessions that this coordinator opened.');
  readonly requests = this.#counter('healthchain_http_requests_total', 'HTTP requests answered.', ['status']);
  readonly preparations = this.#counter('healthchain_preparations_total', 'Preparations of stock, by how they ended.', [
    'outcome',
  ]);
  readonly #lag = this.#gauge('healthchain_event_loop_lag_seconds', '99th percentile since the last scrape.');
  readonly #memory = this.#gauge('healthchain_memory_bytes', 'Memory of the process.', ['kind']);
  readonly #delay = monitorEventLoopDelay({ resolution: 20 });

  constructor() {
    this.#delay.enable();
  }

  /** The Prometheus text format, with `observe` called first to fill gauges that are cheap to read but not to keep. */
  async text(observe: (metrics: Metrics) => void): Promise<string> {
    this.#lag.set(this.#delay.count === 0 ? 0 : this.#delay.percentile(99) / 1e9);
    this.#delay.reset();
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage();
    this.#memory.set({ kind: 'rss' }, rss);
    this.#memory.set({ kind: 'heap' }, heapUsed);
    this.#memory.set({ kind: 'buffers' }, arrayBuffers);
    observe(this);
    return await this.registry.metrics();
  }

  close(): void {
    this.#delay.disable();
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.registry] });
  }
  #gauge<L extends string>(name: string, help: string, labelNames: L[] = []): Gauge<L> {
    return new Gauge({ name, help, labelNames, registers: [this.registry] });
  }
}
