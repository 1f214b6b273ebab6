/** The integer ids of the API: Identifiers on the resources, given once each. */
import type { Context } from '../../context.ts'
import {
  numbered as numberedIn,
  type Series,
  withNumbers as withNumbersOf,
} from '../../interactions/numbering.ts'
import type { Key, Live } from '../../storage/port.ts'
import { KINDS, type Kind, systemOf, TYPE_OF } from './codes.ts'

/** Returns the series of the integer ids of a kind. An appointment that does not say when it was made does so with its id. */
export const seriesOf = (kind: Kind): Series => ({
  type: TYPE_OF[kind],
  system: systemOf(kind),
  counter: `opencare ${kind}`,
  ...(kind === 'appointment' && {
    complete: async (resource, made) =>
      resource.created === undefined
        ? { ...resource, created: new Date(await made()).toISOString() }
        : resource,
  }),
})

const SERIES = KINDS.map(seriesOf)

/** Returns the resource with the integer id; undefined where there is none. */
export const numbered = (ctx: Context, kind: Kind, number: number): Promise<Live | undefined> =>
  numberedIn(ctx, seriesOf(kind), number)

/** Returns the resources by their keys, each with an integer id; those that are gone meanwhile are left out. */
export const withNumbers = (ctx: Context, rows: readonly Live[]): Promise<Map<Key, Live>> =>
  withNumbersOf(ctx, SERIES, rows)
