// What @hyperledger/fabric-protos needs of the types of google-protobuf, which come without any.

declare module 'google-protobuf' {
  export class Message {
    serializeBinary(): Uint8Array;
    toObject(): object;
  }
  export class Map<K, V> {
    get(key: K): V | undefined;
    set(key: K, value: V): this;
    forEach(visit: (value: V, key: K) => void): void;
    getLength(): number;
  }
  export interface ExtensionFieldInfo<T> {
    readonly unused?: T;
  }
  export interface ExtensionFieldBinaryInfo<T> {
    readonly unused?: T;
  }
  export interface BinaryReader {
    readonly unused?: never;
  }
  export interface BinaryWriter {
    readonly unused?: never;
  }
}

declare module 'google-protobuf/google/protobuf/timestamp_pb' {
  import { Message } from 'google-protobuf';
  export class Timestamp extends Message {
    getSeconds(): number;
    getNanos(): number;
    setSeconds(value: number): void;
    setNanos(value: number): void;
  }
}

declare module 'google-protobuf/google/protobuf/timestamp_pb.js' {
  export * from 'google-protobuf/google/protobuf/timestamp_pb';
}
