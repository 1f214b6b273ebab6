/** Places by their distance: a box that the index reads, and the exact great circle in SQL. `src/search/distance.ts` is the same in JavaScript. */
import type { Kind } from './leaf.ts'
import { nameId } from './names.ts'
import { all, type Sql, sql } from './sql.ts'

/** Metres: the mean radius of WGS84. */
const EARTH = 6_371_008.8

interface Place {
  latitude: number
  longitude: number
}

const radians = (degrees: number): number => (degrees * Math.PI) / 180
const degrees = (angle: number): number => (angle * 180) / Math.PI

/** Metres from the place to the row of `pos`: the haversine formula. */
function metres({ latitude, longitude }: Place): Sql {
  const south = sql`sin(radians(lat - ${latitude}) / 2)`
  const east = sql`sin(radians(lon - ${longitude}) / 2)`
  const a = sql`${south} * ${south} + ${Math.cos(radians(latitude))} * cos(radians(lat)) * ${east} * ${east}`
  return sql`(${2 * EARTH} * asin(min(1.0, sqrt(${a}))))`
}

/** More than what rounding may lose, in degrees: a tenth of a millimetre. */
const MARGIN = 1e-9

/** The condition that a row of `pos` is near, with the box stated that the index is read by. */
export function nearMeets(node: Kind<'near'>): Sql {
  const { latitude, longitude } = node
  const angle = node.metres / EARTH
  const height = degrees(angle) + MARGIN
  const box = [sql`p = ${nameId(node.param)}`]
  const south = latitude - height
  const north = latitude + height
  box.push(sql`lat >= ${Math.max(-90, south)}`, sql`lat <= ${Math.min(90, north)}`)
  // A circle around a pole has every longitude.
  if (south > -90 && north < 90) {
    const width = degrees(Math.asin(Math.min(1, Math.sin(angle) / Math.cos(radians(latitude))))) + MARGIN
    const west = longitude - width
    const east = longitude + width
    if (west < -180) box.push(sql`(lon >= ${west + 360} OR lon <= ${east})`)
    else if (east > 180) box.push(sql`(lon >= ${west} OR lon <= ${east - 360})`)
    else box.push(sql`lon >= ${west}`, sql`lon <= ${east}`)
    // The antimeridian has two names.
    if (Math.abs(west) === 180 || Math.abs(east) === 180) box.splice(3)
  }
  return all([...box, sql`${metres(node)} <= ${node.metres + 1e-6}`])
}

/** Whole millimetres from the place to the nearest row of the resource; no row, no value. A whole number is the same on its way to a page link and back. */
export const distanceOf = (param: string, place: Place, rid: Sql): Sql =>
  sql`(SELECT min(CAST(round(1000 * ${metres(place)}) AS INTEGER)) FROM pos INDEXED BY pos_rid WHERE rid = ${rid} AND p = ${nameId(param)})`

/** The condition that the resource is near. */
export const nearHolds = (node: Kind<'near'>, rid: Sql): Sql =>
  sql`EXISTS (SELECT 1 FROM pos INDEXED BY pos_rid WHERE rid = ${rid} AND ${nearMeets(node)})`

export const nearSelect = (node: Kind<'near'>): Sql => sql`SELECT rid FROM pos WHERE ${nearMeets(node)}`
