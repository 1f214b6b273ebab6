/** Places by their distance: a box that the index reads, and the exact great circle in SQL. The formula is that of `src/search/distance.ts`. */
import { boxAround, EARTH_RADIUS, type Place } from '../../search/distance.ts'
import type { Kind } from './leaf.ts'
import { nameId } from './names.ts'
import { any, type Sql, sql } from './sql.ts'

/** Metres from the place to a row of `pos`. */
function metresFrom({ latitude, longitude }: Place): Sql {
  const south = sql`sin(radians(lat - ${latitude}) / 2)`
  const east = sql`sin(radians(lon - ${longitude}) / 2)`
  const cosine = Math.cos((latitude * Math.PI) / 180)
  return sql`(${2 * EARTH_RADIUS} * asin(min(1.0, sqrt(${south} * ${south} + ${cosine} * cos(radians(lat)) * ${east} * ${east}))))`
}

/** The condition that a row of `pos` is near, with the box stated by which the index is read. */
function meets(node: Kind<'near'>): Sql {
  const { south, north, longitudes } = boxAround(node, node.metres)
  const within = any(longitudes.map(([west, east]) => sql`lon BETWEEN ${west} AND ${east}`))
  return sql`p = ${nameId(node.param)} AND lat BETWEEN ${south} AND ${north} AND ${within} AND ${metresFrom(node)} <= ${node.metres}`
}

/** The condition that the resource is near. */
export const nearHolds = (node: Kind<'near'>, rid: Sql): Sql =>
  sql`EXISTS (SELECT 1 FROM pos INDEXED BY pos_rid WHERE rid = ${rid} AND ${meets(node)})`

/** The select of the resources that are near. */
export const nearSelect = (node: Kind<'near'>): Sql => sql`SELECT rid FROM pos WHERE ${meets(node)}`

/**
 * Whole millimetres from the place to the nearest row of the resource, NULL where it has none. A fraction might not come back from a page
 * link as it was.
 */
export const distanceOf = (param: string, place: Place, rid: Sql): Sql =>
  sql`(SELECT min(CAST(round(1000 * ${metresFrom(place)}) AS INTEGER)) FROM pos INDEXED BY pos_rid WHERE rid = ${rid} AND p = ${nameId(param)})`
