/**
 * Places: latitudes stand in `ix` so that a band of them drives the index, and the distance is computed by the server.
 * https://www.mongodb.com/docs/manual/reference/operator/aggregation/#trigonometry-expression-operators
 */
import type { Document } from 'mongodb'
import { boxAround, EARTH_RADIUS } from '../../search/distance.ts'
import type { Node } from '../../search/plan-node.ts'
import { placePrefix, placeTerm } from './terms.ts'

type Near = Extract<Node, { kind: 'near' }>

/** Returns the filter of resources with a place of the parameter within so many metres, along the great circle; degrees of WGS84. */
export function within({ param, latitude, longitude, metres }: Near): Document {
  const { south, north, longitudes } = boxAround({ latitude, longitude }, metres)
  const between = longitudes.map(([west, east]) => ({ lon: { $gte: west, $lte: east } }))
  return {
    ix: band(param, south, north),
    // Distances cost much more than comparisons: only those of places in the box are computed.
    g: {
      $elemMatch: {
        p: placePrefix(param),
        lat: { $gte: south, $lte: north },
        ...(between.length === 1 ? between[0] : { $or: between }),
      },
    },
    $expr: {
      $anyElementTrue: [
        {
          $map: {
            input: placesOf(param),
            as: 'g',
            in: { $lte: [metresTo(latitude, longitude), metres] },
          },
        },
      ],
    },
  }
}

/** Returns the filters of resources with a place within the distance of one of these nodes, one filter for each parameter. */
export function withinAny(nodes: readonly Near[]): Document[] {
  return [...Map.groupBy(nodes, ({ param }) => param)].map(([param, near]) => {
    if (near.length === 1) return within(near[0]!)
    const boxes = near.map(one => boxAround(one, one.metres))
    const south = Math.min(...boxes.map(box => box.south))
    const north = Math.max(...boxes.map(box => box.north))
    // One band around all drives the index even where the server would rather read the whole type than go through many bands.
    return { ix: band(param, south, north), $or: near.map(within) }
  })
}

const band = (param: string, south: number, north: number): Document => ({
  $elemMatch: { $gte: placeTerm(param, south), $lte: placeTerm(param, north) },
})

/** Returns the expression of the distance to the nearest place of the parameter, metres rounded to thousandths; `none` where there is no place. */
export const nearest = (param: string, latitude: number, longitude: number, none: number): Document => ({
  $ifNull: [
    {
      $round: [
        { $min: { $map: { input: placesOf(param), as: 'g', in: metresTo(latitude, longitude) } } },
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

/** The formula of `distance.ts` on `$$g`. */
function metresTo(latitude: number, longitude: number): Document {
  const radians = (degrees: number): number => (degrees * Math.PI) / 180
  const half = (field: string, value: number): Document => ({
    $pow: [{ $sin: { $divide: [{ $degreesToRadians: { $subtract: [field, value] } }, 2] } }, 2],
  })
  const chord = {
    $add: [
      half('$$g.lat', latitude),
      {
        $multiply: [
          Math.cos(radians(latitude)),
          { $cos: { $degreesToRadians: '$$g.lat' } },
          half('$$g.lon', longitude),
        ],
      },
    ],
  }
  return { $multiply: [2 * EARTH_RADIUS, { $asin: { $min: [1, { $sqrt: chord }] } }] }
}
