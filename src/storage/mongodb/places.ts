/**
 * Places: latitudes stand in `ix` so that a band of them drives the index, and the distance is computed by the server.
 * https://www.mongodb.com/docs/manual/reference/operator/aggregation/#trigonometry-expression-operators
 */
import type { Document } from 'mongodb'
import { type Box, boxAround, EARTH_RADIUS } from '../../search/distance.ts'
import type { Node } from '../../search/plan-node.ts'
import { placePrefix, placeTerm } from './terms.ts'

type Near = Extract<Node, { kind: 'near' }>

/**
 * Returns the filters of resources with a place within the distance of one of these nodes, along the great circle: one filter for each
 * parameter.
 */
export function withinAny(nodes: readonly Near[]): Document[] {
  return [...Map.groupBy(nodes, ({ param }) => param)].map(([param, near]) => within(param, near))
}

function within(param: string, near: readonly Near[]): Document {
  const boxes = near.map(one => boxAround(one, one.metres))
  // Distances cost much more than comparisons: only those of places in a box are computed.
  const inBox = boxes.map(box => ({
    ix: band(param, box.south, box.north),
    g: { $elemMatch: { p: placePrefix(param), ...inside(box) } },
  }))
  const south = Math.min(...boxes.map(box => box.south))
  const north = Math.max(...boxes.map(box => box.north))
  return {
    // One band around all drives the index where a server would rather read the whole type than go through many bands.
    ...(inBox.length === 1 ? inBox[0] : { ix: band(param, south, north), $or: inBox }),
    // One expression for all: each takes the server long to prepare.
    $expr: {
      $anyElementTrue: [
        { $map: { input: placesOf(param), as: 'g', in: { $anyElementTrue: [isNearAny(near, boxes)] } } },
      ],
    },
  }
}

const inside = ({ south, north, longitudes }: Box): Document => {
  const between = longitudes.map(([west, east]) => ({ lon: { $gte: west, $lte: east } }))
  return { lat: { $gte: south, $lte: north }, ...(between.length === 1 ? between[0] : { $or: between }) }
}

/** Returns the expression of whether `$$g` is near, for each of the nodes. */
const isNearAny = (near: readonly Near[], boxes: readonly Box[]): Document => ({
  $map: {
    input: {
      $literal: near.map(({ latitude, longitude, metres }, i) => {
        const { south, north } = boxes[i]!
        return { lat: latitude, lon: longitude, cos: cosine(latitude), south, north, metres }
      }),
    },
    as: 'v',
    in: {
      $and: [
        { $gte: ['$$g.lat', '$$v.south'] },
        { $lte: ['$$g.lat', '$$v.north'] },
        { $lte: [metresTo('$$v.lat', '$$v.lon', '$$v.cos'), '$$v.metres'] },
      ],
    },
  },
})

const band = (param: string, south: number, north: number): Document => ({
  $elemMatch: { $gte: placeTerm(param, south), $lte: placeTerm(param, north) },
})

/** Returns the expression of the distance to the nearest place of the parameter, metres rounded to thousandths; `none` where there is no place. */
export const nearest = (param: string, latitude: number, longitude: number, none: number): Document => ({
  $ifNull: [
    {
      $round: [
        {
          $min: {
            $map: { input: placesOf(param), as: 'g', in: metresTo(latitude, longitude, cosine(latitude)) },
          },
        },
        // The same on all servers, whose sines may differ in the last bit.
        3,
      ],
    },
    none,
  ],
})

const placesOf = (param: string): Document => ({
  $filter: {
    input: { $ifNull: ['$g', []] },
    as: 'g',
    cond: { $eq: ['$$g.p', { $literal: placePrefix(param) }] },
  },
})

const cosine = (degrees: number): number => Math.cos((degrees * Math.PI) / 180)

/** The formula of `distance.ts` on `$$g`, from degrees or expressions of them; `cos` is the cosine of the latitude. */
function metresTo(latitude: number | string, longitude: number | string, cos: number | string): Document {
  const half = (field: string, value: number | string): Document => ({
    $pow: [{ $sin: { $divide: [{ $degreesToRadians: { $subtract: [field, value] } }, 2] } }, 2],
  })
  const chord = {
    $add: [
      half('$$g.lat', latitude),
      { $multiply: [cos, { $cos: { $degreesToRadians: '$$g.lat' } }, half('$$g.lon', longitude)] },
    ],
  }
  return { $multiply: [2 * EARTH_RADIUS, { $asin: { $min: [1, { $sqrt: chord }] } }] }
}
