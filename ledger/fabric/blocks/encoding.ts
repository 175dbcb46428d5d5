/** A message type of @hyperledger/fabric-protos. */
export interface MessageType<T> {
  deserializeBinary(bytes: Uint8Array): T;
}

interface Message {
  serializeBinary(): Uint8Array;
}

/** `decodeExactly`, or `decode` where something more lenient is asked for. */
export type Decoder = <T extends Message>(type: MessageType<T>, bytes: Uint8Array, what: string) => T;

/** Bytes that are not the encoding that they should be. Which check fails by it, the caller knows. */
export class EncodingError extends Error {
  override readonly name = 'EncodingError';
}

/** Decodes a message; throws `EncodingError` for bytes that are none. */
export function decode<T>(type: MessageType<T>, bytes: Uint8Array, what: string): T {
  try {
    return type.deserializeBinary(bytes);
  } catch {
    throw new EncodingError(`${what} does not decode`);
  }
}

/**
 * Decodes a message that must be in the one form that Fabric's own programs write: fields in order, each once, none
 * unknown. Protobuf lets two decoders read different things in one and the same bytes (a field given twice, say); what
 * is read here is what every peer reads. Throws `EncodingError`.
 */
export function decodeExactly<T extends Message>(type: MessageType<T>, bytes: Uint8Array, what: string): T {
  const message = decode(type, bytes, what);
  if (Buffer.compare(message.serializeBinary(), bytes) !== 0) {
    throw new EncodingError(`${what} is not in the form in which Fabric encodes it`);
  }
  return message;
}
