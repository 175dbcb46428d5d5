import { concatBytes } from '../../protocol/bytes.ts';
import { AuthenticatedBits } from '../boolean/bits.ts';
import type { StockDemand } from '../boolean/stock.ts';
import { PreparedStock } from './prepared-stock.ts';

/** As many pieces of one shape as a stock has. Views: nothing is copied, and the stock keeps what is left over. */
export function cutStock(stock: PreparedStock, piece: StockDemand): PreparedStock[] {
  const { left } = stock;
  const parts = (there: number, each: number): number => (each === 0 ? Infinity : Math.floor(there / each));
  const count = Math.min(
    parts(left.triples, piece.triples),
    parts(left.random, piece.random),
    ...[...piece.masks].map(([owner, each]) => parts(left.masks.get(owner) ?? 0, each)),
  );
  if (count === Infinity) return [];
  return Array.from(
    { length: count },
    () =>
      new PreparedStock(
        stock.keyShare,
        stock.triples(piece.triples),
        stock.random(piece.random),
        new Map([...piece.masks].map(([owner, each]) => [owner, stock.masks(owner, each)])),
      ),
  );
}

/** One stock of all that the pieces have left, in their order. They are made under the key share given; their memory goes. */
export function joinStocks(keyShare: Uint8Array, pieces: readonly PreparedStock[]): PreparedStock {
  const [only] = pieces;
  if (only !== undefined && pieces.length === 1) return only;
  const triples = pieces.map((piece) => piece.triples(piece.left.triples));
  const owners = new Set(pieces.flatMap((piece) => [...piece.left.masks.keys()]));
  const joined = new PreparedStock(
    keyShare,
    {
      a: joinBits(triples.map(({ a }) => a)),
      b: joinBits(triples.map(({ b }) => b)),
      c: joinBits(triples.map(({ c }) => c)),
    },
    joinBits(pieces.map((piece) => piece.random(piece.left.random))),
    new Map(
      [...owners].map((owner) => [
        owner,
        joinBits(pieces.map((piece) => piece.masks(owner, piece.left.masks.get(owner) ?? 0))),
      ]),
    ),
  );
  for (const piece of pieces) piece.discard();
  return joined;
}

const joinBits = (parts: readonly AuthenticatedBits[]): AuthenticatedBits =>
  new AuthenticatedBits(concatBytes(...parts.map(({ bits }) => bits)), concatBytes(...parts.map(({ tags }) => tags)));
