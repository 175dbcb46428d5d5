/** Why a kernel refused its input. */
export type KernelErrorCode =
  | 'OUT_OF_RANGE' // an integer does not fit a cell, or an index its vector
  | 'NON_CANONICAL' // a scalar is not below l
  | 'BAD_LENGTH' // bytes or vectors are not of the length asked for
  | 'BAD_POINT'; // bytes are not the encoding of a ristretto255 element

/**
 * Input that a kernel refuses, named by `code`. The text says what was expected and never what was found: cells, scalars
 * and seeds are secret.
 */
export class KernelError extends Error {
  override readonly name = 'KernelError';
  readonly code: KernelErrorCode;

  constructor(code: KernelErrorCode, expected: string) {
    super(expected);
    this.code = code;
  }
}
