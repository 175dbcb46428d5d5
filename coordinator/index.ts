/** The coordinator: relays sealed frames, forms sessions, serves researchers. Trusted for availability alone. */
export { startCoordinator, type Coordinator } from './coordinator.ts';
export { DEFAULT_DEADLINES, DEFAULT_LIMITS, type CoordinatorConfig, type Deadlines, type Limits } from './config.ts';
export { CONNECT_PATH, SUBPROTOCOL } from './relay/door.ts';
export { progressEvent, type ProgressEvent } from './sessions/events.ts';
export { SHARE_TYPE } from './streams/pull.ts';
